import type { Breaker } from './breaker.js'

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
  [/Connection is closed|isn't writeable|Command aborted|max retries per request/i, 'closed'],
  [/startup nodes|slots cache|sentinels are unreachable|Cluster/i, 'unreachable'],
]

/** Names a failure that ioredis or Redis reported; `reply` where Redis refused a command for a reason of its own. */
export function classifyRedisFailure(error: unknown): RedisFailureKind {
  if (!(error instanceof Error)) return 'reply'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = byCode[code]
  if (known !== undefined) return known
  if (code.startsWith('ERR_TLS') || code.includes('CERT')) return 'tls'
  // A Cluster or Sentinel client hides the reason one level down.
  const cause = 'lastNodeError' in error && error.lastNodeError ? classifyRedisFailure(error.lastNodeError) : 'reply'
  if (cause !== 'reply') return cause
  return byReply.find(([pattern]) => pattern.test(error.message))?.[1] ?? 'reply'
}
