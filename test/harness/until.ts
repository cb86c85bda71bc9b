import { setTimeout as pause } from 'node:timers/promises'

/** Looks again and again until the condition holds; false when it does not within a time that is no target. */
export async function until(condition: () => Promise<boolean> | boolean, limitMs = 20_000): Promise<boolean> {
  const limit = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > limit) return false
    await pause(5)
  }
  return true
}
