import type { ForwardReason } from '../http/cache-status.js'

/** How a request was answered: with a stored response, with that of a request in flight, or by the handler and why. */
export type Outcome = 'hit' | 'stale' | 'collapsed' | Exclude<ForwardReason, 'stale'> | 'revalidation'

/** Counters since the start, and the size of the memory. */
export interface HttpCacheStats {
  readonly requests: Readonly<Record<Outcome, number>>
  /** Responses that were stored or updated. */
  readonly stored: number
  readonly memory: { readonly bytes: number; readonly maxBytes: number; readonly resources: number }
}

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
