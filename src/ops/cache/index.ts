import cookie from '@fastify/cookie'
import csrf from '@fastify/csrf-protection'
import formbody from '@fastify/formbody'
import type { FastifyPluginAsync } from 'fastify'
import type { LiveStats } from '../live-stats/live-stats.js'
import type { OperatorToken } from '../operator-token.js'
import type { CheckToken } from '../token-check.js'
import { createAccess, pagePath } from './access.js'
import cachePage from './cache-page.js'
import { createNotices } from './notices.js'
import { createOperatorPages } from './operator-pages.js'
import purgeForm from './purge-form.js'
import sessionRoutes from './session-routes.js'
import { createSessions } from './sessions.js'
import { createSignedCookies } from './signed-cookies.js'

export interface OperatorPageOptions {
  readonly token: OperatorToken
  readonly checkToken: CheckToken
  readonly liveStats: LiveStats
  /** Whether the circuit breaker of Redis is open; `undefined` without Redis. */
  readonly isBreakerOpen: () => boolean | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const formLimitBytes = 16 * 1_024

/** `/ops/cache`: the operator page, behind sign-in with the operator token. */
const operatorPage: FastifyPluginAsync<OperatorPageOptions> = async (
  app,
  { token, checkToken, liveStats, isBreakerOpen, now },
) => {
  await app.register(formbody, { bodyLimit: formLimitBytes })
  await app.register(cookie, { secret: token.secretFor('cookies of forms').toString('base64') })
  await app.register(csrf, {
    cookieKey: 'vitrine_csrf',
    cookieOpts: { signed: true },
    getToken: ({ body }) => (body as { _csrf?: string } | undefined)?._csrf, // a parsed form
  })
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('vary', 'accept-language, cookie')
  })

  const pages = createOperatorPages({ liveStats, cache: app.cache, edge: app.edge, isBreakerOpen })
  const cookies = createSignedCookies(token.secretFor('cookies of the operator page'))
  const sessions = createSessions(cookies, now)
  const notices = createNotices(cookies)
  const access = createAccess({ sessions, pages })
  await app.register(cachePage, { access, pages, notices, liveStats, hasRedis: isBreakerOpen() !== undefined })
  await app.register(sessionRoutes, { checkToken, access, pages, sessions })
  await app.register(purgeForm, { access, pages, notices })

  // The URLs that forms post to: a browser requests them on reload, or from its history.
  for (const form of ['session', 'session/end', 'purge/confirmed']) {
    app.get(`${pagePath}/${form}`, { schema: { hide: true } }, (_request, reply) => reply.redirect(pagePath, 303))
  }
}

export default operatorPage
