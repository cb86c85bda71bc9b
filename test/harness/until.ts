import { setTimeout as pause } from 'node:timers/promises'

/** No target: the time after which a condition that has not come true never will. */
const deadlineMs = 60_000

/**
 * Checks the condition again and again until it holds. Throws after a minute, with the condition in its message; with a limit of
 * its own, resolves to false after that instead.
 */
export async function until(condition: () => Promise<boolean> | boolean, limitMs?: number): Promise<boolean> {
  const limit = performance.now() + (limitMs ?? deadlineMs)
  while (!(await condition())) {
    if (performance.now() > limit) {
      if (limitMs !== undefined) return false
      throw new Error(`not true within ${deadlineMs} ms: ${condition}`)
    }
    await pause(5)
  }
  return true
}
