import type { FastifyRequest } from 'fastify'
import type { Cache } from '../cache/index.js'
import { Collecting } from './collecting.js'
import { define, negotiated } from './visible-headers.js'

/**
 * What the hooks between `onRequest` and the handler depend on, for a request that is answered in the handler's place: their
 * reads of the cache, and the request fields that they negotiate by. The response may depend on both.
 */
export class HookPhase {
  /** Goes on until the request ends; `undefined` without a cache. */
  readonly collecting: Collecting | undefined
  readonly #headers: FastifyRequest['raw']['headers']
  readonly #chosenBy = new Set<string>()

  constructor({ raw }: FastifyRequest, cache: Cache | undefined) {
    this.collecting = cache && new Collecting(cache)
    this.#headers = raw.headers
    for (const name of negotiated) this.#record(name)
  }

  /** Passes the request on to the hooks. */
  run(pass: () => void): void {
    if (this.collecting === undefined) pass()
    else this.collecting.run(pass)
  }

  /** Ends the recording; gives the names of the fields that were read. */
  end(): ReadonlySet<string> {
    const read = new Set(this.#chosenBy) // the next lines read them all
    for (const name of negotiated) {
      const value = this.#headers[name]
      if (value === undefined) delete this.#headers[name]
      else define(this.#headers, name, value)
    }
    return read
  }

  #record(name: (typeof negotiated)[number]): void {
    let value = this.#headers[name]
    const get = () => {
      this.#chosenBy.add(name)
      return value
    }
    const set = (other: string | undefined) => {
      value = other
    }
    Object.defineProperty(this.#headers, name, { get, set, enumerable: value !== undefined, configurable: true })
  }
}
