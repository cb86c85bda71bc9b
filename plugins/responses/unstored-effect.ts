import { isRequestSpecific, speaksOfRequester } from '../http/storable.js'
import type { UnstoredReason } from './storage-decision.js'

/** A response that is not stored. */
export interface UnstoredResponse {
  readonly method: string
  readonly status: number
  readonly reason: UnstoredReason
  /** Whether the client asked for a response that is not stored, or the handler received its `Cookie` or `Authorization`. */
  readonly isForOneClient: boolean
}

/** What a response that is not stored means for other requests of its kind. */
export interface UnstoredEffect {
  /**
   * - `keep`: the stored response is used as before.
   * - `validate`: it is no longer served while it is refreshed in the background, but still if the handler fails.
   * - `remove`: the handler would no longer give it.
   */
  readonly stored: 'keep' | 'validate' | 'remove'
  /** Whether requests need not wait for one another for a while, because the next response will not be stored either. */
  readonly isHitForMiss: boolean
}

/** Reasons that lie in the client of the request. */
const clientReasons: ReadonlySet<UnstoredReason> = new Set(['authorization', 'cookie', 'set-cookie'])

/** What one client causes by its request, or finds in a failure, does not remove what is stored for others. */
export function effectOfUnstored({ method, status, reason, isForOneClient }: UnstoredResponse): UnstoredEffect {
  const isOfClient =
    isForOneClient || clientReasons.has(reason) || isRequestSpecific(status) || speaksOfRequester(status)
  const isHitForMiss = reason !== 'invalidated' && !speaksOfRequester(status)
  if (method !== 'GET' || isOfClient || status >= 500) return { stored: 'keep', isHitForMiss }
  if (status >= 400 && status !== 410) return { stored: 'validate', isHitForMiss }
  return { stored: 'remove', isHitForMiss }
}
