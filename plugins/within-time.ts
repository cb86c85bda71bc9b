/** What a promise comes to, where it does so in time. */
export type InTime<T> = { readonly value: T } | undefined

/** Waits for the promise, but no longer than `timeMs`: `undefined` when the time is up. Rejects as the promise does. */
export async function withinTime<T>(promise: Promise<T>, timeMs: number): Promise<InTime<T>> {
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeMs, undefined)
  })
  try {
    return await Promise.race([promise.then((value) => ({ value })), timeUp])
  } finally {
    clearTimeout(timer)
  }
}
