export interface BreakerOptions {
  /** Asks whether the server works; rejects, within a time of its own, when it does not. */
  readonly probe: () => Promise<unknown>
  /** Called when there has been no failure for `calmMs`, after some. */
  readonly onCalm?: () => void
  /** Failures in a row that open it. Default 5. */
  readonly failuresInARow?: number
  /** Share of failures that opens it, once there are `samples` in the window. Default 0.5. */
  readonly failureShare?: number
  /** Default 20. */
  readonly samples?: number
  /** Milliseconds over which the share is counted. Default 10,000. */
  readonly windowMs?: number
  /** Milliseconds between two probes at most; up to a quarter of it is jitter. Default 400. */
  readonly probeIntervalMs?: number
  /** Probes in a row that have to succeed before it closes. Default 2. */
  readonly successesToClose?: number
  /** Milliseconds without a failure after which nobody looks any more. Default 1,000. */
  readonly calmMs?: number
  readonly now?: () => number
  /** A number from 0 to 1, for the jitter. */
  readonly random?: () => number
}

/**
 * Leaves a failing server alone: after a few failures nobody asks it any more, and so nobody waits for it.
 *
 * From the first failure on it is probed in the background, so that an outage is noticed, and its end too, without
 * anybody's request. Only probes close the breaker again.
 */
export class Breaker {
  readonly #options: Required<BreakerOptions>
  #isOpen = false
  #failuresInARow = 0
  #window = { endsAt: 0, failures: 0, total: 0 }
  #lastFailureAt = 0
  /** Probes that succeeded since the last failure; `undefined` while nobody looks. */
  #successes: number | undefined
  #timer: NodeJS.Timeout | undefined
  #isProbing = false
  #isStopped = false
  readonly #listeners = new Set<(isOpen: boolean) => void>()

  constructor(options: BreakerOptions) {
    this.#options = {
      onCalm: () => undefined,
      failuresInARow: 5,
      failureShare: 0.5,
      samples: 20,
      windowMs: 10_000,
      probeIntervalMs: 400,
      successesToClose: 2,
      calmMs: 1_000,
      now: () => performance.now(),
      random: Math.random,
      ...options,
    }
  }

  /** Whether requests are to do without the server for now. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Calls back whenever it opens or closes. */
  onChange(listener: (isOpen: boolean) => void): void {
    this.#listeners.add(listener)
  }

  /** Counts a request that the server answered. */
  succeeded(): void {
    if (this.#isOpen) return // a late answer to a question from before
    this.#failuresInARow = 0
    this.#count(0)
  }

  /** Counts a request that the server did not answer in time; opens when that was one too many. */
  failed(): void {
    const { failuresInARow, failureShare, samples } = this.#options
    this.#failuresInARow += 1
    this.#count(1)
    const { failures, total } = this.#window
    const isMostly = total >= samples && failures / total > failureShare
    if (this.#failuresInARow >= failuresInARow || isMostly) this.#turn(true)
    this.#watch()
  }

  /** Opens at once: the connection is gone, or the server says that it will not serve. */
  trip(): void {
    this.#turn(true)
    this.#watch()
  }

  /** Makes the next probe at once, because something says that the server may be back. */
  hurry(): void {
    if (this.#successes === undefined || this.#isProbing || this.#isStopped) return
    clearTimeout(this.#timer)
    this.#probe()
  }

  /** Ends the probing; the breaker stays as it is. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** Ends it for good, because its server has gone: nobody is away any more, whatever late answers say. */
  retire(): void {
    this.stop()
    this.#turn(false)
    this.#listeners.clear()
  }

  #turn(isOpen: boolean): void {
    if (this.#isOpen === isOpen) return
    this.#isOpen = isOpen
    for (const listener of this.#listeners) listener(isOpen)
  }

  #count(failures: 0 | 1): void {
    const now = this.#options.now()
    if (now >= this.#window.endsAt) {
      this.#window = { endsAt: now + this.#options.windowMs, failures: 0, total: 0 }
    }
    this.#window.total += 1
    this.#window.failures += failures
  }

  #watch(): void {
    const isWatched = this.#successes !== undefined
    this.#successes = 0
    this.#lastFailureAt = this.#options.now()
    if (!isWatched) this.#probeLater()
  }

  #probeLater(): void {
    if (this.#isStopped) return
    const { probeIntervalMs, random } = this.#options
    // Once one probe has succeeded the next tells whether that was luck: no reason to stay blind meanwhile.
    const isClosing = this.#isOpen && this.#successes !== 0
    const delayMs = isClosing ? 0 : probeIntervalMs * (1 - random() / 4)
    this.#timer = setTimeout(() => this.#probe(), delayMs)
    this.#timer.unref()
  }

  async #probe(): Promise<void> {
    this.#isProbing = true
    try {
      await this.#options.probe()
      this.#settle()
    } catch {
      this.failed() // whoever made the probe has reported why
    }
    this.#isProbing = false
    if (this.#successes !== undefined) this.#probeLater()
  }

  /** A probe has succeeded: closes after enough of them, and stops looking when it has been calm for long enough. */
  #settle(): void {
    const { successesToClose, calmMs, now, onCalm } = this.#options
    this.#successes = (this.#successes ?? 0) + 1
    if (this.#isOpen && this.#successes >= successesToClose) {
      this.#failuresInARow = 0
      this.#window = { endsAt: 0, failures: 0, total: 0 }
      this.#turn(false)
    }
    if (this.#isOpen || now() - this.#lastFailureAt < calmMs) return
    this.#successes = undefined
    onCalm()
  }
}
