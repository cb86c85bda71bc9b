import { setMaxListeners } from 'node:events'

export interface ScopeOptions {
  /** Ends the scope when it aborts, with the same reason. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which the scope ends with a `TimeoutError`. Default: never. */
  readonly timeoutMs?: number
}

/**
 * Runs work under an abort controller of its own, which ends with the given signal, when the time is up, and when the
 * work fails, so that nothing the work began goes on after it. The work has to obey `scope.signal`: it is not left
 * behind.
 *
 * `AbortSignal.any` and `AbortSignal.timeout` would keep a timer for each call until it is due; here nothing stays
 * behind, neither timer nor listener.
 */
export async function withScope<T>(
  { signal, timeoutMs }: ScopeOptions,
  work: (scope: AbortController) => Promise<T>,
): Promise<T> {
  const scope = new AbortController()
  setMaxListeners(0, scope.signal) // as many as there are pages in flight, which is not a leak
  const follow = () => scope.abort(signal?.reason)
  if (signal?.aborted) follow()
  signal?.addEventListener('abort', follow)
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => scope.abort(timeUp(timeoutMs)), timeoutMs)
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

/** Settles as the promise does, or rejects with the signal's reason when that comes first. */
export function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

/** Whether a signal or a call ended because its time was up. */
export function isTimeUp(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

export function timeUp(timeoutMs: number): DOMException {
  return new DOMException(`The time of ${timeoutMs} ms is up`, 'TimeoutError')
}

/** Starts a timer; the function it gives cancels it. */
export type StartTimer = (run: () => void, afterMs: number) => () => void

export const startTimer: StartTimer = (run, afterMs) => {
  const timer = setTimeout(run, afterMs)
  return () => clearTimeout(timer)
}
