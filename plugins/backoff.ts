/** Milliseconds to wait after so many failures in a row: `firstMs` after one, then twice as long each time, at most `maxMs`. */
export function backoffMs(failures: number, { firstMs, maxMs }: { firstMs: number; maxMs: number }): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs)
}

/**
 * A number from 0 to 1, evenly spread over keys and constant for each key: what happens to many keys at once is not
 * repeated at once, and tests can predict it.
 */
export function jitterOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at += 1) {
    hash ^= key.charCodeAt(at)
    hash = Math.imul(hash, 0x01000193)
  }
  // FNV-1a gives similar values to keys that differ in the last digit; the finalizer of MurmurHash3 spreads them.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
