import { fileURLToPath } from 'node:url'
import fastifyView from '@fastify/view'
import { Eta } from 'eta'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { assets } from './assets.js'
import { chooseLanguage } from './languages.js'
import type { Texts } from './texts/index.js'

const templates = fileURLToPath(new URL('../templates/', import.meta.url))

/** Pages, from templates. */
export default fp(pages, { name: 'pages', fastify: '5.x' })

async function pages(app: FastifyInstance): Promise<void> {
  await app.register(fastifyView, {
    engine: { eta: new Eta({ views: templates, cache: true, autoEscape: true }) },
    production: true, // compiles each template once
    root: templates,
    viewExt: 'eta',
    defaultContext: { assets },
  })
}

/** The request fields by which pages differ; all but `true` says nothing in those of htmx. */
export const pageFields = [
  ...['HX-Request', 'HX-History-Restore-Request'].map((name) => ({
    name,
    normalise: (value: string | undefined) => (value === 'true' ? value : undefined),
  })),
  { name: 'Accept-Language', normalise: chooseLanguage },
]

/**
 * Whether only the panel is wanted, for htmx to put into the page that is there. A request that restores history gets
 * the whole page again.
 */
export function wantsFragment({ headers }: FastifyRequest): boolean {
  return headers['hx-request'] === 'true' && headers['hx-history-restore-request'] !== 'true'
}

/** Whether the client says that it reads HTML, as browsers do and programs do not. */
export function readsHtml({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return (headers.accept ?? '').includes('text/html')
}

/** Tells every cache on the way that the same URL has several answers. */
export function varyByPage(reply: FastifyReply): void {
  reply.header('vary', pageFields.map(({ name }) => name).join(', '))
}

/** Answers with a template, in the language of its view. */
export function show<View extends { readonly text: Texts }>(
  reply: FastifyReply,
  template: string,
  view: View,
): FastifyReply {
  return reply.header('content-language', view.text.language).view(template, view)
}
