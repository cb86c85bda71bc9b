import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Fields } from '../http/fields.js'
import { hostOf } from '../http/request-fields.js'
import { raceTimeout } from '../timeout.js'

/** Milliseconds after which one that has not ended counts as lost: the next request begins another. */
const defaultTimeoutMs = 30_000
/** Milliseconds that closing waits for those under way. */
const closeTimeoutMs = 500

/** Makes responses again that nobody waits for: as requests of their own, through all that a request goes through. */
export class BackgroundRefreshes {
  readonly #app: FastifyInstance
  /** Names what a request of ours is about: a field could be sent by anybody. */
  readonly #current = new AsyncLocalStorage<string>()
  readonly #inFlight = new Map<string, Promise<unknown>>()

  readonly #timeoutMs: number

  constructor(app: FastifyInstance, patienceMs = defaultTimeoutMs) {
    this.#app = app
    this.#timeoutMs = patienceMs
  }

  /** Whether the request under way is one of ours, about this. */
  isCurrent(name: string): boolean {
    return this.#inFlight.size > 0 && this.#current.getStore() === name
  }

  /** Asks again what the request asks, unless that is under way. */
  begin(name: string, request: FastifyRequest, fields: Fields): void {
    if (this.#inFlight.has(name)) return
    const { raw } = request
    const url = request.originalUrl
    const headers = {
      'user-agent': undefined, // so that none is invented where the client has none
      host: hostOf(raw.headers),
      ...Object.fromEntries(
        Object.entries(fields)
          .filter(([field]) => !field.startsWith(':')) // HTTP/2 has the target there
          .map(([field, lines]) => [field, typeof lines === 'string' ? lines : [...lines]]),
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
        clearTimeout(lost)
        this.#forget(name, refresh)
      })
    const lost = setTimeout(() => this.#forget(name, refresh), this.#timeoutMs).unref()
    this.#inFlight.set(name, refresh)
  }

  #forget(name: string, refresh: Promise<unknown>): void {
    if (this.#inFlight.get(name) !== refresh) return
    this.#inFlight.delete(name)
    if (this.#inFlight.size === 0) this.#current.disable() // Node follows every step of the process until then
  }

  /** Waits for those under way, but not for long: a handler may never answer. */
  async close(): Promise<void> {
    await raceTimeout(Promise.all(this.#inFlight.values()), closeTimeoutMs)
  }
}

function done(): void {}

/** Whether `inject` would ask the same: it writes targets in their usual form, and does not go without a host. */
export function canBeRepeated({ originalUrl, raw }: FastifyRequest): boolean {
  if (!originalUrl.startsWith('/') || !hostOf(raw.headers)) return false
  const { pathname, search } = new URL(`http://localhost${originalUrl}`)
  return pathname + search === originalUrl
}
