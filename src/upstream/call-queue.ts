/** Limits the number of concurrent calls. */
export interface CallQueue {
  /**
   * Runs the call once a slot is free, in order of arrival. A call whose signal aborts first leaves the queue: it rejects
   * with the reason and does not run.
   */
  run<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T>
}

export function createCallQueue(slots: number): CallQueue {
  let free = slots
  const waiting = new Set<() => void>() // in order of arrival; deletion is cheap

  return {
    async run(signal, call) {
      await acquireSlot(signal)
      try {
        return await call()
      } finally {
        releaseSlot()
      }
    },
  }

  async function acquireSlot(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (free > 0) {
      free -= 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        waiting.delete(start)
        reject(signal.reason)
      }
      waiting.add(start)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** Hands the slot to the first waiting call, so that a new call cannot take it in between. */
  function releaseSlot(): void {
    const [next] = waiting
    if (next === undefined) {
      free += 1
      return
    }
    waiting.delete(next)
    next()
  }
}
