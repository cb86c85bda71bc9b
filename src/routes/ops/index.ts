import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'

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

/** For whatever starts, watches and replaces this process; never limited, never asking a dependency. */
const opsRoutes: FastifyPluginAsyncTypebox = async (app) => {
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

  function redisState(): 'up' | 'down' | 'none' {
    if (!app.hasDecorator('redis')) return 'none'
    const isWell = app.redis.status === 'ready' && !app.redisBreakers.isOpen && !app.redisGovernor.isTroubled
    return isWell ? 'up' : 'down'
  }
}

export default opsRoutes
