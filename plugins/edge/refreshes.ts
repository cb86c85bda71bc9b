import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Fields } from './fields.js'

/** Makes responses again that nobody waits for: as requests of their own, through all that a request goes through. */
export class Refreshes {
  readonly #app: FastifyInstance
  /** Names what a request of ours is about: a field could be sent by anybody. */
  readonly #current = new AsyncLocalStorage<string>()
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  /** Whether the request under way is one of ours, about this. */
  isOf(name: string): boolean {
    return this.#underWay.size > 0 && this.#current.getStore() === name
  }

  /** Asks again what the request asks, unless that is under way. */
  begin(name: string, request: FastifyRequest, fields: Fields): void {
    if (this.#underWay.has(name)) return
    const { raw } = request
    const url = request.originalUrl
    const headers = {
      'user-agent': undefined, // so that none is invented where the client has none
      ...Object.fromEntries(
        Object.entries(fields).map(([field, lines]) => [field, typeof lines === 'string' ? lines : [...lines]]),
      ),
    }
    const ask = () =>
      this.#current.run(
        name,
        () =>
          this.#app
            .inject({ method: 'GET', url, headers, remoteAddress: raw.socket.remoteAddress ?? '' })
            .then(done, done), // what went wrong has been said by whoever saw it
      )
    // Not before it is known to be under way: it is asked at once, and would find what is stale as others do.
    const refresh = Promise.resolve()
      .then(ask)
      .finally(() => {
        this.#underWay.delete(name)
        if (this.#underWay.size === 0) this.#current.disable() // Node follows every step of the process until then
      })
    this.#underWay.set(name, refresh)
  }

  /** Waits for those under way. */
  async close(): Promise<void> {
    await Promise.all(this.#underWay.values())
  }
}

function done(): void {}

/** Whether `inject` would ask the same: it writes targets in their usual form, and does not go without a host. */
export function canBeAskedAgain({ originalUrl, raw }: FastifyRequest): boolean {
  if (!originalUrl.startsWith('/') || !raw.headers.host) return false
  const { pathname, search } = new URL(`http://localhost${originalUrl}`)
  return pathname + search === originalUrl
}
