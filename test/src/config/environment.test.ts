import { readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { cacheKeyPrefix, InvalidEnvironment, readConfig, redisOptions } from '../../../src/config/environment.js'
import { createAuthority } from '../../harness/certificates.js'

const defaults = {
  HOST: '127.0.0.1',
  PORT: 3000,
  LOG_LEVEL: 'info',
  UPSTREAM_TIMEOUT_MS: 2_000,
  UPSTREAM_DEADLINE_MS: 10_000,
  REDIS_TLS: false,
  CACHE_KEY_PREFIX: 'cat_',
  CACHE_TTL_SECONDS: 300,
  CACHE_STALE_WHILE_REVALIDATE_SECONDS: 60,
  CACHE_STALE_IF_ERROR_SECONDS: 86_400,
  CATALOG_TIME_ZONE: 'UTC',
  RATE_LIMIT_MAX: 600,
}

const withoutDefault = [
  'UPSTREAM_URL',
  'UPSTREAM_TOKEN',
  'REDIS_URL',
  'REDIS_CLUSTER_NODES',
  'REDIS_SENTINELS',
  'REDIS_SENTINEL_NAME',
  'REDIS_SENTINEL_PASSWORD',
  'REDIS_USERNAME',
  'REDIS_PASSWORD',
  'REDIS_TLS_CA_FILE',
  'TRUST_PROXY',
  'PURGE_TOKEN',
]

/** The error of an invalid environment; throws when it is valid. */
function refusal(environment: Record<string, string>): InvalidEnvironment {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof InvalidEnvironment) return error
    throw error
  }
  throw new Error(`accepted: ${JSON.stringify(environment)}`)
}

t.test('an empty environment has the defaults', async (t) => {
  t.strictSame(readConfig({}), defaults)
  t.strictSame(readConfig({ PATH: '/usr/bin', port: '1', VITRINE: 'x' }), defaults, 'other variables are ignored')
})

t.test('an empty variable counts as unset', async (t) => {
  const names = [...Object.keys(defaults), ...withoutDefault]
  t.strictSame(readConfig(Object.fromEntries(names.map((name) => [name, '']))), defaults)
})

t.test('valid values are read with their types', async (t) => {
  const cases: [name: string, text: string, value: unknown][] = [
    ['HOST', '0.0.0.0', '0.0.0.0'],
    ['HOST', '::', '::'],
    ['PORT', '0', 0],
    ['PORT', '65535', 65_535],
    ...['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level): [string, string, string] => [
      'LOG_LEVEL',
      level,
      level,
    ]),
    ['UPSTREAM_URL', 'https://api.example.com/v1/', 'https://api.example.com/v1/'],
    ['UPSTREAM_TIMEOUT_MS', '1', 1],
    ['UPSTREAM_DEADLINE_MS', '600000', 600_000],
    ['REDIS_URL', 'redis://localhost', 'redis://localhost'],
    ['REDIS_URL', 'rediss://user:secret@redis.example.com:6380/2', 'rediss://user:secret@redis.example.com:6380/2'],
    ...[
      'redis://localhost/',
      'redis://localhost/0',
      'redis://localhost:6379/15',
      'redis://localhost?db=3',
      'redis://localhost/3?family=6',
      'redis://[::1]:6379',
      'redis://vitrine@localhost',
      'redis://:p%40ss@localhost',
    ].map((url): [string, string, unknown] => ['REDIS_URL', url, url]),
    ['REDIS_URL', 'unix:/run/redis.sock', 'unix:/run/redis.sock'],
    ['REDIS_URL', 'unix:///run/redis.sock', 'unix:///run/redis.sock'],
    ['REDIS_CLUSTER_NODES', 'a:7000, b:7001,[::1]:7002', 'a:7000, b:7001,[::1]:7002'],
    ['REDIS_TLS', 'false', false],
    ['CACHE_KEY_PREFIX', 'vitrine:', 'vitrine:'],
    ['CACHE_TTL_SECONDS', '1', 1],
    ['CACHE_STALE_WHILE_REVALIDATE_SECONDS', '0', 0],
    ['CACHE_STALE_IF_ERROR_SECONDS', '0', 0],
    ['CATALOG_TIME_ZONE', 'Europe/Paris', 'Europe/Paris'],
    ['CATALOG_TIME_ZONE', 'America/Argentina/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
    ['CATALOG_TIME_ZONE', 'Etc/GMT+2', 'Etc/GMT+2'],
    ['RATE_LIMIT_MAX', '0', 0],
    ['TRUST_PROXY', '127.0.0.1, 10.0.0.0/8,fd00::/8', '127.0.0.1, 10.0.0.0/8,fd00::/8'],
    ['PURGE_TOKEN', 'correct-horse', 'correct-horse'],
  ]
  for (const [name, text, value] of cases) {
    t.strictSame(readConfig({ [name]: text }), { ...defaults, [name]: value }, `${name}=${text}`)
  }
})

