import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import inject, { type DispatchFunc } from 'light-my-request'
import { type Fields, headerValues } from '../http/fields.js'
import { hostOf } from '../http/request-fields.js'
import { raceTimeout } from '../timeout.js'
import { connectionOf } from './repeated-connection.js'

/** A refresh that has not ended by then counts as lost: the next request begins another one. */
const defaultTimeoutMs = 30_000
/** Closing waits for refreshes in flight so long. */
const closeTimeoutMs = 500

/** Refreshes stale responses in the background, with requests that pass all hooks of the application. */
export class BackgroundRefreshes {
  readonly #app: FastifyInstance
  /** The key that the current request refreshes. A request field would not do: a client could send it. */
  readonly #current = new AsyncLocalStorage<string>()
  readonly #inFlight = new Map<string, Promise<unknown>>()
  readonly #timeoutMs: number
  #isClosing = false

  constructor(app: FastifyInstance, timeoutMs = defaultTimeoutMs) {
    this.#app = app
    this.#timeoutMs = timeoutMs
  }

  /** Whether the current request refreshes the key. */
  isCurrent(name: string): boolean {
    return this.#inFlight.size > 0 && this.#current.getStore() === name
  }

  /**
   * Repeats the request, unless a refresh of the key is in flight or the connection of the request has ended. Calls back when the
   * refresh has ended or is lost.
   */
  begin(name: string, request: FastifyRequest, fields: Fields, onEnd: () => void): void {
    if (this.#inFlight.has(name) || this.#isClosing) return
    const showConnection = connectionOf(request)
    if (showConnection === undefined) return
    const { raw, originalUrl: url } = request
    const headers = {
      'user-agent': undefined, // `inject` would add one
      host: hostOf(raw.headers),
      ...Object.fromEntries(
        Object.entries(fields)
          .filter(([field]) => !field.startsWith(':')) // HTTP/2 has the target there
          .map(([field, lines]) => [field, typeof lines === 'string' ? lines : [...headerValues(lines)]]),
      ),
    }
    const dispatch: DispatchFunc = (repeated, response) => {
      showConnection(repeated)
      response.once('close', () => repeated.socket.destroy())
      this.#app.routing(repeated, response)
    }
    const ask = () => this.#current.run(name, () => inject(dispatch, { method: 'GET', url, headers }).then(done, done)) // the application logs errors
    // Asynchronously, because the request must find the refresh in `#inFlight`.
    const refresh = Promise.resolve()
      .then(ask)
      .finally(() => {
        clearTimeout(lost)
        this.#forget(name, refresh, onEnd)
      })
    const lost = setTimeout(() => this.#forget(name, refresh, onEnd), this.#timeoutMs).unref()
    this.#inFlight.set(name, refresh)
  }

  #forget(name: string, refresh: Promise<unknown>, onEnd: () => void): void {
    if (this.#inFlight.get(name) !== refresh) return
    this.#inFlight.delete(name)
    onEnd()
    if (this.#inFlight.size === 0) this.#current.disable() // an enabled AsyncLocalStorage slows every promise down
  }

  /** Begins no more refreshes. */
  stop(): void {
    this.#isClosing = true
  }

  /** Waits briefly for refreshes in flight: a handler may never answer. */
  async close(): Promise<void> {
    await raceTimeout(Promise.all(this.#inFlight.values()), closeTimeoutMs)
  }
}

function done(): void {}

/** Whether `inject` would send the same request: it normalises targets, and requires a host. */
export function canBeRepeated({ originalUrl, raw }: FastifyRequest): boolean {
  if (!originalUrl.startsWith('/') || !hostOf(raw.headers)) return false
  const { pathname, search } = new URL(`http://localhost${originalUrl}`)
  return pathname + search === originalUrl
}
