import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import type { Test } from 'tap'

/** Delays that the test ends. */
export interface ControlledDelays {
  /** Delays started so far, including finished ones. */
  readonly started: number
  /** Finishes all pending delays. */
  finish(): void
}

/**
 * Replaces delays of exactly this length that are awaited with `node:timers/promises`, until the test ends. Behaviour after a
 * timeout then does not depend on the speed of the machine.
 */
export function controlDelays(t: Pick<Test, 'teardown'>, delayMs: number): ControlledDelays {
  const { setTimeout: wait } = timers
  const pending = new Set<() => void>()
  let started = 0
  timers.setTimeout = async (ms, value, options) => {
    if (ms !== delayMs) return wait(ms, value, options)
    started += 1
    return new Promise((resolve, reject) => {
      pending.add(() => resolve(value as never)) // the type of Node excludes a missing value
      options?.signal?.addEventListener('abort', () => reject(options.signal?.reason))
    })
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    timers.setTimeout = wait
    syncBuiltinESMExports()
  })
  return {
    get started() {
      return started
    },
    finish() {
      for (const finish of pending) finish()
      pending.clear()
    },
  }
}
