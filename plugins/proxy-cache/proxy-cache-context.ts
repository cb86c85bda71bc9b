import type { FastifyInstance } from 'fastify'
import { CacheContext, type CacheContextOptions } from '../responses/cache-context.js'
import { SharedResponses } from './shared-responses.js'

/** What the routes of one registration share, with the shared store of `fastify.cache`. */
export class ProxyCacheContext extends CacheContext {
  #shared: SharedResponses | undefined

  constructor(app: FastifyInstance, options: CacheContextOptions) {
    super(app, options)
    app.addHook('onReady', async () => {
      this.#shared = this.dataCache && new SharedResponses(this.dataCache)
    })
  }

  get shared(): SharedResponses | undefined {
    return this.#shared
  }
}
