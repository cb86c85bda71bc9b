import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { acceptsHtml } from '../../http/html-pages.js'
import { logError } from '../../http/problems.js'
import { Key, purgeAndLog, Tag } from '../purge.js'
import { type Access, pagePath } from './access.js'
import type { Notices } from './notices.js'
import type { OperatorPages } from './operator-pages.js'
import { cookieOptions } from './signed-cookies.js'

const PurgeForm = Type.Union([
  Type.Object({ kind: Type.Literal('tag'), name: Tag, hard: Type.Optional(Type.Literal('on')) }),
  Type.Object({ kind: Type.Literal('key'), name: Key, hard: Type.Optional(Type.Literal('on')) }),
])

export interface PurgeFormOptions {
  readonly access: Access
  readonly pages: OperatorPages
  readonly notices: Notices
}

/** Purge by form: a confirmation page, then the purge. */
const purgeForm: FastifyPluginAsyncTypebox<PurgeFormOptions> = async (app, { access, pages, notices }) => {
  app.get(
    `${pagePath}/purge`,
    {
      schema: { hide: true, querystring: PurgeForm },
      preParsing: access.onlyOperators,
      errorHandler: rejectForm,
    },
    async (request, reply) => {
      const { kind, name, hard } = request.query
      const { purge } = pages.labelsFor(request)
      return pages.render(request, reply, 'pages/ops-purge', {
        form: request.query,
        target: purge.confirm(purge[kind], name),
        effect: hard === 'on' ? purge.hardEffect : purge.softEffect,
        isStored: kind === 'tag' ? undefined : await isStored(name),
        csrf: reply.generateCsrf(cookieOptions(request)),
      })
    },
  )

  app.post(
    `${pagePath}/purge/confirmed`,
    {
      schema: { hide: true, body: PurgeForm },
      preParsing: access.onlyOperators,
      preValidation: app.csrfProtection,
      errorHandler: rejectForm,
    },
    async (request, reply) => {
      const { kind, name, hard } = request.body
      const targets = kind === 'tag' ? { tags: [name], keys: [] } : { tags: [], keys: [name] }
      const { isDone } = await purgeAndLog(app.cache, { ...targets, hard: hard === 'on' }, request)
      notices.set({ kind, name, isQueued: !isDone }, request, reply)
      return reply.redirect(pagePath, 303)
    },
  )

  /** `undefined` when Redis is unavailable. */
  async function isStored(key: string): Promise<boolean | undefined> {
    const { memory, redis } = await app.cache.explain(key)
    if (memory !== undefined) return true
    return redis === 'unknown' ? undefined : typeof redis === 'object' && !('purgedAt' in redis)
  }

  /** An invalid form returns a browser to the page with the form. */
  async function rejectForm(error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (error.validation === undefined || !acceptsHtml(request)) throw error // to the error handler of the scope
    logError(error, request)
    return pages.renderCache(request, reply.code(400), { notice: ({ invalid }) => invalid })
  }
}

export default purgeForm
