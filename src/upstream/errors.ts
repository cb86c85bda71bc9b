import { createError } from '@fastify/error'

interface Cause {
  readonly cause: unknown
}

/** No complete response within the time-out of a call or the deadline of its group; `cause` is the last failure. 504. */
export const UpstreamTimeout = createError<'VITRINE_UPSTREAM_TIMEOUT', 504, [path: string, detail: string, Cause]>(
  'VITRINE_UPSTREAM_TIMEOUT',
  'Upstream timeout for %s: %s',
  504,
)

/** No connection, or one that closed before the response was complete: refused, reset, unknown host; or our own closing. 503. */
export const UpstreamUnreachable = createError<
  'VITRINE_UPSTREAM_UNREACHABLE',
  503,
  [path: string, detail: string, Cause?]
>('VITRINE_UPSTREAM_UNREACHABLE', 'Upstream unreachable for %s: %s', 503)

const StatusError = createError<'VITRINE_UPSTREAM_STATUS', 502, [path: string, status: number]>(
  'VITRINE_UPSTREAM_STATUS',
  'Upstream responded to %s with status %d',
  502,
)

/** A response with a status other than 200. 502. */
export class UpstreamStatus extends StatusError {
  readonly upstreamStatus: number
  /** `Retry-After` of the response; 0 without one. RFC 9110 §10.2.3. */
  readonly retryAfterMs: number

  constructor(path: string, status: number, retryAfterMs = 0) {
    super(path, status)
    this.upstreamStatus = status
    this.retryAfterMs = retryAfterMs
  }
}

/** A redirect to another origin, or too many in a row. 502. */
export const UpstreamRedirect = createError<'VITRINE_UPSTREAM_REDIRECT', 502, [path: string, detail: string]>(
  'VITRINE_UPSTREAM_REDIRECT',
  'Upstream redirected %s %s',
  502,
)

/** A body in a content coding that is not supported, or that it cannot be decoded from. 502. */
export const UpstreamEncoding = createError<'VITRINE_UPSTREAM_ENCODING', 502, [path: string, detail: string, Cause?]>(
  'VITRINE_UPSTREAM_ENCODING',
  'Upstream response for %s cannot be decoded: %s',
  502,
)

/** A body that is not UTF-8 or not JSON. 502. */
export const UpstreamNotJson = createError<'VITRINE_UPSTREAM_NOT_JSON', 502, [path: string, Cause]>(
  'VITRINE_UPSTREAM_NOT_JSON',
  'Upstream response for %s is not valid JSON',
  502,
)

/** JSON that does not match the schema. The message names the first mismatch, never its value. 502. */
export const UpstreamWrongShape = createError<
  'VITRINE_UPSTREAM_WRONG_SHAPE',
  502,
  [path: string, place: string, detail: string]
>('VITRINE_UPSTREAM_WRONG_SHAPE', 'Upstream response for %s does not match the schema at "%s": %s', 502)

/** A list with missing items, or one that changed during both reads. 502. */
export const UpstreamIncomplete = createError<'VITRINE_UPSTREAM_INCOMPLETE', 502, [path: string, detail: string]>(
  'VITRINE_UPSTREAM_INCOMPLETE',
  'Upstream list %s is incomplete: %s',
  502,
)

/** A response over the body limit, or a list over the limits of a walk. 502. */
export const UpstreamTooLarge = createError<'VITRINE_UPSTREAM_TOO_LARGE', 502, [path: string, detail: string]>(
  'VITRINE_UPSTREAM_TOO_LARGE',
  'Upstream response for %s is too large: %s',
  502,
)

const upstreamErrors = [
  UpstreamTimeout,
  UpstreamUnreachable,
  UpstreamStatus,
  UpstreamRedirect,
  UpstreamEncoding,
  UpstreamNotJson,
  UpstreamWrongShape,
  UpstreamIncomplete,
  UpstreamTooLarge,
] as const

/** Any failure of the upstream. `statusCode` is what we answer. */
export type UpstreamError = InstanceType<(typeof upstreamErrors)[number]>

/** Whether the upstream failed. The message has a path and a reason only, so clients may see it. */
export function isUpstreamError(error: unknown): error is UpstreamError {
  return upstreamErrors.some((Kind) => error instanceof Kind)
}

/** Whether the upstream denied access. A stale copy must not be served then. */
export function isAccessDenied(error: unknown): boolean {
  return error instanceof UpstreamStatus && (error.upstreamStatus === 401 || error.upstreamStatus === 403)
}
