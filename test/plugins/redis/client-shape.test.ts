import { createRequire } from 'node:module'
import Fastify from 'fastify'
import type * as Ioredis from 'ioredis'
import t, { type Test } from 'tap'
import cache from '../../../plugins/cache/index.js'
import { longTimeouts, nextPrefix, untilTracking } from '../../harness/cache-pair.js'
import { createLogBook } from '../../harness/log.js'
import { startRedisCluster } from '../../harness/redis-cluster.js'
import { startRedis } from '../../harness/redis-server.js'
import { until } from '../../harness/until.js'

const redis = await startRedis()
const cluster = await startRedisCluster(t.testdir())
t.teardown(() => Promise.all([redis.stop(), cluster.stop()]))
const startupNodes = cluster.nodes.slice(0, 1).map(({ port }) => ({ host: '127.0.0.1', port }))

const require = createRequire(import.meta.url)
const versions: [name: string, ioredis: typeof Ioredis][] = [
  ['ioredis 5', require('ioredis-5')],
  ['another copy of ioredis 6', secondCopy('ioredis')],
]

for (const [name, { Redis, Cluster }] of versions) {
  for (const keyPrefix of ['', 'client:']) {
    t.test(`tracks keys through a client of ${name} with the prefix "${keyPrefix}"`, async (t) => {
      const client = new Redis(redis.port, '127.0.0.1', { keyPrefix })
      await tracks(t, client, async (key) => {
        t.equal(await redis.client.del(keyPrefix + key), 1)
      })
    })

    t.test(`tracks keys through a Cluster client of ${name} with the prefix "${keyPrefix}"`, async (t) => {
      const client = new Cluster(startupNodes, { redisOptions: { keyPrefix } })
      await tracks(t, client, async (key) => {
        const shard = (await cluster.shards()).find(({ has }) => has(keyPrefix + key))
        t.equal(await shard?.master.client.del(keyPrefix + key), 1)
      })
    })
  }
}

t.test('a client that only resembles ioredis is used without tracking', async (t) => {
  const { options, connector, isCluster } = { options: {}, connector: {}, isCluster: true }
  const duplicate = () => redis.client
  const clients: [name: string, members: object][] = [
    ['get and eval only', {}],
    ['isCluster only', { isCluster }],
    ['a Cluster without nodes', { isCluster, options, slots: [], on: () => undefined, publish: async () => 0 }],
    ['a Cluster without slots', { isCluster, options, nodes: () => [], on: () => undefined, publish: async () => 0 }],
    ['no options', { connector, duplicate }],
    ['no methods', { connector, duplicate, options }],
    ['options that are null', { connector, duplicate, options: null, isCluster }],
  ]
  for (const [name, members] of clients) {
    const book = createLogBook()
    const app = Fastify({ logger: { stream: book.stream } })
    const client = {
      get: (key: string) => redis.client.get(key),
      mget: (...keys: string[]) => redis.client.mget(...keys),
      eval: (script: string, count: number, ...rest: string[]) => redis.client.eval(script, count, ...rest),
      ...members,
    }
    await app.register(cache, { ...longTimeouts.cache, redis: client, keyPrefix: nextPrefix() })
    t.teardown(() => app.close())
    await app.ready()
    t.equal(await app.cache.set('k', 'v'), true, name)
    t.equal(await app.cache.get('k'), 'v', name)
    t.ok(await until(() => app.cache.stats().coherence === 'polling'), name)
    t.strictSame(book.at(40), [], name)
  }
})

t.test('keys of a Cluster are read one by one, whatever else its client lacks', async (t) => {
  const usesMget = async (members: object) => {
    let isUsed = false
    const client = {
      get: async () => 'short',
      mget: async (...keys: string[]) => {
        isUsed = true
        return keys.map(() => 'short')
      },
      eval: async () => [],
      ...members,
    }
    const app = Fastify()
    await app.register(cache, { ...longTimeouts.cache, redis: client })
    t.teardown(() => app.close())
    await app.ready()
    // Keys are read together once values are known to be short.
    for (let round = 0; round < 20; round += 1) await Promise.all([app.cache.get('a'), app.cache.get('b')])
    return isUsed
  }
  t.equal(await usesMget({}), true)
  t.equal(await usesMget({ isCluster: true }), false)
})

/** Stores entries through a client of the application, has each deleted by another client, and waits for the cache to notice. */
async function tracks(
  t: Test,
  client: Ioredis.Redis | Ioredis.Cluster,
  remove: (key: string) => Promise<void>,
): Promise<void> {
  const book = createLogBook()
  const app = Fastify({ logger: { stream: book.stream } })
  const prefix = nextPrefix()
  await app.register(cache, { ...longTimeouts.cache, redis: client, keyPrefix: prefix })
  t.teardown(async () => {
    await app.close()
    client.disconnect()
  })
  await app.ready()
  await untilTracking(app)
  const keys = Array.from({ length: 12 }, (_, n) => `k${n}`)
  for (const key of keys) t.equal(await app.cache.set(key, key), true)
  t.strictSame(await Promise.all(keys.map((key) => app.cache.get(key))), keys)
  for (const key of keys) {
    await remove(prefix + key)
    t.ok(await until(async () => (await app.cache.get(key)) === undefined))
  }
  t.strictSame(book.at(40), [])
}

/** The package, loaded again: its classes are not those that the plugins may have loaded. */
function secondCopy(name: string) {
  for (const file of Object.keys(require.cache)) {
    if (file.includes(`/node_modules/${name}/`)) delete require.cache[file]
  }
  return require(name)
}
