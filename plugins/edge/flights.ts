import { LRUCache } from 'lru-cache'
import { withinTime } from '../within-time.js'
import type { StoredResponse } from './stored-response.js'

/** A request that is with the handler, and that others wait for. */
export class Flight {
  readonly #outcome: Promise<StoredResponse | undefined>
  #resolve: (stored: StoredResponse | undefined) => void = () => undefined
  #isOver = false
  #isAbandoned = false

  constructor() {
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
    return (await withinTime(this.#outcome, withinMs))?.value
  }

  land(stored: StoredResponse | undefined, isAbandoned = false): void {
    this.#isOver = true
    this.#isAbandoned = isAbandoned
    this.#resolve(stored)
  }
}

export interface FlightsOptions {
  readonly now: () => number
}

/** Milliseconds for which requests do not wait for one another after a response that could not be kept (hit-for-miss). */
const passMs = 10_000
const maxPassed = 10_000

/** Requests under way, one for a key: the others wait, unless it has turned out that waiting is of no use. */
export class Flights {
  readonly #underWay = new Map<string, Flight>()
  readonly #passedUntil = new LRUCache<string, number>({ max: maxPassed })
  readonly #now: () => number

  constructor({ now }: FlightsOptions) {
    this.#now = now
  }

  /** The request to wait for. */
  get(key: string): Flight | undefined {
    return this.#underWay.get(key)
  }

  /** Whether the response has turned out not to be for others. */
  isPassed(key: string): boolean {
    return this.#now() < (this.#passedUntil.get(key) ?? 0)
  }

  /** Begins one that others wait for. */
  begin(key: string): Flight {
    const flight = new Flight()
    this.#underWay.set(key, flight)
    return flight
  }

  /** Ends it: whoever waits goes on. */
  end(key: string, flight: Flight, stored: StoredResponse | undefined): void {
    if (flight.isOver) return
    if (this.#underWay.get(key) === flight) this.#underWay.delete(key)
    if (stored === undefined) this.#passedUntil.set(key, this.#now() + passMs)
    else this.#passedUntil.delete(key)
    flight.land(stored)
  }

  /** Ends it without an answer, because whoever asked has gone away: somebody else is to ask. */
  abandon(key: string, flight: Flight): void {
    if (flight.isOver) return
    if (this.#underWay.get(key) === flight) this.#underWay.delete(key)
    flight.land(undefined, true)
  }
}
