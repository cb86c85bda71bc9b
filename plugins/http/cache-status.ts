/** Why a request was forwarded to the handler. RFC 9211 §2.2. */
export type ForwardReason = 'uri-miss' | 'vary-miss' | 'stale' | 'request' | 'bypass' | 'method'

/** What one tier did with a request, for its member of `Cache-Status`. RFC 9211 §2. */
export interface TierStatus {
  readonly hit?: boolean
  readonly forward?: ForwardReason
  /** Status of the handler's response. */
  readonly forwardStatus?: number
  /** Remaining freshness in seconds; negative if the response is stale. */
  readonly ttl?: number
  readonly stored?: boolean
  /** Whether the request was answered with the response to another one. */
  readonly collapsed?: boolean
  /** A token with more detail. */
  readonly detail?: string
}

/** The member of `Cache-Status` for a tier of the given name. */
export function formatTierStatus(name: string, status: TierStatus): string {
  const { hit, forward, forwardStatus, ttl, stored, collapsed, detail } = status
  let member = name
  if (hit === true) member += '; hit'
  if (forward !== undefined) member += `; fwd=${forward}`
  if (forwardStatus !== undefined) member += `; fwd-status=${forwardStatus}`
  if (ttl !== undefined) member += `; ttl=${ttl}`
  if (stored === true) member += '; stored'
  if (collapsed === true) member += '; collapsed'
  if (detail !== undefined) member += `; detail=${detail}`
  return member
}
