import type { FastifyPluginAsync } from 'fastify'
import { setAudience } from '../http/audience.js'
import operatorPage from './cache/index.js'
import monitoringRoutes from './monitoring.js'
import { createOperatorToken } from './operator-token.js'
import purgeRoute from './purge.js'
import { isBreakerOpen, redisStateOf } from './redis-state.js'
import { checkBearerTokens, createTokenCheck } from './token-check.js'

export interface OpsOptions {
  /** Key prefix of the cache, which identifies it in its events. */
  readonly cacheName: string
  /** Invalid dates that the upstream has sent. */
  readonly invalidDates: () => number
  /** Without it there is no purge route and no operator page. */
  readonly purgeToken?: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const minTokenLength = 16

/** Routes for monitors and operators. */
const opsRoutes: FastifyPluginAsync<OpsOptions> = async (app, options) => {
  const { cacheName, invalidDates, purgeToken, now } = options
  setAudience(app, 'operator')
  await app.register(monitoringRoutes, { cacheName, invalidDates, redisState: () => redisStateOf(app) })
  if (purgeToken === undefined) return
  if (purgeToken.length < minTokenLength) app.log.warn(`PURGE_TOKEN should have at least ${minTokenLength} characters`)
  const token = await createOperatorToken(purgeToken)
  const checkToken = createTokenCheck(token, () => performance.now())
  // In a scope of its own: a hook of this one would also run for monitors, which may send other tokens.
  await app.register(async (scope) => {
    checkBearerTokens(scope, checkToken)
    await scope.register(purgeRoute)
    await scope.register(operatorPage, {
      token,
      checkToken,
      liveStats: app.liveStats,
      isBreakerOpen: () => isBreakerOpen(app),
      now,
    })
  })
}

export default opsRoutes
