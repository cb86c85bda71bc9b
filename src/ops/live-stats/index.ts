import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Watch } from './watch.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What goes on in this process, second by second; there only where there is an operator who can ask for it. */
    watch: Watch
  }
}

export interface OperationsOptions {
  /** The key prefix, by which our cache names itself in what it tells. */
  readonly cacheName: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Watches what all routes answer; registered before them. */
export default fp(operations, { name: 'operations', fastify: '5.x', dependencies: ['fastify-vitrine/edge'] })

async function operations(app: FastifyInstance, { cacheName, now }: OperationsOptions): Promise<void> {
  const watch = new Watch({ cache: app.cache, edge: app.edge, cacheName, now })
  app.decorate('watch', watch)
  if (app.hasDecorator('redisBreakers')) app.redisBreakers.onChange((isOpen) => watch.breakerChanged(isOpen))
  app.addHook('onResponse', (request, reply, done) => {
    const { url = '' } = request.routeOptions
    if (!isForOperators(url)) watch.answered(reply.elapsedTime, isFromData(url))
    done()
  })
  app.addHook('onClose', async () => watch.close())
}

/** Operators and monitors ask all the time, whatever visitors do. */
function isForOperators(route: string): boolean {
  return route.startsWith('/ops/') || route === '/healthz' || route === '/readyz' || route === '/metrics'
}

function isFromData(route: string): boolean {
  return route === '/' || route.startsWith('/panels/') || route.startsWith('/api/')
}
