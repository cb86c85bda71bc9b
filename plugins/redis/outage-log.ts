import type { FastifyBaseLogger } from 'fastify'

/** What a governed line carries beside its message. */
export interface Failure {
  /** One word for the reason, from a closed set: what an operator filters by. */
  readonly kind: string
  readonly error?: unknown
  /** What could not be done, as it would be said in a sentence: "the cache reads from the upstream". */
  readonly message: string
  readonly key?: string
}

export interface OutageLogOptions {
  readonly log: FastifyBaseLogger
  /** Who is in trouble, as the recovery line names it. */
  readonly subject: string
  /** Milliseconds between two summaries of the same trouble. */
  readonly summaryEveryMs?: number
  /** Milliseconds without a failure before an outage counts as over, so that flapping is one outage and not many. */
  readonly quietMs?: number
  readonly now?: () => number
  /** Completes a trouble with a reason that its error lacks. Default: none. */
  readonly explain?: (trouble: Failure) => Failure
  /** Kinds that do not pass by themselves: the first of each in an outage is a line at once. Default: none. */
  readonly urgentKinds?: ReadonlySet<string>
}

interface Tally {
  readonly since: number
  skipped: number
  lastLineAt: number
  lastFailureAt: number
  total: number
  sinceLastLine: number
}

/**
 * Turns a flood of failures into a story that can be read at night: the first one at once, then a summary now and
 * then, and one line when it is over. Everything is a warning, the recovery is information; nothing is an error.
 */
export class OutageLog {
  readonly #log: FastifyBaseLogger
  readonly #subject: string
  readonly #summaryEveryMs: number
  readonly #quietMs: number
  readonly #now: () => number
  readonly #explain: (trouble: Failure) => Failure
  readonly #urgentKinds: ReadonlySet<string>
  readonly #incidents = new Map<string, Tally>()
  #outage: { readonly tally: Tally; readonly kinds: Set<string> } | undefined

  constructor({ log, subject, ...options }: OutageLogOptions) {
    this.#log = log
    this.#subject = subject
    this.#summaryEveryMs = options.summaryEveryMs ?? 30_000
    this.#quietMs = options.quietMs ?? 1_000
    this.#now = options.now ?? Date.now
    this.#explain = options.explain ?? ((trouble) => trouble)
    this.#urgentKinds = options.urgentKinds ?? new Set()
  }

  /** Whether an outage has been reported and has not ended yet. */
  get hasOutage(): boolean {
    return this.#outage !== undefined
  }

  /** Reports that the subject as a whole does not work. Why may change in an outage: the next summary tells. */
  failed(reported: Failure): void {
    const trouble = this.#explain(reported)
    const now = this.#now()
    if (this.#outage === undefined) {
      this.#outage = { tally: newTally(now), kinds: new Set([trouble.kind]) }
      this.#warn(trouble)
      return
    }
    const { tally, kinds } = this.#outage
    count(tally, now)
    if (this.#urgentKinds.has(trouble.kind) && !kinds.has(trouble.kind)) this.#warn(trouble)
    kinds.add(trouble.kind)
    this.#summariseWhenDue(trouble, tally, now)
  }

  /** Counts what was not even tried because of the outage. */
  skipped(): void {
    if (this.#outage !== undefined) this.#outage.tally.skipped += 1
  }

  /** Reports a success; ends the outage once there has been no failure for `quietMs`. Costs one comparison otherwise. */
  succeeded(): void {
    if (this.#outage === undefined) return
    const { tally, kinds } = this.#outage
    const now = this.#now()
    if (now - tally.lastFailureAt < this.#quietMs) return
    this.#outage = undefined
    this.#log.info(
      {
        subject: this.#subject,
        kinds: [...kinds],
        failures: tally.total,
        skipped: tally.skipped,
        outageMs: now - tally.since,
      },
      `${this.#subject} works again`,
    )
  }

  /** Reports something wrong with one key or one answer, which says nothing about the subject as a whole. */
  report(trouble: Failure): void {
    const now = this.#now()
    const tally = this.#incidents.get(trouble.kind)
    if (tally === undefined || now - tally.lastFailureAt >= this.#summaryEveryMs) {
      this.#incidents.set(trouble.kind, newTally(now))
      this.#warn(trouble)
      return
    }
    count(tally, now)
    this.#summariseWhenDue(trouble, tally, now)
  }

  #summariseWhenDue(trouble: Failure, tally: Tally, now: number): void {
    if (now - tally.lastLineAt < this.#summaryEveryMs) return
    this.#warn(trouble, { failures: tally.sinceLastLine, skipped: tally.skipped, sinceMs: now - tally.lastLineAt })
    tally.lastLineAt = now
    tally.sinceLastLine = 0
  }

  #warn(
    { kind, error, message, key }: Failure,
    summary?: { failures: number; skipped: number; sinceMs: number },
  ): void {
    this.#log.warn(
      {
        subject: this.#subject,
        kind,
        ...(key === undefined ? {} : { key }),
        ...(error === undefined ? {} : { reason: error instanceof Error ? error.message : String(error) }),
        ...summary,
      },
      message,
    )
  }
}

function newTally(now: number): Tally {
  return { since: now, skipped: 0, lastLineAt: now, lastFailureAt: now, total: 1, sinceLastLine: 0 }
}

function count(tally: Tally, now: number): void {
  tally.total += 1
  tally.sinceLastLine += 1
  tally.lastFailureAt = now
}
