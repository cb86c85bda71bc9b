import type { FastifyBaseLogger } from 'fastify'

/** A failure as it is logged. */
export interface Failure {
  /** One word for the reason, from a closed set: what an operator filters by. */
  readonly kind: string
  readonly error?: unknown
  /** The log message, such as "redis unavailable, serving from memory". */
  readonly message: string
  readonly key?: string
}

export interface OutageLogOptions {
  readonly log: FastifyBaseLogger
  /** The field `subject` of each line: what fails. */
  readonly subject: string
  /** Message of the line that ends an outage. Default: the subject and "recovered". */
  readonly recoveryMessage?: string
  /** Milliseconds between two summaries. Default 30,000. */
  readonly summaryEveryMs?: number
  /** Milliseconds without a failure after which an outage is over, so that flapping counts as one outage. Default 1,000. */
  readonly quietMs?: number
  readonly now?: () => number
  /** Adds the reason to a failure whose error lacks it. */
  readonly explain?: (failure: Failure) => Failure
  /** Kinds that do not resolve by themselves: the first of each in an outage is logged at once. Default: none. */
  readonly urgentKinds?: ReadonlySet<string>
}

interface OutageCounters {
  readonly since: number
  skipped: number
  lastLineAt: number
  lastFailureAt: number
  failures: number
}

/**
 * Logs an outage in a few lines instead of one line per failure: a warning for the first failure, a summary every
 * `summaryEveryMs` while it lasts, and an info line when it is over.
 */
export class OutageLog {
  readonly #options: Required<OutageLogOptions>
  readonly #reports = new Map<string, OutageCounters>()
  #outage: { readonly counters: OutageCounters; readonly kinds: Set<string> } | undefined

  constructor(options: OutageLogOptions) {
    this.#options = {
      recoveryMessage: `${options.subject} recovered`,
      summaryEveryMs: 30_000,
      quietMs: 1_000,
      now: Date.now,
      explain: (failure) => failure,
      urgentKinds: new Set(),
      ...options,
    }
  }

  /** Whether an outage has been logged and is not over. */
  get hasOutage(): boolean {
    return this.#outage !== undefined
  }

  /** Logs a failure of the subject itself. A new reason within an outage is logged with the next summary. */
  failed(reported: Failure): void {
    const { explain, now: clock, urgentKinds } = this.#options
    const failure = explain(reported)
    const now = clock()
    if (this.#outage === undefined) {
      this.#outage = { counters: newCounters(now), kinds: new Set([failure.kind]) }
      this.#warn(failure)
      return
    }
    const { counters, kinds } = this.#outage
    count(counters, now)
    if (urgentKinds.has(failure.kind) && !kinds.has(failure.kind)) this.#warn(failure)
    kinds.add(failure.kind)
    this.#summarizeWhenDue(failure, counters, now)
  }

  /** Counts a request that was not sent because of the outage. */
  skipped(): void {
    if (this.#outage !== undefined) this.#outage.counters.skipped += 1
  }

  /** Reports a success. Ends the outage if there has been no failure for `quietMs`. */
  succeeded(): void {
    if (this.#outage === undefined) return
    const { counters, kinds } = this.#outage
    const { log, subject, recoveryMessage, quietMs, now: clock } = this.#options
    const now = clock()
    if (now - counters.lastFailureAt < quietMs) return
    this.#outage = undefined
    log.info(
      {
        subject,
        kinds: [...kinds],
        ...totals(counters, now),
      },
      recoveryMessage,
    )
  }

  /** Logs a problem with one key or one response: it is no outage of the subject. */
  report(failure: Failure): void {
    const now = this.#options.now()
    const counters = this.#reports.get(failure.kind)
    if (counters === undefined || now - counters.lastFailureAt >= this.#options.summaryEveryMs) {
      this.#reports.set(failure.kind, newCounters(now))
      this.#warn(failure)
      return
    }
    count(counters, now)
    this.#summarizeWhenDue(failure, counters, now)
  }

  #summarizeWhenDue(failure: Failure, counters: OutageCounters, now: number): void {
    if (now - counters.lastLineAt < this.#options.summaryEveryMs) return
    this.#warn(failure, totals(counters, now))
    counters.lastLineAt = now
  }

  #warn({ kind, error, message, key }: Failure, summary?: ReturnType<typeof totals>): void {
    const { log, subject } = this.#options
    log.warn(
      {
        subject,
        kind,
        ...(key === undefined ? {} : { key }),
        ...(error === undefined ? {} : { reason: error instanceof Error ? error.message : String(error) }),
        ...summary,
      },
      message,
    )
  }
}

function newCounters(now: number): OutageCounters {
  return { since: now, skipped: 0, lastLineAt: now, lastFailureAt: now, failures: 1 }
}

function count(counters: OutageCounters, now: number): void {
  counters.failures += 1
  counters.lastFailureAt = now
}

/** The fields of a summary and of the last line. */
function totals({ failures, skipped, since }: OutageCounters, now: number) {
  return { failures, skipped, outageMs: now - since }
}
