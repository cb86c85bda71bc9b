import t from 'tap'
import { startPlugins } from '../harness/plugins.js'
import { startRedisCluster } from '../harness/redis-cluster.js'

const cluster = await startRedisCluster(t.testdir())
t.teardown(() => cluster.stop())
const clusterNodes = cluster.nodes.slice(0, 1).map(({ port }) => ({ host: '127.0.0.1', port }))

t.test('keeps entries in a Redis Cluster, each on the node that its key belongs to', async (t) => {
  const { app, book } = await startPlugins(t, { redis: { clusterNodes }, cache: { keyPrefix: 'cat_c:' } })
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

t.test('goes on without a node that is gone, and without an error', async (t) => {
  const { app, book } = await startPlugins(t, { redis: { clusterNodes }, cache: { keyPrefix: 'cat_d:' } })
  await cluster.nodes[2]?.kill()
  const keys = Array.from({ length: 30 }, (_, n) => `catalogs_seller_${n}`)
  for (const key of keys) t.equal(await app.cache.fetch(key, () => key), key)
  t.match(book.at(40)[0], { level: 40, subject: 'redis' })
  t.equal(book.at(50).length, 0)
})
