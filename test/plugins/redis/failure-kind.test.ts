import t from 'tap'
import { classifyRedisFailure, isOutage, lacksReason } from '../../../plugins/redis/failure-kind.js'
import { TimeoutError } from '../../../plugins/timeout.js'

t.test('classifies each failure, and distinguishes outages from failures of one command', async (t) => {
  const cases = [
    { error: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), kind: 'refused', outage: true },
    { error: Object.assign(new Error('connect'), { code: 'EHOSTUNREACH' }), kind: 'unreachable', outage: true },
    { error: Object.assign(new Error('dns'), { code: 'ENOTFOUND' }), kind: 'unreachable', outage: true },
    { error: Object.assign(new Error('read'), { code: 'ECONNRESET' }), kind: 'closed', outage: true },
    { error: Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), kind: 'tls', outage: true },
    { error: Object.assign(new Error('x'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }), kind: 'tls', outage: true },
    { error: Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), kind: 'tls', outage: true },
    { error: Object.assign(new Error('x'), { code: 'CERT_HAS_EXPIRED' }), kind: 'tls', outage: true },
    { error: Object.assign(new Error('x'), { code: 'CRL_HAS_EXPIRED' }), kind: 'tls', outage: true },
    { error: Object.assign(new Error('x'), { code: 'INVALID_PURPOSE' }), kind: 'tls', outage: true },
    { error: Object.assign(new Error('x'), { code: 'HOSTNAME_MISMATCH' }), kind: 'tls', outage: true },
    { error: Object.assign(new Error('x'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), kind: 'tls', outage: true },
    { error: Object.assign(new Error('x'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }), kind: 'tls', outage: true },
    { error: Object.assign(new Error('write EPROTO'), { code: 'EPROTO' }), kind: 'tls', outage: true },
    { error: new TimeoutError('no answer within 50 ms'), kind: 'timeout', outage: true },
    { error: new Error('Command timed out'), kind: 'timeout', outage: true },
    { error: new Error('Connection is closed.'), kind: 'closed', outage: true },
    {
      error: new Error("Stream isn't writeable and enableOfflineQueue options is false"),
      kind: 'closed',
      outage: true,
    },
    { error: new Error('Unknown RESP type 72 "H". Please report this.'), kind: 'protocol', outage: true },
    { error: new Error('WRONGPASS invalid username-password pair'), kind: 'auth', outage: true },
    { error: new Error('NOAUTH Authentication required.'), kind: 'auth', outage: true },
    { error: new Error("NOPERM User x has no permissions to run the 'eval' command"), kind: 'denied', outage: false },
    { error: new Error('ERR ACL failure in script: User x has no permissions'), kind: 'denied', outage: false },
    { error: new Error('LOADING Redis is loading the dataset in memory'), kind: 'loading', outage: true },
    { error: new Error('CLUSTERDOWN The cluster is down'), kind: 'loading', outage: true },
    { error: new Error("READONLY You can't write against a read only replica."), kind: 'readonly', outage: false },
    { error: new Error("OOM command not allowed when used memory > 'maxmemory'."), kind: 'full', outage: false },
    { error: new Error('MISCONF Redis is configured to save RDB snapshots'), kind: 'full', outage: false },
    { error: new Error('WRONGTYPE Operation against a key'), kind: 'wrong-type', outage: false },
    { error: new Error('ERR unknown command'), kind: 'error-reply', outage: false },
    { error: 'a string', kind: 'error-reply', outage: false },
    {
      error: Object.assign(new Error('Failed to refresh slots cache.'), {
        lastNodeError: new Error('Command timed out'),
      }),
      kind: 'timeout',
      outage: true,
    },
    { error: new Error('Failed to refresh slots cache.'), kind: 'unreachable', outage: true },
    {
      error: sentinelFailure('WRONGPASS invalid username-password pair or user is disabled.'),
      kind: 'auth',
      outage: true,
    },
    { error: sentinelFailure('NOAUTH Authentication required.'), kind: 'auth', outage: true },
    { error: sentinelFailure('Connection is closed.'), kind: 'closed', outage: true },
    {
      error: new Error('All sentinels are unreachable. Retrying from scratch after 50ms.'),
      kind: 'unreachable',
      outage: true,
    },
  ]
  for (const { error, kind, outage } of cases) {
    t.equal(classifyRedisFailure(error), kind, String(error))
    t.equal(isOutage(classifyRedisFailure(error)), outage, String(error))
  }
})

t.test('recognises failures that report only a missing connection', async (t) => {
  const nodeFailure = (reason: Error) =>
    Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: reason })
  const cases: [error: unknown, lacks: boolean][] = [
    [new Error('Connection is closed.'), true],
    [new Error("Cluster isn't ready and enableOfflineQueue options is false"), true],
    [new Error('All sentinels are unreachable. Retrying from scratch after 50ms.'), true],
    [sentinelFailure('Connection is closed.'), true],
    [nodeFailure(new Error('Connection is closed.')), true],
    [sentinelFailure('WRONGPASS invalid username-password pair'), false],
    [nodeFailure(new Error('WRONGPASS invalid username-password pair')), false],
    [Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), false],
    [new Error('Command timed out'), false],
    [new Error('CLUSTERDOWN The cluster is down'), false],
    [new Error('ERR unknown command'), false],
    ['a string', false],
  ]
  for (const [error, lacks] of cases) t.equal(lacksReason(error), lacks, String(error))
})

function sentinelFailure(last: string): Error {
  return new Error(`All sentinels are unreachable. Retrying from scratch after 43.1ms. Last error: ${last}`)
}
