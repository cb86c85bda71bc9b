import { setTimeout as sleep } from 'node:timers/promises'
import { withAbortScope } from './abort-scope.js'
import { UpstreamUnreachable } from './errors.js'

export interface RequestGroupsOptions {
  /** Milliseconds for a group, with all its calls, retries and delays. */
  readonly deadlineMs: number
  /** Milliseconds that `close()` waits for groups in flight. */
  readonly closeGraceMs: number
}

/** All calls for one list, under one deadline. Times are in milliseconds of `performance.now()`. */
export interface RequestGroup {
  readonly signal: AbortSignal
  readonly startedAt: number
  readonly deadlineAt: number
}

export interface RequestGroups {
  /** Runs work until it settles, its deadline passes, the signal aborts, or `abort()` is called. */
  run<T>(signal: AbortSignal | undefined, work: (group: RequestGroup) => Promise<T>): Promise<T>
  /** Aborts all groups in flight with `UpstreamUnreachable`. */
  abort(): void
  /** Refuses new groups, waits for those in flight up to the grace period, then aborts the rest. */
  close(): Promise<void>
}

export function createRequestGroups({ deadlineMs, closeGraceMs }: RequestGroupsOptions): RequestGroups {
  const inFlight = new Map<AbortController, Promise<unknown>>()
  let isClosed = false

  return {
    async run(signal, work) {
      if (isClosed) throw closedError()
      return withAbortScope({ signal, timeoutMs: deadlineMs }, async (scope) => {
        const startedAt = performance.now()
        const result = work({ signal: scope.signal, startedAt, deadlineAt: startedAt + deadlineMs })
        inFlight.set(scope, result)
        try {
          return await result
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
    for (const scope of inFlight.keys()) scope.abort(closedError())
  }
}

function closedError() {
  return new UpstreamUnreachable('any path', 'the client is closed')
}
