import type { FastifyInstance } from 'fastify'

/** `none`: not configured. */
export type RedisState = 'up' | 'down' | 'none'

export function redisStateOf(app: FastifyInstance): RedisState {
  if (!app.hasDecorator('redis')) return 'none'
  const isUp = app.redis.status === 'ready' && !app.redisBreakers.isOpen && !app.redisHealth.hasOutage
  return isUp ? 'up' : 'down'
}

/** `undefined` without Redis. */
export function isBreakerOpen(app: FastifyInstance): boolean | undefined {
  return app.hasDecorator('redis') ? app.redisBreakers.isOpen : undefined
}
