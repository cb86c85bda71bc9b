import t from 'tap'
import { longTimeouts, untilTracking } from '../../harness/cache-pair.js'
import { startPlugins } from '../../harness/plugins.js'
import { startRedisCluster } from '../../harness/redis-cluster.js'
import { until } from '../../harness/until.js'

const cluster = await startRedisCluster(t.testdir())
t.teardown(() => cluster.stop())
const clusterNodes = cluster.nodes.slice(0, 1).map(({ port }) => ({ host: '127.0.0.1', port }))
const redis = { clusterNodes, ...longTimeouts.redis }

t.test('stores each entry on the Cluster node of its key', async (t) => {
  const { app, book } = await startPlugins(t, { redis, cache: { keyPrefix: 'cat_c:', ...longTimeouts.cache } })
  const keys = Array.from({ length: 30 }, (_, n) => `catalogs_seller_${n}`)
  for (const key of keys) t.equal(await app.cache.set(key, key), true)
  for (const key of keys) t.equal(await app.cache.get(key), key)
  const sizes = await Promise.all(cluster.nodes.map(({ client }) => client.dbsize()))
  t.equal(
    sizes.reduce((sum, size) => sum + size),
    keys.length,
  )
  t.ok(
    sizes.every((size) => size > 0),
    `spread over the nodes: ${sizes}`,
  )
  t.equal(book.at(40).length, 0)
})

t.test('while one node hangs the keys of the other nodes are still cached', async (t) => {
  const { app, book } = await startPlugins(t, { redis, cache: { keyPrefix: 'cat_h:', ...longTimeouts.cache } })
  const { cache } = app
  await untilTracking(app)
  const [hung, ...others] = await cluster.shards()
  const keys = Array.from({ length: 30 }, (_, n) => `catalogs_seller_${n}`)
  const isOnHung = (key: string) => hung?.has(`cat_h:${key}`) === true
  const [lost, served] = [keys.filter(isOnHung), keys.filter((key) => !isOnHung(key))]
  for (const key of keys) t.equal(await cache.set(key, 'stored'), true)

  hung?.master.hang()
  t.teardown(() => hung?.master.resume())
  app.redisBreakers.forKey(`cat_h:${lost[0]}`).trip() // stays open: no probe is answered
  for (const key of lost) t.match(await cache.read(key, () => 'loaded'), { value: 'stored', tier: 'memory' })
  const before = cache.stats()
  for (const key of served) {
    t.ok(await until(async () => (await cache.read(key, () => 'loaded')).tier === 'memory'))
    t.equal(await cache.get(key), 'stored')
    t.equal(await cache.set(`${key}_new`, 'new'), true)
  }
  t.equal(cache.stats().loads.succeeded, before.loads.succeeded, 'nothing is loaded again')
  for (const { master, has } of others) {
    const key = served.find((key) => has(`cat_h:${key}`)) ?? ''
    t.equal(await master.client.del(`cat_h:${key}`), 1)
    t.ok(await until(async () => (await cache.get(key)) === undefined), 'a change on another node is received')
    const written = await Promise.all(
      served.filter((key) => has(`cat_h:${key}_new`)).map((key) => master.client.exists(`cat_h:${key}_new`)),
    )
    t.ok(
      written.every((found) => found === 1),
      'new entries are written',
    )
  }

  hung?.master.resume()
  await untilTracking(app)
  for (const key of lost) t.equal(await cache.fetch(key, () => 'loaded'), 'stored')
  t.equal(book.lines.filter(({ level }) => level > 40).length, 0)
})

t.test('a dead node causes warnings but no errors', async (t) => {
  const cache = { keyPrefix: 'cat_d:', readTimeoutMs: 100, writeTimeoutMs: 250 } // the node never answers again
  const { app, book } = await startPlugins(t, { redis, cache })
  await cluster.nodes[2]?.kill()
  const keys = Array.from({ length: 30 }, (_, n) => `catalogs_seller_${n}`)
  for (const key of keys) t.equal(await app.cache.fetch(key, () => key), key)
  t.match(await book.until(({ level }) => level === 40), { subject: 'redis' })
  t.equal(book.at(50).length, 0)
})
