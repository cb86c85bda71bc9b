/** Waits for the promise, but no longer than `timeMs`; tells whether it was fulfilled by then. Never rejects. */
export async function withinTime(promise: Promise<unknown>, timeMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, timeMs, false)
  })
  const fulfilled = promise.then(
    () => true,
    () => false,
  )
  const inTime = await Promise.race([fulfilled, timeUp])
  clearTimeout(timer)
  return inTime
}
