import type { FastifyRequest } from 'fastify'
import type { Cache } from '../cache/index.js'
import { HandlerDependencies } from '../responses/handler-dependencies.js'
import { show } from '../responses/request-view.js'
import { negotiationFields, observeNegotiation } from './negotiation.js'

/**
 * The hooks between `onRequest` and the handler, where the request is answered in the handler's place. The response may depend on
 * what they read from the data cache and on the request fields that they negotiate by: both are recorded.
 */
export class HookPhase {
  /** `undefined` without a data cache. */
  readonly dependencies: HandlerDependencies | undefined
  readonly #raw: FastifyRequest['raw']
  readonly #original: PropertyDescriptor | undefined
  readonly #observed: FastifyRequest['raw']['headers']
  readonly #negotiatedBy = new Set<string>()

  constructor({ raw }: FastifyRequest, cache: Cache | undefined) {
    this.dependencies = cache && new HandlerDependencies(cache)
    this.#raw = raw
    this.#original = Object.getOwnPropertyDescriptor(raw, 'headers')
    const onRead = (name: string) => this.#negotiatedBy.add(name)
    this.#observed = observeNegotiation(raw.headers, negotiationFields, onRead, { reportsAssigned: true })
    show(raw, { headers: this.#observed })
  }

  /** Runs the hooks. */
  run(next: () => void): void {
    if (this.dependencies === undefined) next()
    else this.dependencies.run(next)
  }

  /** Ends the recording; gives the names of the fields that were read. */
  end(): ReadonlySet<string> {
    if (this.#raw.headers !== this.#observed) return this.#negotiatedBy // a hook has replaced them
    if (this.#original === undefined) Reflect.deleteProperty(this.#raw, 'headers')
    else Object.defineProperty(this.#raw, 'headers', this.#original)
    return this.#negotiatedBy
  }
}
