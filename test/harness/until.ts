import { setTimeout as pause } from 'node:timers/promises'

/** Not a performance target, but a limit after which a test fails instead of hanging. */
const deadlineMs = 60_000

/**
 * Polls until the condition is true. Rejects after a minute with the condition in the message. With `limitMs` it resolves to
 * false after that time instead.
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
