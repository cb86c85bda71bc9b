import t from 'tap'
import { resolveRedisOptions } from '../../../plugins/redis/options.js'

const url = 'redis://localhost'
const address = { host: 'localhost', port: 7_000 }

t.test('completes the options with their defaults', async (t) => {
  t.match(resolveRedisOptions({ url }), {
    url,
    tls: false,
    bootTimeoutMs: 250,
    connectTimeoutMs: 1_000,
    commandTimeoutMs: 1_000,
    closeTimeoutMs: 500,
  })
  t.equal(resolveRedisOptions({ sentinels: [address] }).sentinelName, 'mymaster')
})

t.test('accepts the limits of each option', async (t) => {
  for (const options of [
    { url, tls: {} },
    { url, bootTimeoutMs: 0, closeTimeoutMs: 0 },
    { url, connectTimeoutMs: 1, commandTimeoutMs: 2 ** 31 - 1 },
    { url, username: '', password: '' },
    { clusterNodes: [address, { host: '::1', port: 65_535 }] },
    { url, clusterNodes: undefined as never },
  ]) {
    t.doesNotThrow(() => resolveRedisOptions(options), JSON.stringify(options))
  }
})

t.test('names the option that is invalid, and what it must be', async (t) => {
  const urlRule =
    'must be a redis://, rediss:// or unix: URL; the path may only be a database number, and the only parameters are db and family'
  const addresses = 'must be a list of at least one { host, port }'
  const cases: [options: object, message: string][] = [
    [{}, 'exactly one of url, clusterNodes and sentinels must be set'],
    [{ url, sentinels: [address] }, 'exactly one of url, clusterNodes and sentinels must be set'],
    [{ url, timeoutMs: 5 }, 'there is no option timeoutMs'],
    [{ url: 'localhost:6379' }, `url ${urlRule}`],
    [{ url: 6379 }, `url ${urlRule}`],
    [{ url: `${url}/abc` }, `url ${urlRule}`],
    [{ url: `${url}?foo=1` }, `url ${urlRule}`],
    [{ clusterNodes: [] }, `clusterNodes ${addresses}`],
    [{ clusterNodes: 'localhost:7000' }, `clusterNodes ${addresses}`],
    [{ clusterNodes: [{ host: '', port: 1 }] }, `clusterNodes ${addresses}`],
    [{ sentinels: [{ host: 'localhost', port: 0 }] }, `sentinels ${addresses}`],
    [{ sentinels: [{ host: 'localhost', port: '7000' }] }, `sentinels ${addresses}`],
    [{ url, sentinelName: 1 }, 'sentinelName must be a string'],
    [{ url, password: 1 }, 'password must be a string'],
    [{ url, tls: 'true' }, 'tls must be true, false or an object of options for tls.connect'],
    [{ url, tls: null }, 'tls must be true, false or an object of options for tls.connect'],
    [{ url, bootTimeoutMs: -1 }, 'bootTimeoutMs must be an integer from 0 to 2147483647'],
    [{ url, connectTimeoutMs: 0 }, 'connectTimeoutMs must be an integer from 1 to 2147483647'],
    [{ url, connectTimeoutMs: 1_500.5 }, 'connectTimeoutMs must be an integer from 1 to 2147483647'],
    [{ url, commandTimeoutMs: null }, 'commandTimeoutMs must be an integer from 1 to 2147483647'],
    [{ url, commandTimeoutMs: Number.POSITIVE_INFINITY }, 'commandTimeoutMs must be an integer from 1 to 2147483647'],
    [{ url, closeTimeoutMs: '500' }, 'closeTimeoutMs must be an integer from 0 to 2147483647'],
  ]
  for (const [options, message] of cases) {
    const resolve = () => resolveRedisOptions(options)
    t.throws(resolve, { code: 'VITRINE_REDIS_OPTION', message: `fastify.redis: ${message}` }, JSON.stringify(options))
  }
})
