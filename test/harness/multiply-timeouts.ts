/**
 * Multiplies the delay of every timer that this process starts from now on. The timeouts of the plugins are real
 * milliseconds: on a busy machine a healthy Redis may exceed them, and the plugins then do, correctly, something else than
 * the test is about. Delays awaited with `node:timers/promises` are unchanged: `until` polls with them.
 */
export function multiplyTimeouts(factor = 100): void {
  const { setTimeout: start } = globalThis
  const lengthened = (callback: (...values: unknown[]) => void, delayMs = 0, ...values: unknown[]) =>
    start(callback, delayMs * factor, ...values)
  globalThis.setTimeout = Object.assign(lengthened, start)
}