t.test('an invalid value is reported in one line with the variable and what it must be', async (t) => {
  const cases: [name: string, expected: string, values: string[]][] = [
    ['PORT', 'an integer between 0 and 65535', ['abc', '-1', '65536', '80.5', '3000x', 'NaN', ' ']],
    ['LOG_LEVEL', 'trace, debug, info, warn, error, fatal or silent', ['loud', 'INFO', '30']],
    [
      'UPSTREAM_URL',
      'an http:// or https:// URL',
      [
        'api.example.com',
        '/v1',
        'http://',
        'ftp://api.example.com',
        'file:///etc/passwd',
        'http://user:hunter2@api.example.com',
        'http://hunter2@api.example.com',
        'http://api.example.com/?key=hunter2',
        'http://api.example.com/#top',
      ],
    ],
    ['UPSTREAM_TOKEN', 'a token of printable characters', ['two words', 'line\r\nx-admin: hunter2', 'clé']],
    ['UPSTREAM_TIMEOUT_MS', 'an integer number of milliseconds', ['0', '-1', '1.5', '2s', '600001']],
    ['UPSTREAM_DEADLINE_MS', 'an integer number of milliseconds', ['0', '-1', '1.5', 'abc', '600001']],
    [
      'REDIS_URL',
      'a redis://, rediss:// or unix: URL of a Redis server, such as redis://localhost:6379/0; the path may only be a database number, and the only parameters are db and family',
      [
        'http://localhost:6379',
        'localhost:6379',
        'localhost',
        'redis://',
        'redis:localhost',
        'redis:///1',
        'REDISS://localhost',
        ' redis://localhost',
        'http://user:hunter2@localhost',
        'redis://user:hunter2%@localhost',
        'redis://us%er:hunter2@localhost',
        'redis://:hunter2#secret@localhost',
        'redis://localhost/abc',
        'redis://localhost/-1',
        'redis://localhost/1.5',
        'redis://localhost/1e3',
        'redis://localhost/%31',
        'redis://localhost/1/',
        'redis://localhost//1',
        'redis://localhost/1234567890',
        'redis://localhost/0#1',
        'redis://localhost?db=x',
        'redis://localhost?db=-1',
        'redis://localhost?db=',
        'redis://localhost?db=1&db=2',
        'redis://localhost/1?db=2',
        'redis://localhost?family=5',
        'redis://localhost?keyPrefix=x',
        'redis://localhost?enableOfflineQueue=true',
        'redis://localhost?password=hunter2',
        'redis://localhost:0',
        'redis://localhost:65536',
        'redis://localhost:-1',
        'redis://localhost:abc',
        'unix:',
        'unix:/',
        'unix:run/redis.sock',
        'unix://host/run/redis.sock',
        'unix:/run/redis.sock?db=2',
        'unix:/run/redis.sock#2',
        'unix:/run/redis server.sock',
      ],
    ],
    [
      'REDIS_CLUSTER_NODES',
      'a comma-separated list of host:port',
      [
        'a',
        'a:',
        ':7000',
        'a:0',
        'a:65536',
        'a:7000,',
        'a:7000,b',
        'a:7000;b:7001',
        'redis://a:7000',
        'me@a:7000',
        'a/1:7000',
        '[a]:7000',
      ],
    ],
    [
      'REDIS_SENTINELS',
      'a comma-separated list of host:port',
      ['a', 'a:26379,b', '::1:26379', 'redis://a:26379', '[::g]:26379'],
    ],
    [
      'TRUST_PROXY',
      'a comma-separated list of addresses and CIDR ranges of proxies',
      ['true', '1', '*', 'all', 'loopback', 'proxy.example', '10.0.0', '0.0.0.0/0', '::/0', '10.0.0.1,', '10.0.0.0/33'],
    ],
    ['REDIS_TLS', 'true or false', ['maybe', 'yes', '1', 'TRUE']],
    ['CACHE_KEY_PREFIX', '1 to 64 characters', ['a b', '{tag}', 'all*', 'x?', '[x]', 'x'.repeat(65)]],
    ['CACHE_TTL_SECONDS', 'an integer number of seconds', ['0', '-1', '1.5', 'abc', '5m', '2592001']],
    ['CACHE_STALE_WHILE_REVALIDATE_SECONDS', 'an integer number of seconds', ['-1', '1.5', 'abc', ' ', '2592001']],
    ['CACHE_STALE_IF_ERROR_SECONDS', 'an integer number of seconds', ['-1', '1.5', 'abc', ' ', '2592001']],
    ['CATALOG_TIME_ZONE', 'an IANA time zone', ['Mars/Olympus_Mons', '+02:00', '-0500', 'Europe', 'Europe/', '2']],
    ['RATE_LIMIT_MAX', 'an integer number of requests', ['-1', '1.5', 'none', ' ', '1000000001']],
    ['PURGE_TOKEN', 'a token of printable characters', ['two hunter2 words', 'tab\there']],
  ]
  for (const [name, expected, values] of cases) {
    for (const value of values) {
      await t.test(`${name}=${JSON.stringify(value)}`, async (t) => {
        const { message } = refusal({ [name]: value })
        t.ok(message.startsWith(`${name} must be ${expected}`), message)
        t.notMatch(message, /\n/)
        t.notMatch(message, /hunter2/)
      })
    }
  }
})

