import type { FastifyInstance } from 'fastify'

/** `client`: panels and lists. `operator`: health, metrics, purges and the operator page. Other routes have none. */
export type Audience = 'client' | 'operator'

declare module 'fastify' {
  interface FastifyContextConfig {
    audience?: Audience
  }
}

/** Marks all routes that are registered in this scope afterwards. */
export function setAudience(app: Pick<FastifyInstance, 'addHook'>, audience: Audience): void {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, audience }
  })
}
