import type { FastifyRequest } from 'fastify'
import type { Cache } from '../cache/index.js'
import { HandlerDependencies } from '../responses/handler-dependencies.js'
import { define } from '../responses/request-view.js'
import { negotiationFields } from './mask-request.js'

/**
 * The hooks between `onRequest` and the handler, where the request is answered in the handler's place. The response may depend on
 * what they read from the data cache and on the request fields that they negotiate by: both are recorded.
 */
export class HookPhase {
  /** `undefined` without a data cache. */
  readonly dependencies: HandlerDependencies | undefined
  readonly #headers: FastifyRequest['raw']['headers']
  readonly #negotiatedBy = new Set<string>()

  constructor({ raw }: FastifyRequest, cache: Cache | undefined) {
    this.dependencies = cache && new HandlerDependencies(cache)
    this.#headers = raw.headers
    for (const name of negotiationFields) this.#record(name)
  }

  /** Runs the hooks. */
  run(next: () => void): void {
    if (this.dependencies === undefined) next()
    else this.dependencies.run(next)
  }

  /** Ends the recording; gives the names of the fields that were read. */
  end(): ReadonlySet<string> {
    const negotiatedBy = new Set(this.#negotiatedBy) // the next lines read them all
    for (const name of negotiationFields) {
      const value = this.#headers[name]
      if (value === undefined) delete this.#headers[name]
      else define(this.#headers, name, value)
    }
    return negotiatedBy
  }

  #record(name: (typeof negotiationFields)[number]): void {
    let value = this.#headers[name]
    const get = () => {
      this.#negotiatedBy.add(name)
      return value
    }
    const set = (other: string | undefined) => {
      value = other
    }
    Object.defineProperty(this.#headers, name, { get, set, enumerable: value !== undefined, configurable: true })
  }
}
