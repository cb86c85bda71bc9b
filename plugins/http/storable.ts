import { fieldsNamedBy } from './cache-control.js'
import type { Fields } from './fields.js'
import { type CacheControl, type Lifetime, mayEverBeStale, type ReceivedResponse } from './freshness.js'
import { asksForNoStore } from './request-fields.js'
import { variesByEverything, varyNames } from './vary.js'

/** What of a request decides whether its response may be kept. */
export interface StorableRequest {
  readonly method: string
  readonly fields: Fields
  /** Whether `Cache-Control: no-store` of the client counts. */
  readonly obeysDirectives: boolean
  /** Whether another server answers it, whose word stands. */
  readonly forwards: boolean
}

/** Why a response is not kept, as `Cache-Status` tells it. */
export type Refusal =
  | 'method'
  | 'status'
  | 'no-store'
  | 'private'
  | 'authorization'
  | 'cookie'
  | 'set-cookie'
  | 'vary'
  | 'no-lifetime'
  | 'of-no-use'

/** Statuses whose meaning for caches we know. RFC 9111 §5.2.2.3. */
const understood = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 409, 410, 411, 413, 414,
  415, 421, 422, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505,
])

/** Whether the status answers what a request asks beside its target, a part or a condition, and so no other request. */
export function isOfRequestAlone(status: number): boolean {
  return status === 206 || status === 304 || status === 412 || status === 416
}

/** Why the response must not, or had better not, be kept; `undefined` when it may be. RFC 9111 §3. */
export function refusalOf(
  request: StorableRequest,
  response: ReceivedResponse,
  control: CacheControl,
  lifetime: Lifetime | undefined,
): Refusal | undefined {
  const { status, fields } = response
  const { directives } = control
  if (request.method !== 'GET') return 'method'
  if (status < 200 || isOfRequestAlone(status)) return 'status'
  const isUnderstood = understood.has(status)
  if (directives.has('must-understand') && !isUnderstood) return 'status'
  if (directives.has('no-store') && !directives.has('must-understand')) return 'no-store'
  if (request.obeysDirectives && asksForNoStore(request.fields)) return 'no-store'
  if (directives.has('private') && directives.get('private') === undefined) return 'private'
  if (request.forwards && request.fields.authorization !== undefined && !allowsAuthorization(control))
    return 'authorization'
  if (variesByEverything(fields)) return 'vary'
  if (lifetime === undefined) return 'no-lifetime'
  // The response itself does not say that it is for all, and may depend on the cookies.
  const mayBePersonal = request.forwards && !lifetime.isExplicit && request.fields.cookie !== undefined
  if (mayBePersonal && !directives.has('public') && !varyNames(fields).includes('cookie')) return 'cookie'
  // RFC 9111 §7.3 leaves it to the origin. A cookie names one client, so it is never stored, whatever the response says.
  if (fields['set-cookie'] !== undefined && !withheldFields(control).includes('set-cookie')) return 'set-cookie'
  return lifetime.seconds === 0 && !canBeValidated(fields) && !mayEverBeStale(control) ? 'of-no-use' : undefined
}

/** Fields that `private` and `no-cache` name: they are sent to this client and not stored. RFC 9111 §5.2.2.4, §5.2.2.7. */
export function withheldFields({ directives }: CacheControl): readonly string[] {
  return ['private', 'no-cache'].flatMap((name) => fieldsNamedBy(directives, name) ?? [])
}

/** Whether what one client was answered who had identified itself may be told to others. RFC 9111 §3.5. */
function allowsAuthorization({ directives }: CacheControl): boolean {
  return ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name))
}

function canBeValidated(fields: Fields): boolean {
  return fields.etag !== undefined || fields['last-modified'] !== undefined
}
