import { createError } from '@fastify/error'

interface Cause {
  readonly cause: unknown
}

/** No whole answer within the time of a call or of the whole load; `cause` is what failed last. 504. */
export const UpstreamTimeout = createError<'VITRINE_UPSTREAM_TIMEOUT', 504, [path: string, detail: string, Cause]>(
  'VITRINE_UPSTREAM_TIMEOUT',
  'The upstream was too slow with %s: %s',
  504,
)

/** No connection, or one that broke before the answer was whole: refused, reset, unknown host; or our own closing. 503. */
export const UpstreamUnreachable = createError<
  'VITRINE_UPSTREAM_UNREACHABLE',
  503,
  [path: string, detail: string, Cause?]
>('VITRINE_UPSTREAM_UNREACHABLE', 'Cannot get %s from the upstream: %s', 503)

const StatusError = createError<'VITRINE_UPSTREAM_STATUS', 502, [path: string, status: number]>(
  'VITRINE_UPSTREAM_STATUS',
  'The upstream answered %s with status %d',
  502,
)

/** An answer that is not a 200. 502. */
export class UpstreamStatus extends StatusError {
  /** The status that the upstream gave. */
  readonly upstreamStatus: number
  /** Milliseconds the upstream asked to be left alone; 0 when it did not. RFC 9110 §10.2.3. */
  readonly retryAfterMs: number

  constructor(path: string, status: number, retryAfterMs = 0) {
    super(path, status)
    this.upstreamStatus = status
    this.retryAfterMs = retryAfterMs
  }
}

/** A body that is not UTF-8 or not JSON. 502. */
export const UpstreamNotJson = createError<'VITRINE_UPSTREAM_NOT_JSON', 502, [path: string, Cause]>(
  'VITRINE_UPSTREAM_NOT_JSON',
  'The upstream answered %s with something that is not JSON',
  502,
)

/** JSON that does not match the schema; the message has the first place that does not, never the value in it. 502. */
export const UpstreamWrongShape = createError<
  'VITRINE_UPSTREAM_WRONG_SHAPE',
  502,
  [path: string, place: string, detail: string]
>('VITRINE_UPSTREAM_WRONG_SHAPE', 'The upstream answered %s in an unknown shape, at "%s": %s', 502)

/** A list of which some items are missing or that changed while it was read, twice. 502. */
export const UpstreamIncomplete = createError<'VITRINE_UPSTREAM_INCOMPLETE', 502, [path: string, detail: string]>(
  'VITRINE_UPSTREAM_INCOMPLETE',
  'The upstream gave an incomplete list of %s: %s',
  502,
)

/** An answer over the body limit, or a list over the limits of a walk. 502. */
export const UpstreamTooLarge = createError<'VITRINE_UPSTREAM_TOO_LARGE', 502, [path: string, detail: string]>(
  'VITRINE_UPSTREAM_TOO_LARGE',
  'The upstream answered %s with too much: %s',
  502,
)

const upstreamErrors = [
  UpstreamTimeout,
  UpstreamUnreachable,
  UpstreamStatus,
  UpstreamNotJson,
  UpstreamWrongShape,
  UpstreamIncomplete,
  UpstreamTooLarge,
] as const

/** Whatever an upstream can do to us. `code` tells which, `statusCode` what to answer. */
export type UpstreamError = InstanceType<(typeof upstreamErrors)[number]>

/** Whether the upstream is to blame. Its message names a path and what was wrong, so it may be shown to a client. */
export function isUpstreamError(error: unknown): error is UpstreamError {
  return upstreamErrors.some((Kind) => error instanceof Kind)
}

/** Whether the upstream says that we may not see this: then an older copy is not to be shown either. */
export function isAccessDenied(error: unknown): boolean {
  return error instanceof UpstreamStatus && (error.upstreamStatus === 401 || error.upstreamStatus === 403)
}
