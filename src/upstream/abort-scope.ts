import { setMaxListeners } from 'node:events'

export interface AbortScopeOptions {
  /** Aborts the scope, with the same reason. */
  readonly signal?: AbortSignal | undefined
  /** Aborts the scope with a `TimeoutError`. Default: none. */
  readonly timeoutMs?: number
}

/**
 * Runs work under an abort controller that aborts with the given signal, at the time-out, and when the work fails, so that
 * nothing the work started continues. The work must obey `scope.signal`.
 *
 * `AbortSignal.any` and `AbortSignal.timeout` would hold timers until they are due. Here neither timer nor listener remains.
 */
export async function withAbortScope<T>(
  { signal, timeoutMs }: AbortScopeOptions,
  work: (scope: AbortController) => Promise<T>,
): Promise<T> {
  const scope = new AbortController()
  setMaxListeners(0, scope.signal) // one per page in flight, which is not a leak
  const follow = () => scope.abort(signal?.reason)
  if (signal?.aborted) follow()
  signal?.addEventListener('abort', follow)
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => scope.abort(timeoutError(timeoutMs)), timeoutMs)
  try {
    return await work(scope)
  } catch (error) {
    scope.abort(error)
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', follow)
  }
}

/** Settles as the promise does, or rejects with the signal's reason if it aborts first. */
export function raceAbort<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

export function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

export function timeoutError(timeoutMs: number): DOMException {
  return new DOMException(`Timed out after ${timeoutMs} ms`, 'TimeoutError')
}

/** Starts a timer. Returns a function that cancels it. */
export type StartTimer = (run: () => void, afterMs: number) => () => void

export const startTimer: StartTimer = (run, afterMs) => {
  const timer = setTimeout(run, afterMs)
  return () => clearTimeout(timer)
}
