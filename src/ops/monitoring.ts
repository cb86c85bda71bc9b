import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'
import { handleErrors, sendProblemJson } from '../http/error-handler.js'
import { createMetrics } from './metrics.js'
import type { RedisState } from './redis-state.js'

const Health = Type.Object({ status: Type.Literal('ok') }, { title: 'Health' })

const Readiness = Type.Object(
  {
    status: Type.Union([Type.Literal('ready'), Type.Literal('degraded')], {
      description: '`degraded` when Redis is unavailable: everything is still served, possibly slower.',
    }),
    redis: Type.Union([Type.Literal('up'), Type.Literal('down'), Type.Literal('none')], {
      description: '`none` when Redis is not configured.',
    }),
  },
  { title: 'Readiness' },
)

export interface MonitoringOptions {
  readonly cacheName: string
  readonly invalidDates: () => number
  readonly redisState: () => RedisState
}

/** Health, readiness and metrics: without rate limit, and without requests to dependencies. */
const monitoringRoutes: FastifyPluginAsyncTypebox<MonitoringOptions> = async (app, options) => {
  const { cacheName, invalidDates, redisState } = options
  handleErrors(app, sendProblemJson)
  const config = { rateLimit: false }
  const tags = ['operations']
  app.get('/healthz', { config, schema: { summary: 'Liveness', tags, response: { 200: Health } } }, async () => ({
    status: 'ok' as const,
  }))
  app.get('/readyz', { config, schema: { summary: 'Readiness', tags, response: { 200: Readiness } } }, async () => {
    const redis = redisState()
    return { status: redis === 'down' ? ('degraded' as const) : ('ready' as const), redis }
  })

  const metrics = createMetrics({
    cache: app.cache,
    edge: app.edge,
    cacheName,
    invalidDates,
    isRedisUp: () => (redisState() === 'none' ? undefined : redisState() === 'up'),
  })
  app.addHook('onClose', async () => metrics.close())
  app.get(
    '/metrics',
    { config, schema: { summary: 'Metrics in the Prometheus text format', tags } },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  )
}

export default monitoringRoutes
