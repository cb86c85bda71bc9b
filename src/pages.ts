import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import fastifyView from '@fastify/view'
import { Eta } from 'eta'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

const templates = fileURLToPath(new URL('../templates/', import.meta.url))
const ownAssets = `${templates}assets/`
const htmx = createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js')

/** Templates, and the files that pages load, all from our own origin. */
export default fp(pages, { name: 'pages', fastify: '5.x' })

async function pages(app: FastifyInstance): Promise<void> {
  await app.register(fastifyView, {
    engine: { eta: new Eta({ views: templates, cache: true, autoEscape: true }) },
    production: true, // compiles each template once
    root: templates,
    viewExt: 'eta',
    defaultContext: {
      assets: {
        style: versioned('/assets/vitrine.css', `${ownAssets}vitrine.css`),
        script: versioned('/assets/vitrine.js', `${ownAssets}vitrine.js`),
        icon: versioned('/assets/vitrine.svg', `${ownAssets}vitrine.svg`),
        htmx: versioned('/assets/htmx/htmx.min.js', htmx),
      },
    },
  })
  const forever = { maxAge: '1y', immutable: true, index: false as const }
  await app.register(fastifyStatic, { ...forever, root: ownAssets, prefix: '/assets/' })
  await app.register(fastifyStatic, {
    ...forever,
    root: dirname(htmx),
    prefix: '/assets/htmx/',
    decorateReply: false,
    allowedPath: (path) => path === '/htmx.min.js',
  })
}

/** The address of a file under which browsers may keep it for good: it changes when the file does. */
function versioned(path: string, file: string): string {
  const version = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 10)
  return `${path}?v=${version}`
}

/** The request fields by which a panel is a page or a fragment; all but `true` says nothing. */
export const fragmentFields = ['HX-Request', 'HX-History-Restore-Request'].map((name) => ({
  name,
  normalise: (value: string | undefined) => (value === 'true' ? value : undefined),
}))

/**
 * Whether only the panel is wanted, for htmx to put into the page that is there. A request that restores history gets
 * the whole page again.
 */
export function wantsFragment({ headers }: FastifyRequest): boolean {
  return headers['hx-request'] === 'true' && headers['hx-history-restore-request'] !== 'true'
}

/** Tells every cache on the way that the same URL answers with a page or with a fragment. */
export function varyByFragment(reply: FastifyReply): void {
  reply.header('vary', fragmentFields.map(({ name }) => name).join(', '))
}
