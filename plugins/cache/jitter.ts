/**
 * A number from 0 to 1 that spreads keys evenly and is the same for the same key every time, so that what happens
 * to many keys at one moment is not due again at one moment, and a test still knows when.
 */
export function jitterOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at += 1) {
    hash ^= key.charCodeAt(at)
    hash = Math.imul(hash, 0x01000193)
  }
  // FNV-1a leaves keys that differ in their last digit side by side; MurmurHash3's finish parts them.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