t.test('all invalid variables are reported in one line', async (t) => {
  const { message } = refusal({ PORT: 'abc', REDIS_TLS: 'maybe', CATALOG_TIME_ZONE: 'Nowhere' })
  for (const name of ['PORT must be', 'REDIS_TLS must be', 'CATALOG_TIME_ZONE must be'])
    t.ok(message.includes(name), name)
  t.notMatch(message, /\n/)
})

t.test('only one Redis location may be set', async (t) => {
  const url = { REDIS_URL: 'redis://:hunter2@localhost' }
  const cluster = { REDIS_CLUSTER_NODES: 'a:7000' }
  const sentinels = { REDIS_SENTINELS: 'a:26379', REDIS_SENTINEL_NAME: 'main' }
  for (const [environment, names] of [
    [{ ...url, ...cluster }, ['REDIS_URL', 'REDIS_CLUSTER_NODES']],
    [{ ...url, ...sentinels }, ['REDIS_URL', 'REDIS_SENTINELS']],
    [{ ...cluster, ...sentinels }, ['REDIS_CLUSTER_NODES', 'REDIS_SENTINELS']],
    [{ ...url, ...cluster, ...sentinels }, ['REDIS_URL', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS']],
  ] as const) {
    const { message } = refusal(environment)
    for (const name of names) t.ok(message.includes(name), message)
    t.notMatch(message, /hunter2|\n/)
  }
})

t.test('sentinels require the name of the master', async (t) => {
  const { message } = refusal({ REDIS_SENTINELS: 'a:26379' })
  t.match(message, /^REDIS_SENTINEL_NAME must be the name of the master/)
  t.notMatch(message, /\n/)
})

t.test('variables for Sentinel require sentinels', async (t) => {
  for (const name of ['REDIS_SENTINEL_NAME', 'REDIS_SENTINEL_PASSWORD']) {
    t.equal(refusal({ [name]: 'main' }).message, `${name} must not be set without REDIS_SENTINELS`)
  }
})

t.test('a CA file is read and must contain certificates', async (t) => {
  const { caFile } = createAuthority(t.testdir({ 'text.pem': 'no certificate', 'empty.pem': '' }), 'ca')
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  const folder = dirname(caFile)
  const ca = readFileSync(caFile)
  writeFileSync(`${folder}/broken.pem`, `${ca}${broken}`)
  writeFileSync(`${folder}/two.pem`, `${ca}${ca}`)
  for (const [file, environment] of [
    ['ca.crt', { REDIS_URL: 'rediss://localhost' }],
    ['ca.crt', { REDIS_URL: 'redis://localhost', REDIS_TLS: 'true' }],
    ['ca.crt', { REDIS_CLUSTER_NODES: 'a:7000', REDIS_TLS: 'true' }],
    ['two.pem', { REDIS_SENTINELS: 'a:26379', REDIS_SENTINEL_NAME: 'main', REDIS_TLS: 'true' }],
  ] as const) {
    const config = readConfig({ ...environment, REDIS_TLS_CA_FILE: `${folder}/${file}` })
    t.match(redisOptions(config), { tls: { ca: readFileSync(`${folder}/${file}`) } })
  }
  for (const file of ['missing.pem', 'text.pem', 'empty.pem', 'broken.pem', '.', 'ca.key']) {
    const { message } = refusal({ REDIS_URL: 'rediss://localhost', REDIS_TLS_CA_FILE: `${folder}/${file}` })
    t.equal(message, 'REDIS_TLS_CA_FILE must be the path of a readable file of PEM certificates', file)
  }
})

t.test('a CA file requires TLS', async (t) => {
  const { caFile: REDIS_TLS_CA_FILE } = createAuthority(t.testdir(), 'ca')
  for (const environment of [
    {},
    { REDIS_TLS: 'true' },
    { REDIS_URL: 'redis://localhost' },
    { REDIS_CLUSTER_NODES: 'a:7000' },
    { REDIS_SENTINELS: 'a:26379', REDIS_SENTINEL_NAME: 'main' },
  ]) {
    const { message } = refusal({ ...environment, REDIS_TLS_CA_FILE })
    t.match(message, /^REDIS_TLS_CA_FILE must not be set without TLS/)
    t.notMatch(message, /\n/)
  }
})

t.test('a variable that would have no effect is refused', async (t) => {
  const elsewhere = 'without REDIS_URL, REDIS_CLUSTER_NODES or REDIS_SENTINELS'
  const cases: [environment: Record<string, string>, message: string][] = [
    [{ REDIS_USERNAME: 'vitrine' }, `REDIS_USERNAME must not be set ${elsewhere}`],
    [{ REDIS_PASSWORD: 'hunter2' }, `REDIS_PASSWORD must not be set ${elsewhere}`],
    [{ REDIS_TLS: 'true' }, `REDIS_TLS must not be set ${elsewhere}`],
    [
      { REDIS_URL: 'redis://vitrine@localhost', REDIS_USERNAME: 'other' },
      'REDIS_USERNAME must not be set when REDIS_URL has its own',
    ],
    [
      { REDIS_URL: 'redis://:hunter2@localhost', REDIS_PASSWORD: 'hunter3' },
      'REDIS_PASSWORD must not be set when REDIS_URL has its own',
    ],
    [{ UPSTREAM_TOKEN: 'hunter2' }, 'UPSTREAM_TOKEN must not be set without UPSTREAM_URL'],
  ]
  for (const [environment, message] of cases) t.equal(refusal(environment).message, message)
  readConfig({ REDIS_URL: 'redis://vitrine@localhost', REDIS_PASSWORD: 'hunter2' })
  readConfig({ REDIS_URL: 'unix:/run/redis.sock', REDIS_PASSWORD: 'hunter2' })
  const { UPSTREAM_TOKEN } = readConfig({ UPSTREAM_URL: 'http://localhost', UPSTREAM_TOKEN: 'abc.DEF-123_~+/=' })
  t.equal(UPSTREAM_TOKEN, 'abc.DEF-123_~+/=')
})

t.test('the Redis variables become options of the plugin', async (t) => {
  const login = { REDIS_USERNAME: 'vitrine', REDIS_PASSWORD: 'secret', REDIS_TLS: 'true' }
  const cases: [name: string, environment: Record<string, string>, options: unknown][] = [
    ['nowhere: memory only', {}, undefined],
    ['one server', { REDIS_URL: 'redis://localhost/1' }, { url: 'redis://localhost/1', tls: false }],
    [
      'one server with credentials besides the URL',
      { REDIS_URL: 'redis://localhost/1', ...login },
      { url: 'redis://localhost/1', username: 'vitrine', password: 'secret', tls: true },
    ],
    [
      'a Cluster',
      { REDIS_CLUSTER_NODES: 'a:7000, [::1]:7001' },
      {
        clusterNodes: [
          { host: 'a', port: 7_000 },
          { host: '::1', port: 7_001 },
        ],
        tls: false,
      },
    ],
    [
      'a Cluster with credentials',
      { REDIS_CLUSTER_NODES: 'a:7000', ...login },
      { clusterNodes: [{ host: 'a', port: 7_000 }], username: 'vitrine', password: 'secret', tls: true },
    ],
    [
      'sentinels',
      { REDIS_SENTINELS: 'a:26379,b:26379', REDIS_SENTINEL_NAME: 'main' },
      {
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_379 },
        ],
        sentinelName: 'main',
        tls: false,
      },
    ],
    [
      'sentinels with credentials',
      { REDIS_SENTINELS: 'a:26379', REDIS_SENTINEL_NAME: 'main', REDIS_SENTINEL_PASSWORD: 'other', ...login },
      {
        sentinels: [{ host: 'a', port: 26_379 }],
        sentinelName: 'main',
        sentinelPassword: 'other',
        username: 'vitrine',
        password: 'secret',
        tls: true,
      },
    ],
  ]
  for (const [name, environment, options] of cases) t.strictSame(redisOptions(readConfig(environment)), options, name)
})

