/** Why a request was passed on to the handler. RFC 9211 §2.2. */
export type ForwardReason = 'uri-miss' | 'vary-miss' | 'stale' | 'request' | 'bypass' | 'method'

/** What one tier did with a request, for its member of `Cache-Status`. RFC 9211 §2. */
export interface TierStatus {
  readonly hit?: boolean
  readonly forward?: ForwardReason
  /** Status that the handler answered with. */
  readonly forwardStatus?: number
  /** Seconds that the response stays fresh; negative when it is stale. */
  readonly ttl?: number
  readonly stored?: boolean
  /** Whether it was answered with what another request had been passed on for. */
  readonly collapsed?: boolean
  /** A token that says more. */
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
