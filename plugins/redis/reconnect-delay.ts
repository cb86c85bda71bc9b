import { backoffMs } from '../backoff.js'

/** Milliseconds before a reconnect attempt, the first one being 1; less up to a fifth of jitter. */
export function reconnectDelayMs(attempt: number, random: () => number): number {
  return backoffMs(attempt, { firstMs: 50, maxMs: 500 }) * (1 - random() / 5)
}
