/** An operation did not end within its time-out. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/**
 * Runs one command of a server. Settles as the command does, or rejects with a `TimeoutError` after `timeoutMs`. The
 * server may still execute the command.
 */
export function withTimeout<T>(command: () => Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const expire = () => reject(new TimeoutError(`no answer within ${timeoutMs} ms`))
    // After a busy event loop the reply may be in the socket already: setImmediate lets it be read first.
    const timer = setTimeout(() => setImmediate(expire), timeoutMs)
    const succeed = (value: T) => {
      clearTimeout(timer)
      resolve(value)
    }
    const fail = (error: unknown) => {
      clearTimeout(timer)
      reject(error)
    }
    try {
      command().then(succeed, fail)
    } catch (error) {
      fail(error) // a client may throw synchronously
    }
  })
}

/** The value of a promise that settled in time. */
export type InTime<T> = { readonly value: T } | undefined

/** Waits for the promise for at most `timeoutMs`; `undefined` after that. Rejects if the promise rejects. */
export async function raceTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<InTime<T>> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined)
  })
  try {
    return await Promise.race([promise.then((value) => ({ value })), expired])
  } finally {
    clearTimeout(timer)
  }
}
