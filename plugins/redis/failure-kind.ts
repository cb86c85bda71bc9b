import type { Breaker } from './circuit-breaker.js'

/**
 * What went wrong with Redis, in one word for logs and metrics.
 *
 * Some kinds tell of the connection or the server and say nothing about the command (`isOutage`); the others concern one
 * key or one command, or writes alone, while Redis itself answers.
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
  | 'reply'

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

/** Whether the failure says that Redis as a whole is not serving us, rather than that one command met a bad key. */
export function isOutage(kind: RedisFailureKind): boolean {
  return outages.has(kind)
}

const endings: ReadonlySet<RedisFailureKind> = new Set(['refused', 'closed', 'tls', 'protocol', 'auth'])

/** Tells the breaker of a failure: some kinds say all there is to know, some count, most say that Redis answers. */
export function countRedisFailure(kind: RedisFailureKind, breaker: Breaker): void {
  if (endings.has(kind)) breaker.trip()
  else if (isOutage(kind)) breaker.failed()
  else breaker.succeeded()
}

/** What a server answers when we end a connection in mid-handshake: it does not say why we did. */
const cutHandshake = 'ERR_SSL_TLSV1_ALERT_DECODE_ERROR'

const byCode: Readonly<Record<string, RedisFailureKind>> = {
  ECONNREFUSED: 'refused',
  ENOENT: 'refused', // a unix socket that is not there
  EACCES: 'refused',
  ETIMEDOUT: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  [cutHandshake]: 'closed',
}

const byReply: ReadonlyArray<readonly [RegExp, RedisFailureKind]> = [
  [/^(NOAUTH|WRONGPASS|ERR (AUTH|invalid password))/, 'auth'],
  [/^NOPERM|ACL failure in script/, 'denied'], // one command of many: Redis itself answers
  [/^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/, 'loading'],
  [/^READONLY/, 'readonly'],
  [/^(OOM|MISCONF)/, 'full'],
  [/^WRONGTYPE/, 'wrong-type'],
  // Sentences of ioredis itself, which gives these errors neither a class nor a code.
  [/Unknown RESP type|Protocol error/, 'protocol'],
  [/timed out|Socket timeout/i, 'timeout'],
]

/** Sentences that say that there is no connection, and not why. */
const withoutReason: ReadonlyArray<readonly [RegExp, RedisFailureKind]> = [
  [/Connection is closed|isn't writeable|Command aborted|max retries per request/i, 'closed'],
  [/startup nodes|slots cache|sentinels are unreachable|Cluster/i, 'unreachable'],
]

/** Codes of Node and of OpenSSL, for the handshake and for the certificate. */
const tlsCode =
  /^ERR_(TLS|SSL)_|^EPROTO$|CERT|CRL|^UNABLE_TO_|^INVALID_(CA|PURPOSE)$|^(HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)$/

/** Names a failure that ioredis or Redis reported; `reply` where Redis refused a command for a reason of its own. */
export function classifyRedisFailure(error: unknown): RedisFailureKind {
  if (!(error instanceof Error)) return 'reply'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = byCode[code]
  if (known !== undefined) return known
  if (tlsCode.test(code)) return 'tls'
  const cause = causeOf(error)
  const kind = cause === undefined ? 'reply' : classifyRedisFailure(cause)
  if (kind !== 'reply') return kind
  return [...byReply, ...withoutReason].find(([pattern]) => pattern.test(error.message))?.[1] ?? 'reply'
}

/** Whether the error says no more than that there is no connection. */
export function lacksReason(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('code' in error) return error.code === cutHandshake
  const cause = causeOf(error)
  if (cause !== undefined && classifyRedisFailure(cause) !== 'reply') return lacksReason(cause)
  const matches = ([pattern]: readonly [RegExp, RedisFailureKind]) => pattern.test(error.message)
  return withoutReason.some(matches) && !byReply.some(matches)
}

/** The reason that the error of a Cluster or Sentinel client has one level down: of the last node, or of the last sentinel. */
function causeOf(error: Error): Error | undefined {
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return error.lastNodeError
  const [, sentence] = /^All sentinels are unreachable.* Last error: (.+)$/s.exec(error.message) ?? []
  return sentence === undefined ? undefined : new Error(sentence)
}
