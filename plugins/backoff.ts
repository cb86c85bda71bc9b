/** Milliseconds to wait after so many failures in a row: `firstMs` after one, then twice as long each time, at most `maxMs`. */
export function backoffMs(failures: number, { firstMs, maxMs }: { firstMs: number; maxMs: number }): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs)
}
