import { fileURLToPath } from 'node:url'
import fastifyView from '@fastify/view'
import { Eta } from 'eta'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Texts } from '../texts/index.js'
import { chooseLanguage } from '../texts/languages.js'
import { assets } from './assets.js'

const templates = fileURLToPath(new URL('../../templates/', import.meta.url))

/** HTML pages rendered from templates. */
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

/** The request headers by which pages vary. For those of htmx only `true` counts. */
export const pageVary = [
  ...['HX-Request', 'HX-History-Restore-Request'].map((name) => ({
    name,
    normalise: (value: string | undefined) => (value === 'true' ? value : undefined),
  })),
  { name: 'Accept-Language', normalise: chooseLanguage },
]

/** Whether htmx requests a panel to swap into the page. To restore its history it requests the complete page. */
export function isFragmentRequest({ headers }: FastifyRequest): boolean {
  return headers['hx-request'] === 'true' && headers['hx-history-restore-request'] !== 'true'
}

/** Whether the client names HTML in `Accept`. `*\/*`, which most programs send, does not count. */
export function acceptsHtml({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return (headers.accept ?? '').includes('text/html')
}

export function setPageVary(reply: FastifyReply): void {
  reply.header('vary', pageVary.map(({ name }) => name).join(', '))
}

/** Sends a template in the language of its view. */
export function render<View extends { readonly text: Texts }>(
  reply: FastifyReply,
  template: string,
  view: View,
): FastifyReply {
  return reply.header('content-language', view.text.language).view(template, view)
}
