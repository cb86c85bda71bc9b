/**
 * Multiplies the delay of every later timer of this process. On a busy machine a healthy Redis may exceed the timeouts of the
 * plugins, and the plugins then correctly behave differently from what the test is about. Delays awaited with
 * `node:timers/promises` are unchanged, as `until` polls with them.
 */
export function multiplyTimeouts(factor = 100): void {
  const { setTimeout: start } = globalThis
  const multiplied = (callback: (...values: unknown[]) => void, delayMs = 0, ...values: unknown[]) =>
    start(callback, delayMs * factor, ...values)
  globalThis.setTimeout = Object.assign(multiplied, start)
}
