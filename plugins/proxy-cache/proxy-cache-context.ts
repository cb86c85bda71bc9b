import type { FastifyInstance } from 'fastify'
import { CacheContext, type CacheContextOptions } from '../responses/cache-context.js'
import { dataCacheIn } from '../responses/data-cache.js'
import { effectiveOriginOf } from '../responses/target-key.js'
import { SharedResponses } from './shared-responses.js'

/** What the routes of one registration share, with the shared store of `fastify.cache`. */
export class ProxyCacheContext extends CacheContext {
  /** Whether a route has `shared: true`. */
  hasSharedRoutes = false
  override readonly originOf = effectiveOriginOf
  /** The other server decides. */
  override readonly personalFields = () => ({})
  #shared: SharedResponses | undefined

  constructor(app: FastifyInstance, options: CacheContextOptions) {
    super(app, options)
    app.addHook('onReady', async () => {
      const dataCache = dataCacheIn(app)
      if (dataCache !== undefined && dataCache.stats().coherence !== 'memory-only') {
        this.#shared = new SharedResponses(dataCache, this.log)
      } else if (this.hasSharedRoutes) {
        this.log.warn(
          { kind: 'proxy-cache' },
          'shared: true has no effect: register fastify-vitrine/redis and fastify-vitrine/cache before proxy-cache',
        )
      }
    })
  }

  /** `undefined` until the application is ready, and without a shared store. */
  get shared(): SharedResponses | undefined {
    return this.#shared
  }
}
