import { jitterOf } from '../../backoff.js'
import type { Entry } from '../entry/codec.js'

/** No early refresh starts before this share of the freshness lifetime, however long the load took. */
const minShare = 0.8

/**
 * When hits start a background refresh, in milliseconds since the epoch: before the end of freshness, by an
 * exponentially distributed time with the duration of the load as its mean. Slow loads start early, and processes do
 * not start at the same moment.
 * "Optimal Probabilistic Cache Stampede Prevention" (Vattani, Chierichetti, Lowenstein 2015) draws at every hit. One
 * draw for each entry and process has the same effect and costs a hit nothing.
 */
export function earlyRefreshAt(key: string, entry: Entry, loadedAt: number, salt: string): number {
  const { freshUntil, loadMs } = entry
  if (loadMs <= 0) return freshUntil
  const earlyMs = -loadMs * Math.log(1 - jitterOf(`${key} ${entry.stamp} ${salt}`))
  const min = loadedAt + (freshUntil - loadedAt) * minShare
  return Math.min(freshUntil, Math.max(freshUntil - earlyMs, min))
}
