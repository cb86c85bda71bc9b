import t from 'tap'
import type { CacheOptions } from '../../../plugins/cache/index.js'
import { resolveOptions } from '../../../plugins/cache/options.js'
import { createTestStore } from '../../../plugins/cache/testing/index.js'

t.test('each option has a default', async (t) => {
  const { now, ...resolved } = resolveOptions({})
  t.equal(now, Date.now)
  t.strictSame(resolved, {
    keyPrefix: 'cat_',
    redis: undefined,
    store: undefined,
    readTimeoutMs: 100,
    writeTimeoutMs: 250,
    loadTimeoutMs: 30_000,
    softTimeoutMs: 300,
    negativeTtlSeconds: 30,
    leaseMs: 3_000,
    maxMemoryBytes: 67_108_864,
    maxMemoryEntries: 100_000,
    compressAboveBytes: undefined,
    metricLabel: undefined,
    maxEntryBytes: 8_388_608,
    lifetime: { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 86_400 },
  })
})

t.test('valid options are taken as they are', async (t) => {
  const { store } = createTestStore()
  const client = { get: async () => null, eval: async () => null }
  t.match(resolveOptions({ keyPrefix: 'x_', store, redis: client, ttlSeconds: 0.5, leaseMs: 1 }), {
    keyPrefix: 'x_',
    store,
    redis: client,
    lifetime: { ttlSeconds: 0.5 },
    leaseMs: 1,
  })
  t.equal(resolveOptions({ redis: false }).redis, false)
})

for (const [name, value, expected] of [
  ['keyPrefix', '', 'a string that is not empty'],
  ['ttlSeconds', 0, 'a number greater than 0 and at most 31622400'],
  ['ttlSeconds', '60', 'a number greater than 0 and at most 31622400'],
  ['staleWhileRevalidateSeconds', -1, 'a number from 0 to 31622400'],
  ['staleIfErrorSeconds', Number.NaN, 'a number from 0 to 31622400'],
  ['redis', {}, 'a client of ioredis, or false; it is an object without get and eval'],
  ['readTimeoutMs', 0, 'an integer from 1 to 2147483647'],
  ['readTimeoutMs', null, 'an integer from 1 to 2147483647'],
  ['readTimeoutMs', 1.5, 'an integer from 1 to 2147483647'],
  ['loadTimeoutMs', 2 ** 31, 'an integer from 1 to 2147483647'],
  ['negativeTtlSeconds', 0, 'a number greater than 0 and at most 31622400'],
  ['maxMemoryEntries', 0, 'an integer of at least 1'],
  ['maxMemoryEntries', 1_000.5, 'an integer of at least 1'],
  ['compressAboveBytes', null, 'a number greater than 0'],
  ['maxEntryBytes', '8', 'a number greater than 0'],
  ['metricLabel', 'x', 'a function'],
  ['now', 1, 'a function'],
] as const) {
  t.test(`${name} must be ${expected}, not ${value}`, async (t) => {
    const options = { [name]: value } as CacheOptions // wrong on purpose
    t.throws(() => resolveOptions(options), {
      code: 'VITRINE_CACHE_OPTION',
      message: `fastify.cache: ${name} must be ${expected}`,
    })
  })
}

t.test('the error for a store without all methods names those that it lacks', async (t) => {
  const { store } = createTestStore()
  const all =
    'isCircuitOpen, get, stampOf, set, purgeKey, readPurges, addPurges, restorePurges, acquireLease, renewLease, releaseLease, watch, close'
  const partial = new Proxy(store, {
    get: (target, name) => (name === 'stampOf' || name === 'close' ? undefined : Reflect.get(target, name)),
  })
  for (const [value, missing] of [
    [partial, 'stampOf, close'],
    [{}, all],
    ['redis', all],
    [null, all],
  ] as const) {
    t.throws(() => resolveOptions({ store: value as typeof store }), {
      code: 'VITRINE_CACHE_OPTION',
      message: `fastify.cache: store must be a Store; it lacks ${missing}`,
    })
  }
})

t.test('an unknown option is refused', async (t) => {
  const options = { ttl: 60 } as CacheOptions // wrong on purpose
  t.throws(() => resolveOptions(options), { message: 'fastify.cache: there is no option ttl' })
})
