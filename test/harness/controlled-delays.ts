import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import type { Test } from 'tap'

/** Delays that end when the test says so. */
export interface ControlledDelays {
  /** Delays that have been begun so far, ended ones included. */
  readonly started: number
  /** Ends those that are being waited for. */
  finish(): void
}

/**
 * Takes over the delays of exactly that length among those awaited with `node:timers/promises`, until the test ends: what is
 * to happen after a timeout then does not depend on the speed of the machine.
 */
export function controlDelays(t: Pick<Test, 'teardown'>, delayMs: number): ControlledDelays {
  const { setTimeout: wait } = timers
  const ends = new Set<() => void>()
  let begun = 0
  timers.setTimeout = async (ms, value, options) => {
    if (ms !== delayMs) return wait(ms, value, options)
    begun += 1
    return new Promise((resolve, reject) => {
      ends.add(() => resolve(value as never)) // Node's type has no value where none is given
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
      return begun
    },
    finish() {
      for (const end of ends) end()
      ends.clear()
    },
  }
}
