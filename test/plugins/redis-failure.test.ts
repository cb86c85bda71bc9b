import t from 'tap'
import { classifyRedisFailure, isOutage } from '../../plugins/redis-failure.js'

t.test('names each failure with one word, and knows which of them concern Redis as a whole', async (t) => {
  const cases = [
    { error: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), kind: 'refused', outage: true },
    { error: Object.assign(new Error('connect'), { code: 'EHOSTUNREACH' }), kind: 'unreachable', outage: true },
    { error: Object.assign(new Error('dns'), { code: 'ENOTFOUND' }), kind: 'unreachable', outage: true },
    { error: Object.assign(new Error('read'), { code: 'ECONNRESET' }), kind: 'closed', outage: true },
    { error: Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), kind: 'tls', outage: true },
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
    { error: new Error('ERR unknown command'), kind: 'reply', outage: false },
    { error: 'a string', kind: 'reply', outage: false },
    {
      error: Object.assign(new Error('Failed to refresh slots cache.'), {
        lastNodeError: new Error('Command timed out'),
      }),
      kind: 'timeout',
      outage: true,
    },
    { error: new Error('Failed to refresh slots cache.'), kind: 'unreachable', outage: true },
  ]
  for (const { error, kind, outage } of cases) {
    t.equal(classifyRedisFailure(error), kind, String(error))
    t.equal(isOutage(classifyRedisFailure(error)), outage, String(error))
  }
})
