/** What the server's clock said, and when we asked, in our own milliseconds. */
export interface ClockSample {
  readonly serverMs: number
  readonly askedAt: number
  readonly answeredAt: number
}

/** A change of the offset smaller than this is the network's doing and not a clock's. */
const toleranceMs = 10
/** A stamp further ahead than this was given by a clock that nobody can go by. */
const mostAheadMs = 60_000

/**
 * Time as the cache sees it: milliseconds of this process for lifetimes, and stamps for order.
 *
 * A stamp is an integer of microseconds on the shared store's clock and says when a load or a purge began. No two stamps of one
 * process are the same, and each is later than any stamp it has heard of, so that what was caused by a purge is never
 * taken for something older, however the clocks differ (a hybrid logical clock).
 */
export class CacheClock {
  readonly #now: () => number
  readonly #isCorrected: boolean
  #offsetMs = 0
  #uncertaintyMs = 0
  #isSure: boolean
  #last = 0
  /** Microseconds that tell our stamps from those of another process in the same millisecond. */
  readonly #own: number

  /** Without `isCorrected` the clock is taken at its word: a test's own clock has nothing to do with the server's. */
  constructor(now: () => number, { isCorrected }: { isCorrected: boolean }) {
    this.#now = now
    this.#isCorrected = isCorrected
    this.#isSure = !isCorrected
    this.#own = isCorrected ? Math.floor(Math.random() * 900) : 0
  }

  /** Milliseconds since the epoch, as this process has them. */
  now(): number {
    return this.#now()
  }

  /** Milliseconds to add to our time to have the shared store's. */
  get offsetMs(): number {
    return this.#offsetMs
  }

  /** Whether the shared store's time is known, so that others' stamps can be judged by it. */
  get isSure(): boolean {
    return this.#isSure
  }

  /** Stamp of a load or a write that begins now. */
  loadStamp(): number {
    return this.#issue(Math.floor(this.now() + this.#offsetMs) * 1_000 + this.#own)
  }

  /** Stamp of a purge that happens now: later than any load that can have begun before it anywhere. */
  purgeStamp(): number {
    return this.#issue(Math.ceil(this.now() + this.#offsetMs + this.#uncertaintyMs) * 1_000 + 999)
  }

  /** Takes note of a stamp that somebody else gave. */
  observe(stamp: number): void {
    if (stamp > this.#last && stamp <= this.latest) this.#last = stamp
  }

  /** The latest stamp that is believed: a single one from far ahead would put every later stamp of every process there. */
  get latest(): number {
    return Math.floor(this.now() + this.#offsetMs + mostAheadMs) * 1_000
  }

  /** The instant of a stamp in our own milliseconds; never in the future. */
  instantOf(stamp: number): number {
    return Math.min(Math.floor(stamp / 1_000) - this.#offsetMs, this.now())
  }

  /** Learns the server's time; gives the microseconds by which stamps given before are to be moved, most often 0. */
  learn({ serverMs, askedAt, answeredAt }: ClockSample): number {
    if (!this.#isCorrected) return 0
    const roundTripMs = Math.max(0, answeredAt - askedAt)
    const offsetMs = Math.round(serverMs - (askedAt + roundTripMs / 2))
    const movedMs = offsetMs - this.#offsetMs
    this.#isSure = true
    this.#uncertaintyMs = Math.ceil(roundTripMs / 2) + toleranceMs
    if (Math.abs(movedMs) <= this.#uncertaintyMs) return 0
    this.#offsetMs = offsetMs
    this.#last = 0 // what it was made of has moved
    return movedMs * 1_000
  }

  #issue(stamp: number): number {
    this.#last = Math.max(stamp, this.#last + 1)
    return this.#last
  }
}
