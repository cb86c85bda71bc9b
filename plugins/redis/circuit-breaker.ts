export interface CircuitBreakerOptions {
  /** Checks whether the server answers. Rejects, within a time-out of its own, if it does not. */
  readonly probe: () => Promise<unknown>
  /** Called once after a failure, when there has been none for `stableAfterMs`. */
  readonly onStable?: () => void
  /** Consecutive failures that open the breaker. Default 5. */
  readonly failureThreshold?: number
  /** Share of failures in the window that opens the breaker, from `minSamples` requests on. Default 0.5. */
  readonly failureRateThreshold?: number
  /** Default 20. */
  readonly minSamples?: number
  /** Length of the window in milliseconds. Default 10,000. */
  readonly windowMs?: number
  /** Maximum milliseconds between two probes; up to a quarter is subtracted as jitter. Default 400. */
  readonly probeIntervalMs?: number
  /** Consecutive successful probes that close the breaker. Default 2. */
  readonly successThreshold?: number
  /** Milliseconds without a failure after which probing stops. Default 1,000. */
  readonly stableAfterMs?: number
  readonly now?: () => number
  /** A number from 0 to 1, for the jitter. */
  readonly random?: () => number
}

/**
 * Stops requests to a failing server, so that no caller waits for it.
 *
 * From the first failure on, the server is probed in the background: the breaker opens and closes without the help of
 * requests. Only probes close it.
 */
export class CircuitBreaker {
  readonly #options: Required<CircuitBreakerOptions>
  #isOpen = false
  #consecutiveFailures = 0
  #window = { endsAt: 0, failures: 0, total: 0 }
  #lastFailureAt = 0
  /** Successful probes since the last failure; `undefined` while there is no probing. */
  #probeSuccesses: number | undefined
  #timer: NodeJS.Timeout | undefined
  #isProbing = false
  #isStopped = false
  readonly #listeners = new Set<(isOpen: boolean) => void>()

  constructor(options: CircuitBreakerOptions) {
    this.#options = {
      onStable: () => undefined,
      failureThreshold: 5,
      failureRateThreshold: 0.5,
      minSamples: 20,
      windowMs: 10_000,
      probeIntervalMs: 400,
      successThreshold: 2,
      stableAfterMs: 1_000,
      now: () => performance.now(),
      random: Math.random,
      ...options,
    }
  }

  /** Whether requests must not be sent. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Calls `listener` each time the breaker opens or closes. */
  onChange(listener: (isOpen: boolean) => void): void {
    this.#listeners.add(listener)
  }

  /** Counts a request that the server answered. */
  succeeded(): void {
    if (this.#isOpen) return // a late reply to a request from before
    this.#consecutiveFailures = 0
    this.#count(0)
  }

  /** Counts a request that the server did not answer in time. Opens the breaker at a threshold. */
  failed(): void {
    const { failureThreshold, failureRateThreshold, minSamples } = this.#options
    this.#consecutiveFailures += 1
    this.#count(1)
    const { failures, total } = this.#window
    const isRateExceeded = total >= minSamples && failures / total > failureRateThreshold
    if (this.#consecutiveFailures >= failureThreshold || isRateExceeded) this.#setOpen(true)
    this.#startProbing()
  }

  /** Opens at once: the connection is lost, or the server refuses to serve. */
  trip(): void {
    this.#setOpen(true)
    this.#startProbing()
  }

  /** Probes at once instead of at the next interval: something indicates that the server is back. */
  probeNow(): void {
    if (this.#probeSuccesses === undefined || this.#isProbing || this.#isStopped) return
    clearTimeout(this.#timer)
    this.#probe()
  }

  /** Stops probing. The breaker stays open or closed. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** Closes for good, because its server has been removed: late replies no longer count. */
  retire(): void {
    this.stop()
    this.#setOpen(false)
    this.#listeners.clear()
  }

  #setOpen(isOpen: boolean): void {
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

  #startProbing(): void {
    const isStarted = this.#probeSuccesses !== undefined
    this.#probeSuccesses = 0
    this.#lastFailureAt = this.#options.now()
    if (!isStarted) this.#scheduleProbe()
  }

  #scheduleProbe(): void {
    if (this.#isStopped) return
    const { probeIntervalMs, random } = this.#options
    // After one successful probe the second one follows at once, so that the breaker does not stay open needlessly.
    const isClosing = this.#isOpen && this.#probeSuccesses !== 0
    const delayMs = isClosing ? 0 : probeIntervalMs * (1 - random() / 4)
    this.#timer = setTimeout(() => this.#probe(), delayMs)
    this.#timer.unref()
  }

  async #probe(): Promise<void> {
    this.#isProbing = true
    try {
      await this.#options.probe()
      this.#probeSucceeded()
    } catch {
      this.failed() // `probe` reports the error itself
    }
    this.#isProbing = false
    if (this.#probeSuccesses !== undefined) this.#scheduleProbe()
  }

  #probeSucceeded(): void {
    const { successThreshold, stableAfterMs, now, onStable } = this.#options
    this.#probeSuccesses = (this.#probeSuccesses ?? 0) + 1
    if (this.#isOpen && this.#probeSuccesses >= successThreshold) {
      this.#consecutiveFailures = 0
      this.#window = { endsAt: 0, failures: 0, total: 0 }
      this.#setOpen(false)
    }
    if (this.#isOpen || now() - this.#lastFailureAt < stableAfterMs) return
    this.#probeSuccesses = undefined
    onStable()
  }
}
