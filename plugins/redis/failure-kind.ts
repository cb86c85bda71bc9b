import { TimeoutError } from '../timeout.js'
import type { CircuitBreaker } from './circuit-breaker.js'

/**
 * The kind of a Redis failure, for logs and metrics.
 *
 * Some kinds concern the connection or the server (`isOutage`). The others concern one key, one command or writes only,
 * while Redis itself answers.
 */
export type RedisFailureKind =
  | 'refused'
  | 'unreachable'
  | 'closed'
  | 'timeout'
  | 'tls'
  | 'protocol'
  | 'auth'
  | 'loading'
  | 'denied'
  | 'readonly'
  | 'full'
  | 'wrong-type'
  | 'corrupt'
  | 'error-reply'

const outages: ReadonlySet<RedisFailureKind> = new Set([
  'refused',
  'unreachable',
  'closed',
  'timeout',
  'tls',
  'protocol',
  'auth',
  'loading',
])

/** Whether Redis itself is unavailable, rather than one key or one command. */
export function isOutage(kind: RedisFailureKind): boolean {
  return outages.has(kind)
}

const definiteOutages: ReadonlySet<RedisFailureKind> = new Set(['refused', 'closed', 'tls', 'protocol', 'auth'])

/** Reports a failure to the breaker: a definite outage opens it at once, another one counts; an error reply is an answer. */
export function recordRedisFailure(kind: RedisFailureKind, breaker: CircuitBreaker): void {
  if (definiteOutages.has(kind)) breaker.trip()
  else if (isOutage(kind)) breaker.failed()
  else breaker.succeeded()
}

/** The alert that a server sends when the client ends a connection during the handshake. It does not contain the reason. */
const abortedHandshake = 'ERR_SSL_TLSV1_ALERT_DECODE_ERROR'

const byCode: Readonly<Record<string, RedisFailureKind>> = {
  ECONNREFUSED: 'refused',
  ENOENT: 'refused', // the file of a unix socket is missing
  EACCES: 'refused',
  ETIMEDOUT: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  [abortedHandshake]: 'closed',
}

const byReply: ReadonlyArray<readonly [RegExp, RedisFailureKind]> = [
  [/^(NOAUTH|WRONGPASS|ERR (AUTH|invalid password))/, 'auth'],
  [/^NOPERM|ACL failure in script/, 'denied'], // concerns one command: Redis itself answers
  [/^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/, 'loading'],
  [/^READONLY/, 'readonly'],
  [/^(OOM|MISCONF)/, 'full'],
  [/^WRONGTYPE/, 'wrong-type'],
  // Messages of ioredis, whose errors have neither a class nor a code.
  [/Unknown RESP type|Protocol error/, 'protocol'],
  [/timed out|Socket timeout/i, 'timeout'],
]

/** Messages that report a missing connection without the reason. */
const withoutReason: ReadonlyArray<readonly [RegExp, RedisFailureKind]> = [
  [/Connection is closed|isn't writeable|Command aborted|max retries per request/i, 'closed'],
  [/startup nodes|slots cache|sentinels are unreachable|Cluster/i, 'unreachable'],
]

/** Codes of Node.js and OpenSSL for the handshake and the certificate. */
const tlsCode =
  /^ERR_(TLS|SSL)_|^EPROTO$|CERT|CRL|^UNABLE_TO_|^INVALID_(CA|PURPOSE)$|^(HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)$/

/** The kind of an error of ioredis or Redis; `error-reply` for an error reply that has no kind of its own. */
export function classifyRedisFailure(error: unknown): RedisFailureKind {
  if (error instanceof TimeoutError) return 'timeout'
  if (!(error instanceof Error)) return 'error-reply'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = byCode[code]
  if (known !== undefined) return known
  if (tlsCode.test(code)) return 'tls'
  const cause = causeOf(error)
  const kind = cause === undefined ? 'error-reply' : classifyRedisFailure(cause)
  if (kind !== 'error-reply') return kind
  return [...byReply, ...withoutReason].find(([pattern]) => pattern.test(error.message))?.[1] ?? 'error-reply'
}

/** Whether the error reports a missing connection without the reason. */
export function lacksReason(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('code' in error) return error.code === abortedHandshake
  const cause = causeOf(error)
  if (cause !== undefined && classifyRedisFailure(cause) !== 'error-reply') return lacksReason(cause)
  const matches = ([pattern]: readonly [RegExp, RedisFailureKind]) => pattern.test(error.message)
  return withoutReason.some(matches) && !byReply.some(matches)
}

/** The error of the last node or sentinel inside the error of a Cluster or Sentinel client. */
function causeOf(error: Error): Error | undefined {
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return error.lastNodeError
  const [, message] = /^All sentinels are unreachable.* Last error: (.+)$/s.exec(error.message) ?? []
  return message === undefined ? undefined : new Error(message)
}
