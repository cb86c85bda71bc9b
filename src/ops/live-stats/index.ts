import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { LiveStats } from './live-stats.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Statistics for the operator page; registered only where that page exists. */
    liveStats: LiveStats
  }
}

export interface LiveStatsOptions {
  /** Key prefix of the cache, which identifies it in its events. */
  readonly cacheName: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Measures the responses of all routes; register it before them. */
export default fp(liveStats, { name: 'live-stats', fastify: '5.x', dependencies: ['fastify-vitrine/edge'] })

async function liveStats(app: FastifyInstance, { cacheName, now }: LiveStatsOptions): Promise<void> {
  const stats = new LiveStats({ cache: app.cache, edge: app.edge, cacheName, now })
  app.decorate('liveStats', stats)
  if (app.hasDecorator('redisBreakers')) app.redisBreakers.onChange((isOpen) => stats.recordBreakerChange(isOpen))
  app.addHook('onResponse', (request, reply, done) => {
    const { audience } = request.routeOptions.config
    // Monitors poll all the time: they would hide what visitors do.
    if (audience !== 'operator') stats.recordResponse(reply.elapsedTime, audience === 'client')
    done()
  })
  app.addHook('onClose', async () => stats.close())
}
