import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'
import cachePage from './cache/index.js'
import { createMetrics } from './metrics.js'
import { createOperatorToken } from './operator-token.js'
import purgeRoute from './purge.js'

const Health = Type.Object({ status: Type.Literal('ok') }, { title: 'Health' })

const Readiness = Type.Object(
  {
    status: Type.Union([Type.Literal('ready'), Type.Literal('degraded')], {
      description: '`degraded` when Redis is away: everything is served, some of it slower.',
    }),
    redis: Type.Union([Type.Literal('up'), Type.Literal('down'), Type.Literal('none')], {
      description: '`none` when the cache was told to keep to memory.',
    }),
  },
  { title: 'Readiness' },
)

export interface OpsOptions {
  /** The key prefix, by which our cache names itself in what it tells. */
  readonly cacheName: string
  /** Without one there is neither a purge route nor an operator page. */
  readonly purgeToken?: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const advisedTokenLength = 16

/** For whatever starts, watches and replaces this process; never limited, never asking a dependency. */
const opsRoutes: FastifyPluginAsyncTypebox<OpsOptions> = async (app, { cacheName, purgeToken, now }) => {
  const config = { rateLimit: false }
  app.get(
    '/healthz',
    { config, schema: { summary: 'Liveness', tags: ['operations'], response: { 200: Health } } },
    async () => ({ status: 'ok' as const }),
  )
  app.get(
    '/readyz',
    { config, schema: { summary: 'Readiness', tags: ['operations'], response: { 200: Readiness } } },
    async () => {
      const redis = redisState()
      return { status: redis === 'down' ? ('degraded' as const) : ('ready' as const), redis }
    },
  )

  const metrics = createMetrics({
    cache: app.cache,
    edge: app.edge,
    cacheName,
    isRedisUp: () => (app.hasDecorator('redis') ? redisState() === 'up' : undefined),
  })
  app.addHook('onClose', async () => metrics.close())
  app.get(
    '/metrics',
    { config, schema: { summary: 'Metrics in the Prometheus text format', tags: ['operations'] } },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  )
  if (purgeToken !== undefined) {
    if (purgeToken.length < advisedTokenLength) app.log.warn('PURGE_TOKEN is short, and can be guessed')
    const token = createOperatorToken(purgeToken)
    await app.register(purgeRoute, { token })
    await app.register(cachePage, { token, watch: app.watch, isBreakerOpen, now })
  }

  function isBreakerOpen(): boolean | undefined {
    return app.hasDecorator('redis') ? app.redisBreakers.isOpen : undefined
  }

  function redisState(): 'up' | 'down' | 'none' {
    if (!app.hasDecorator('redis')) return 'none'
    const isWell = app.redis.status === 'ready' && !app.redisBreakers.isOpen && !app.redisHealth.hasOutage
    return isWell ? 'up' : 'down'
  }
}

export default opsRoutes
