import type { Entry } from '../entry/codec.js'
import { jitterOf } from '../jitter.js'

/** No refresh begins before this share of the lifetime has passed, however long the load took. */
const earliestShare = 0.8

/**
 * When a hit begins to refresh the entry behind, in milliseconds since the epoch: before freshness ends by a time that is
 * exponentially distributed around what the load took, so that slow loads begin early and many processes do not begin at once.
 * "Optimal Probabilistic Cache Stampede Prevention" (Vattani, Chierichetti, Lowenstein 2015) draws at every hit; one
 * draw for each entry and process comes to the same and costs a hit nothing.
 */
export function refreshAhead(key: string, entry: Entry, loadedAt: number, salt: string): number {
  const { freshUntil, loadMs } = entry
  if (loadMs <= 0) return freshUntil
  const aheadMs = -loadMs * Math.log(1 - jitterOf(`${key} ${entry.stamp} ${salt}`))
  const earliest = loadedAt + (freshUntil - loadedAt) * earliestShare
  return Math.min(freshUntil, Math.max(freshUntil - aheadMs, earliest))
}
