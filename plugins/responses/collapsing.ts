import { setTimeout as sleep } from 'node:timers/promises'
import { ByDigest } from './by-digest.js'
import type { StoredResponse } from './stored-response.js'

/** A request that is with the handler, and that others wait for. */
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

  /** Whether it ended without anybody knowing how it would have gone. */
  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  /** What was kept of the response; `undefined` when it is of no use to others, or takes too long. */
  async outcome(withinMs: number): Promise<StoredResponse | undefined> {
    const time = new AbortController()
    // No reason to stay for a process that is done with everything else.
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

/** Milliseconds for which requests do not wait for one another after a response that could not be kept (hit-for-miss). */
const hitForMissMs = 10_000
const maxHitForMiss = 10_000

/** Requests under way, one for a key: the others wait, unless it has turned out that waiting is of no use. */
export class InFlightRequests {
  readonly #inFlight = new Map<string, InFlightRequest>()
  readonly #hitForMissUntil = new ByDigest<number>(maxHitForMiss)
  readonly #now: () => number

  constructor({ now }: InFlightOptions) {
    this.#now = now
  }

  /** The request to wait for. */
  get(key: string): InFlightRequest | undefined {
    return this.#inFlight.get(key)
  }

  /** Whether the response has turned out not to be for others. */
  isHitForMiss(key: string): boolean {
    return this.#now() < (this.#hitForMissUntil.get(key) ?? 0)
  }

  /** Begins one that others wait for. */
  begin(key: string): InFlightRequest {
    const flight = new InFlightRequest(key)
    this.#inFlight.set(key, flight)
    return flight
  }

  /** Ends it, where there is one: whoever waits goes on. */
  end(flight: InFlightRequest | undefined, stored: StoredResponse | undefined): void {
    if (flight === undefined || flight.isOver) return
    const { name } = flight
    if (this.#inFlight.get(name) === flight) this.#inFlight.delete(name)
    if (stored === undefined) this.#hitForMissUntil.set(name, this.#now() + hitForMissMs)
    else this.#hitForMissUntil.delete(name)
    flight.settle(stored)
  }

  /** Ends it without an answer, because whoever asked has gone away: somebody else is to ask. */
  abandon(flight: InFlightRequest | undefined): void {
    if (flight === undefined || flight.isOver) return
    if (this.#inFlight.get(flight.name) === flight) this.#inFlight.delete(flight.name)
    flight.settle(undefined, true)
  }
}
