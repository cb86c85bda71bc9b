import { fieldsListedBy } from './cache-control.js'
import type { Fields } from './fields.js'
import { allowsStale, type CacheControl, type FreshnessLifetime, type ReceivedResponse } from './freshness.js'
import { variesByEverything, varyNames } from './vary.js'

/** What of a request decides whether its response is storable. */
export interface StorableRequest {
  readonly method: string
  /** Whether the client sent `Cache-Control: no-store` and the cache honours it. */
  readonly hasNoStore: boolean
  /** Whether the origin received `Authorization` or `Cookie`, so that the response may be for this client alone. */
  readonly hasAuthorization: boolean
  readonly hasCookie: boolean
}

/** Why a response is not stored: the `detail` of its `Cache-Status`. */
export type NotStorableReason =
  | 'method'
  | 'status'
  | 'no-store'
  | 'private'
  | 'authorization'
  | 'cookie'
  | 'set-cookie'
  | 'vary'
  | 'no-lifetime'
  | 'unusable'

/** Statuses whose caching rules are implemented. RFC 9111 §5.2.2.3. */
const understood = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 409, 410, 411, 413, 414,
  415, 421, 422, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505,
])

/** Statuses that no cache stores, whatever the response states. RFC 6585 §3 to §6. */
const neverStored = new Set([428, 429, 431, 511])
/** Statuses that concern the client of the request rather than the resource. RFC 9110 §15.5.2, §15.5.4, §15.5.8, RFC 6585. */
const ofRequester = new Set([401, 403, 407, 408, ...neverStored])

/** Whether the status concerns the client of the request, so that it says nothing of what others get. */
export function speaksOfRequester(status: number): boolean {
  return ofRequester.has(status)
}

/** Whether the status depends on a range or a condition of the request, so that it answers no other request. */
export function isRequestSpecific(status: number): boolean {
  return status === 206 || status === 304 || status === 412 || status === 416
}

/** Why the response must not or should not be stored; `undefined`: it is storable. RFC 9111 §3. */
export function notStorableReason(
  request: StorableRequest,
  response: ReceivedResponse,
  control: CacheControl,
  lifetime: FreshnessLifetime | undefined,
  staleWithSMaxage = false,
): NotStorableReason | undefined {
  const { status, fields } = response
  const { directives } = control
  if (request.method !== 'GET') return 'method'
  if (status < 200 || isRequestSpecific(status) || neverStored.has(status)) return 'status'
  const isUnderstood = understood.has(status)
  if (directives.has('must-understand') && !isUnderstood) return 'status'
  if (directives.has('no-store') && !directives.has('must-understand')) return 'no-store'
  if (request.hasNoStore) return 'no-store'
  if (directives.has('private') && directives.get('private') === undefined) return 'private'
  if (request.hasAuthorization && !allowsCredentials(control)) return 'authorization'
  if (variesByEverything(fields)) return 'vary'
  if (lifetime === undefined) return 'no-lifetime'
  // Without a lifetime of its own, and for a refusal, nothing says that the response does not depend on the cookies.
  const mayBePersonal = request.hasCookie && (!lifetime.isExplicit || speaksOfRequester(status))
  if (mayBePersonal && !directives.has('public') && !varyNames(fields).includes('cookie')) return 'cookie'
  // RFC 9111 §7.3 leaves it to the origin. A cookie identifies one client, so it is never stored.
  if (fields['set-cookie'] !== undefined && !withheldFields(control).includes('set-cookie')) return 'set-cookie'
  return lifetime.seconds === 0 && !canBeValidated(fields) && !allowsStale(control, staleWithSMaxage)
    ? 'unusable'
    : undefined
}

/** Fields that `private` and `no-cache` list: sent to this client, not stored. RFC 9111 §5.2.2.4, §5.2.2.7. */
export function withheldFields({ directives }: CacheControl): readonly string[] {
  return ['private', 'no-cache'].flatMap((name) => fieldsListedBy(directives, name) ?? [])
}

/** Whether the response to a request with `Authorization` may be reused for others. RFC 9111 §3.5. */
function allowsCredentials({ directives }: CacheControl): boolean {
  return ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name))
}

function canBeValidated(fields: Fields): boolean {
  return fields.etag !== undefined || fields['last-modified'] !== undefined
}
