/**
 * Runs one command of a server; settles as it does, or rejects when it has not answered after `timeoutMs`. The server may
 * carry the command out all the same.
 */
export function withinBudget<T>(command: () => Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error(`timed out: no answer within ${timeoutMs} ms`))
    // When it was our own event loop that was busy the reply lies in the socket already: it is read before giving up.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs)
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
      fail(error) // a client that throws at once fails like one that rejects
    }
  })
}
