import { setTimeout as sleep } from 'node:timers/promises'
import { DigestMap } from './digest-map.js'
import type { StoredResponse } from './stored-response.js'

/** A request that the handler answers, and that collapsed requests wait for. */
export class InFlightRequest {
  readonly name: string
  readonly #outcome: Promise<StoredResponse | undefined>
  #resolve: (stored: StoredResponse | undefined) => void = () => undefined
  #isOver = false
  #isAbandoned = false

  constructor(name: string) {
    this.name = name
    this.#outcome = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Whether it ended without a response that says anything of the others. */
  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  /** The stored response; `undefined` if it was not stored, or not in time. */
  async outcome(withinMs: number): Promise<StoredResponse | undefined> {
    const time = new AbortController()
    // An unreferenced timer does not keep the process running.
    const timeUp = sleep(withinMs, undefined, { ref: false, signal: time.signal }).catch(() => undefined)
    const outcome = await Promise.race([this.#outcome, timeUp])
    time.abort()
    return outcome
  }

  settle(stored: StoredResponse | undefined, isAbandoned = false): void {
    this.#isOver = true
    this.#isAbandoned = isAbandoned
    this.#resolve(stored)
  }
}

export interface InFlightOptions {
  readonly now: () => number
}

/** Requests do not wait for one another so long after a response that could not be stored (hit-for-miss). */
const hitForMissMs = 10_000
const maxHitForMiss = 10_000

/** Requests in flight, one for each key. */
export class InFlightRequests {
  readonly #inFlight = new Map<string, InFlightRequest>()
  readonly #hitForMissUntil = new DigestMap<number>(maxHitForMiss)
  readonly #now: () => number

  constructor({ now }: InFlightOptions) {
    this.#now = now
  }

  /** The request to wait for. */
  get(key: string): InFlightRequest | undefined {
    return this.#inFlight.get(key)
  }

  /** Whether the last response could not be stored, so that waiting would be of no use. */
  isHitForMiss(key: string): boolean {
    return this.#now() < (this.#hitForMissUntil.get(key) ?? 0)
  }

  begin(key: string): InFlightRequest {
    const request = new InFlightRequest(key)
    this.#inFlight.set(key, request)
    return request
  }

  /** Ends the request, if there is one: the collapsed requests receive the response. */
  end(request: InFlightRequest | undefined, stored: StoredResponse | undefined): void {
    if (request === undefined || request.isOver) return
    const { name } = request
    if (this.#inFlight.get(name) === request) this.#inFlight.delete(name)
    if (stored === undefined) this.#hitForMissUntil.set(name, this.#now() + hitForMissMs)
    else this.#hitForMissUntil.delete(name)
    request.settle(stored)
  }

  /** Ends the request without a response that says anything of the others, as when its client has left: one of them is forwarded next. */
  abandon(request: InFlightRequest | undefined): void {
    if (request === undefined || request.isOver) return
    if (this.#inFlight.get(request.name) === request) this.#inFlight.delete(request.name)
    request.settle(undefined, true)
  }
}
