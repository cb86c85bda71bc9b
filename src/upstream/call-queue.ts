/** Limits how many calls run at one moment. */
export interface CallQueue {
  /**
   * Runs the call once a slot is free, in order of arrival. A call whose signal aborts first leaves the queue at once:
   * it rejects with the reason, and does not run.
   */
  run<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T>
}

export function createCallQueue(slots: number): CallQueue {
  let free = slots
  const waiting = new Set<() => void>() // in order of arrival, and cheap to leave

  return {
    async run(signal, call) {
      await takeSlot(signal)
      try {
        return await call()
      } finally {
        passSlotOn()
      }
    },
  }

  async function takeSlot(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (free > 0) {
      free -= 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      const take = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        waiting.delete(take)
        reject(signal.reason)
      }
      waiting.add(take)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** The slot goes straight to the call that waits longest: a new one cannot take it in between. */
  function passSlotOn(): void {
    const [next] = waiting
    if (next === undefined) {
      free += 1
      return
    }
    waiting.delete(next)
    next()
  }
}
