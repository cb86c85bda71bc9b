import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { notStored } from './cache-control.js'

const ownAssets = fileURLToPath(new URL('../../templates/assets/', import.meta.url))
const htmx = createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js')

/** A static file of the pages. */
export class Asset {
  readonly path: string
  readonly type: string
  readonly bytes: Buffer
  /** Hash of the content. */
  readonly version: string
  /** URL with the version, so that browsers may cache it for a year. */
  readonly url: string

  constructor(path: string, type: string, bytes: Buffer) {
    this.path = path
    this.type = type
    this.bytes = bytes
    this.version = createHash('sha256').update(bytes).digest('hex').slice(0, 10)
    this.url = `${path}?v=${this.version}`
  }
}

const script = 'text/javascript; charset=utf-8'

export const assets = {
  style: new Asset('/assets/vitrine.css', 'text/css; charset=utf-8', readFileSync(`${ownAssets}vitrine.css`)),
  script: new Asset('/assets/vitrine.js', script, readFileSync(`${ownAssets}vitrine.js`)),
  operator: new Asset('/assets/operator.js', script, readFileSync(`${ownAssets}operator.js`)),
  icon: new Asset('/assets/vitrine.svg', 'image/svg+xml', readFileSync(`${ownAssets}vitrine.svg`)),
  htmx: new Asset('/assets/htmx/htmx.min.js', script, readFileSync(htmx)),
}

export interface AssetsOptions {
  readonly files: readonly Asset[]
}

/** Serves the assets; the current version is cached by the edge. */
export default fp(serveAssets, { name: 'assets', fastify: '5.x', dependencies: ['fastify-vitrine/edge'] })

async function serveAssets(app: FastifyInstance, { files }: AssetsOptions): Promise<void> {
  for (const asset of files) await app.register(assetRoute, { asset })
}

const immutable = 'public, max-age=31536000, immutable'

const assetRoute: FastifyPluginAsyncTypebox<{ asset: Asset }> = async (app, { asset }) => {
  const { path, type, bytes, version } = asset
  const schema = { hide: true, querystring: Type.Object({ v: Type.Optional(Type.String()) }) }
  const isCurrent = (query: { readonly v?: unknown }) => query.v === version
  const edge = {
    ttlSeconds: 31_536_000,
    ignoreCredentials: true,
    bypass: ({ query }: { query: unknown }) => !isCurrent(query as { v?: unknown }), // a parsed query string is an object
  }
  app.get(path, { schema, config: { rateLimit: false, edge } }, (request, reply) => {
    // During a deployment the page may come from a process with newer files: no cache may store these bytes under the URL of
    // others. A redirect to our version would loop between the two processes.
    const cacheControl = isCurrent(request.query) ? immutable : notStored
    return reply.type(type).header('cache-control', cacheControl).send(bytes)
  })
}
