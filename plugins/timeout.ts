/**
 * Runs one command of a server; settles as it does, or rejects when it has not answered after `timeoutMs`. The server may
 * execute the command nevertheless.
 */
export function withTimeout<T>(command: () => Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const expire = () => reject(new Error(`timed out: no answer within ${timeoutMs} ms`))
    // If the event loop of this process was busy, the reply is in the socket already: read it before giving up.
    const timer = setTimeout(() => setImmediate(expire), timeoutMs)
    const answer = (value: T) => {
      clearTimeout(timer)
      resolve(value)
    }
    const fail = (error: unknown) => {
      clearTimeout(timer)
      reject(error)
    }
    try {
      command().then(answer, fail)
    } catch (error) {
      fail(error) // a client may throw synchronously
    }
  })
}

/** The value of a promise that settled in time. */
export type InTime<T> = { readonly value: T } | undefined

/** Waits for the promise, at most `timeoutMs`: `undefined` when that time is over. Rejects as the promise does. */
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
