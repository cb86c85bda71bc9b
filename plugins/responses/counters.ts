import type { ForwardReason } from '../http/cache-status.js'

/** How requests were answered: from what is kept, fresh or stale, with what another one was passed on for, or by the handler. */
export type Outcome = 'hit' | 'stale' | 'collapsed' | Exclude<ForwardReason, 'stale'> | 'revalidation'

/** Counters of the edge since the start, and what it keeps. */
export interface HttpCacheStats {
  readonly requests: Readonly<Record<Outcome, number>>
  /** Responses that were kept, anew or brought up to date. */
  readonly stored: number
  readonly memory: { readonly bytes: number; readonly maxBytes: number; readonly resources: number }
}

/** Counts what the edge does. */
export class Counters {
  readonly requests: Record<Outcome, number> = {
    hit: 0,
    stale: 0,
    collapsed: 0,
    'uri-miss': 0,
    'vary-miss': 0,
    request: 0,
    bypass: 0,
    method: 0,
    revalidation: 0,
  }
  stored = 0
}
