/** A reading of the server's clock; the other two are local milliseconds. */
export interface ClockSample {
  readonly serverMs: number
  readonly askedAt: number
  readonly answeredAt: number
}

/** A smaller change of the offset is attributed to the network. */
const toleranceMs = 10
/** A stamp further in the future comes from a wrong clock. */
const maxAheadMs = 60_000

interface CacheClockOptions {
  /** False: the clock is not synchronised with the server's, as for a test's own clock. */
  readonly isCorrected: boolean
  /** Milliseconds of a clock that is never set. Default `performance.now`. */
  readonly monotonicNow?: () => number
  /** Default `Math.random`. */
  readonly random?: () => number
}

/**
 * Local milliseconds for lifetimes, and stamps for order: a hybrid logical clock.
 *
 * A stamp is an integer of microseconds on the shared store's clock and says when a load or a purge started. Each stamp
 * is later than all stamps that the process has issued or observed: whatever follows a purge is never ordered before
 * it, however the clocks differ.
 */
export class CacheClock {
  readonly #now: () => number
  readonly #monotonicNow: () => number
  readonly #isCorrected: boolean
  #offsetMs = 0
  #uncertaintyMs = 0
  #isSynced: boolean
  #lastStamp = 0
  /** Random microseconds that distinguish stamps of several processes in the same millisecond. */
  readonly #processMicros: number

  constructor(now: () => number, options: CacheClockOptions) {
    const { isCorrected, monotonicNow = () => performance.now(), random = Math.random } = options
    this.#now = now
    this.#monotonicNow = monotonicNow
    this.#isCorrected = isCorrected
    this.#isSynced = !isCorrected
    this.#processMicros = isCorrected ? Math.floor(random() * 900) : 0
  }

  /** Local milliseconds since the epoch. */
  now(): number {
    return this.#now()
  }

  /** For durations within this process. */
  monotonicNow(): number {
    return this.#monotonicNow()
  }

  /** Local milliseconds plus this are the shared store's. */
  get offsetMs(): number {
    return this.#offsetMs
  }

  /** Whether the shared store's time is known, so that stamps of other processes can be judged. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  /** Stamp of a load or a write that starts now. */
  loadStamp(): number {
    return this.#issue(Math.floor(this.now() + this.#offsetMs) * 1_000 + this.#processMicros)
  }

  /** Stamp of a purge that happens now: later than any load that may have started before it in any process. */
  purgeStamp(): number {
    return this.#issue(Math.ceil(this.now() + this.#offsetMs + this.#uncertaintyMs) * 1_000 + 999)
  }

  /** Records a stamp of another process: stamps issued from now on are later. */
  observe(stamp: number): void {
    if (stamp > this.#lastStamp && stamp <= this.maxTrustedStamp) this.#lastStamp = stamp
  }

  /** Later stamps are not trusted: one from the far future would move all stamps of all processes there. */
  get maxTrustedStamp(): number {
    return Math.floor(this.now() + this.#offsetMs + maxAheadMs) * 1_000
  }

  /** Local milliseconds of a stamp; never in the future. */
  toLocalMs(stamp: number): number {
    return Math.min(Math.floor(stamp / 1_000) - this.#offsetMs, this.now())
  }

  /** Adopts the server's time; returns by how many microseconds the stamps issued before must be moved, usually 0. */
  sync({ serverMs, askedAt, answeredAt }: ClockSample): number {
    if (!this.#isCorrected) return 0
    const roundTripMs = Math.max(0, answeredAt - askedAt)
    const offsetMs = Math.round(serverMs - (askedAt + roundTripMs / 2))
    const movedMs = offsetMs - this.#offsetMs
    this.#isSynced = true
    this.#uncertaintyMs = Math.ceil(roundTripMs / 2) + toleranceMs
    if (Math.abs(movedMs) <= this.#uncertaintyMs) return 0
    this.#offsetMs = offsetMs
    this.#lastStamp = 0 // it was based on the old offset
    return movedMs * 1_000
  }

  #issue(stamp: number): number {
    this.#lastStamp = Math.max(stamp, this.#lastStamp + 1)
    return this.#lastStamp
  }
}
