import fastifyRedis from '@fastify/redis'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import t from 'tap'
import cache, { type CacheOptions } from '../../../plugins/cache/index.js'
import { createTestStore } from '../../../plugins/cache/testing/index.js'

// What may be registered as `fastify.redis`, or passed as `redis`.

const get = async () => null
const client = { get, eval: get }
const nodeRedis = { ...client, isOpen: true, isReady: true, sendCommand: get }
const pool = { acquire: get, release: get, use: get }

const others: [title: string, value: unknown, found: string][] = [
  [
    'a map with one client',
    { main: client },
    'a map of clients, main: pass one of them, such as redis: app.redis.main',
  ],
  [
    'a map with several clients',
    { main: client, sessions: client },
    'a map of clients, main, sessions: pass one of them, such as redis: app.redis.main',
  ],
  [
    'a map whose name is not an identifier',
    { 'my cache': client },
    'a map of clients, my cache: pass one of them, such as redis: app.redis["my cache"]',
  ],
  [
    'a map behind a proxy',
    new Proxy({ main: client }, {}),
    'a map of clients, main: pass one of them, such as redis: app.redis.main',
  ],
  ['an empty map', Object.create(null), 'an object without get and eval'],
  ['a Map', new Map([['main', client]]), 'an object without get and eval'],
  ['a pool', pool, 'an object without get and eval'],
  ['a client of node-redis', nodeRedis, 'a client of node-redis'],
  ['null', null, 'null'],
  ['text', 'redis://127.0.0.1', 'redis://127.0.0.1'],
  ['a function', get, 'a function'],
]

for (const [title, value, found] of others) {
  t.test(`${title} as fastify.redis is refused by name`, async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    app.decorate<unknown>('redis', value)
    await t.rejects(Promise.resolve(app.register(cache)), {
      code: 'VITRINE_CACHE_OPTION',
      message: `fastify.cache: fastify.redis is ${found}; or redis: false`,
    })
  })

  t.test(`${title} as the option redis is refused by name`, async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    const options = { redis: value } as CacheOptions // wrong on purpose
    await t.rejects(Promise.resolve(app.register(cache, options)), {
      code: 'VITRINE_CACHE_OPTION',
      message: `fastify.cache: redis must be a client of ioredis, or false; it is ${found}`,
    })
  })

  t.test(`${title} as fastify.redis does not matter with redis: false, or with a store`, async (t) => {
    for (const options of [{ redis: false as const }, { store: createTestStore().store }]) {
      const app = Fastify()
      t.teardown(() => app.close())
      app.decorate<unknown>('redis', value)
      await app.register(cache, options)
      t.equal(await app.cache.fetch('k', () => 1), 1)
    }
  })
}

t.test('a client of a map can be passed, and a proxy of a client is one', async (t) => {
  for (const redis of [client, new Proxy(client, {})]) {
    const app = Fastify()
    t.teardown(() => app.close())
    app.decorate<unknown>('redis', { main: client })
    await app.register(cache, { redis })
    t.not(app.cache.stats().coherence, 'memory-only')
  }
})

t.test('the namespaces of @fastify/redis are named, and one of its clients can be passed', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const lazy = { lazyConnect: true, enableOfflineQueue: false }
  // @fastify/redis waits for a client that is not ready.
  const ready = () => Object.assign(new Redis(lazy), { status: 'ready' as const })
  const clients = { main: ready(), sessions: ready() }
  t.teardown(() => Object.values(clients).map((each) => each.disconnect()))
  for (const [namespace, client] of Object.entries(clients)) await app.register(fastifyRedis, { namespace, client })
  await t.rejects(Promise.resolve(app.register(cache)), {
    message: /map of clients, main, sessions: .* app\.redis\.main/,
  })
})
