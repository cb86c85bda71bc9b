import type { CoherenceState } from '../tiers/coherence.js'
import type { ReadReason } from './cache-events.js'

/** Counters since the start, and the present state. */
export interface CacheStats {
  readonly reads: Readonly<Record<ReadReason, number>>
  readonly hits: { readonly memory: number; readonly redis: number }
  readonly loads: {
    readonly succeeded: number
    readonly failed: number
    readonly totalMs: number
    readonly inFlight: number
  }
  readonly writes: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  readonly memory: { readonly entries: number; readonly bytes: number; readonly maxBytes: number }
  readonly purges: { readonly requested: number; readonly queued: number; readonly remembered: number }
  readonly coherence: CoherenceState
}