t.test('two upstreams never share a key prefix', async (t) => {
  const urls = [
    'http://api.example.com',
    'https://api.example.com',
    'http://api.example.com:8080',
    'http://api.example.com/v1',
    'http://api.example.com/v2',
    'http://api.example.com/V1',
    'http://staging.example.com',
  ]
  const prefixes = urls.map((url) => cacheKeyPrefix(readConfig({ UPSTREAM_URL: url })))
  const demo = cacheKeyPrefix(readConfig({}))
  t.equal(new Set([...prefixes, demo]).size, urls.length + 1)
  t.ok(
    [...prefixes, demo].every((prefix) => /^cat_\w+:$/.test(prefix)),
    'with a separator, so that none is a prefix of another',
  )
  t.equal(demo, 'cat_demo:')
})

t.test('one upstream has one key prefix whatever the form of its URL', async (t) => {
  const prefix = cacheKeyPrefix(readConfig({ UPSTREAM_URL: 'http://api.example.com/v1' }))
  for (const same of [
    'http://api.example.com/v1/',
    'http://api.example.com/v1//',
    'http://API.example.com/v1',
    'http://api.example.com:80/v1',
  ]) {
    t.equal(cacheKeyPrefix(readConfig({ UPSTREAM_URL: same })), prefix, same)
  }
})

t.test('the key prefix starts with the configured one', async (t) => {
  t.equal(cacheKeyPrefix(readConfig({ CACHE_KEY_PREFIX: 'vitrine:' })), 'vitrine:demo:')
})

t.test('the key prefix of an upstream is stable across versions', async (t) => {
  t.equal(cacheKeyPrefix(readConfig({ UPSTREAM_URL: 'http://api.example.com/v1' })), 'cat_7f7caf11:')
})
