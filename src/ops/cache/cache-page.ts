import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'
import { acceptsHtml } from '../../http/html-pages.js'
import type { LiveStats } from '../live-stats/live-stats.js'
import { unauthorizedError } from '../operator-token.js'
import { type Access, pagePath } from './access.js'
import { LiveStreams } from './live-streams.js'
import type { Notice, Notices } from './notices.js'
import type { CacheView, OperatorPages } from './operator-pages.js'

export const InspectedKey = Type.Optional(Type.String({ maxLength: 512 }))
const PageQuery = Type.Object({ key: InspectedKey }, { additionalProperties: false })

export interface CachePageOptions {
  readonly access: Access
  readonly pages: OperatorPages
  readonly notices: Notices
  readonly liveStats: LiveStats
  readonly hasRedis: boolean
}

/** The page with statistics and the inspected key (JSON for scripts), and its live updates. */
const cachePage: FastifyPluginAsyncTypebox<CachePageOptions> = async (
  app,
  { access, pages, notices, liveStats, hasRedis },
) => {
  const streams = new LiveStreams()
  const stopUpdates = liveStats.onSample(() => streams.sendAll())
  app.addHook('preClose', async () => {
    stopUpdates()
    streams.close()
  })

  app.get(pagePath, { schema: { hide: true, querystring: PageQuery } }, async (request, reply) => {
    const { key = '' } = request.query
    if (access.operatorOf(request) === undefined) {
      if (!acceptsHtml(request) || request.headers.authorization !== undefined) throw unauthorizedError(reply)
      return pages.renderSignIn(request, reply, { key: request.query.key })
    }
    const explanation = key === '' ? undefined : await app.cache.explain(key)
    if (!acceptsHtml(request) && request.hasOperatorToken) {
      const { upstream, lastMinute, changes } = liveStats
      const stats = { cache: app.cache.stats(), edge: app.edge.stats() }
      return { ...stats, upstream, lastMinute, changes: changes.all, explanation }
    }
    return pages.renderCache(request, reply, { key, explanation, notice: noticeText(notices.take(request, reply)) })
  })

  // Without a HEAD route: it would open a stream that is never read.
  app.get(
    `${pagePath}/live`,
    { schema: { hide: true }, exposeHeadRoute: false, preParsing: access.onlyOperators },
    async (request, reply) => {
      const operator = access.operatorOf(request) ?? '' // never missing: `onlyOperators`
      const stream = streams.open(operator, reply.raw, async () => {
        const isOpen = access.operatorOf(request) !== undefined
        return isOpen ? app.view('partials/ops/live', pages.liveView(request)) : undefined
      })
      return reply.type('text/event-stream').header('x-accel-buffering', 'no').send(stream)
    },
  )

  function noticeText(notice: Notice | undefined): CacheView['notice'] {
    if (notice === undefined) return undefined
    const { kind, name, isQueued } = notice
    const result = isQueued ? 'queued' : hasRedis ? 'done' : 'doneHere'
    return (labels) => labels[result](labels[kind], name)
  }
}

export default cachePage
