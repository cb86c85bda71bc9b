import { setTimeout as sleep } from 'node:timers/promises'
import { UpstreamUnreachable } from './errors.js'
import { withScope } from './scope.js'

export interface LoadsOptions {
  /** Milliseconds that a whole load may take, with all its calls, retries and pauses. */
  readonly deadlineMs: number
  /** Milliseconds that closing waits for the loads in flight. */
  readonly closeGraceMs: number
}

/** What a load runs under. */
export interface Load {
  readonly signal: AbortSignal
  /** When it began, in milliseconds of `performance.now()`. */
  readonly beganAt: number
  /** When it has to be done, in milliseconds of `performance.now()`. */
  readonly endsAt: number
}

/** The loads in flight: each with its deadline, all of them with one end. */
export interface Loads {
  /** Runs one load until it is done, its deadline passes, the given signal aborts or the loads are called off. */
  run<T>(signal: AbortSignal | undefined, work: (load: Load) => Promise<T>): Promise<T>
  /** Ends all loads in flight, with `UpstreamUnreachable`. */
  abort(): void
  /** Refuses new loads, waits for those in flight as long as the grace lasts, then ends what is left. */
  close(): Promise<void>
}

export function createLoads({ deadlineMs, closeGraceMs }: LoadsOptions): Loads {
  const inFlight = new Map<AbortController, Promise<unknown>>()
  let isClosed = false

  return {
    async run(signal, work) {
      if (isClosed) throw closing()
      return withScope({ signal, timeoutMs: deadlineMs }, async (scope) => {
        const beganAt = performance.now()
        const loaded = work({ signal: scope.signal, beganAt, endsAt: beganAt + deadlineMs })
        inFlight.set(scope, loaded)
        try {
          return await loaded
        } finally {
          inFlight.delete(scope)
        }
      })
    },
    abort,
    async close() {
      isClosed = true
      const graceOver = new AbortController()
      const settled = Promise.allSettled(inFlight.values())
      await Promise.race([settled, sleep(closeGraceMs, undefined, { signal: graceOver.signal })])
      graceOver.abort()
      abort()
      await settled
    },
  }

  function abort(): void {
    for (const load of inFlight.keys()) load.abort(closing())
  }
}

function closing() {
  return new UpstreamUnreachable('anything more', 'this client is closing')
}
