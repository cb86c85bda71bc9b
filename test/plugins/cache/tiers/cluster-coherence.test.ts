import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { CacheOptions } from 'fastify-vitrine/cache'
import t, { type Test } from 'tap'
import { isInMemory, nextPrefix, untilTracking } from '../../../harness/cache-pair.js'
import type { LogBook } from '../../../harness/log.js'
import { longTimeouts, startPlugins } from '../../../harness/plugins.js'
import { type RedisShard, startRedisCluster } from '../../../harness/redis-cluster.js'
import type { RedisServer } from '../../../harness/redis-server.js'
import { until } from '../../../harness/until.js'

// Two applications on one Redis Cluster represent two processes. A plain connection to one of its servers represents another
// client. Each test starts with a complete Cluster, its own prefix and keys on every master.

const cluster = await startRedisCluster(t.testdir(), { replicas: true })
t.teardown(() => cluster.stop())
const clusterNodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))

/** For reads from a dead server: the client retries for longer than a test should last. */
const shortTimeout = { readTimeoutMs: 250 }

t.test('a change by another client on any master invalidates the memory of every application', async (t) => {
  const { apps, prefix, shards } = await startTwo(t)
  const changes: { name: string; change: (master: RedisServer, wireKey: string) => Promise<unknown> }[] = [
    { name: 'del', change: ({ client }, wireKey) => client.del(wireKey) },
    { name: 'set', change: ({ client }, wireKey) => client.set(wireKey, 'corrupt') },
    { name: 'expiry', change: ({ client }, wireKey) => client.pexpire(wireKey, 1) },
  ]
  for (const { name, change } of changes) {
    for (const { master, keyFor } of shards) {
      const key = keyFor(name)
      await store(t, apps, [key])
      await change(master, prefix + key)
      for (const app of apps) t.ok(await until(() => hasEnded(app, key)), `${key} is invalidated`)
    }
  }
})

t.test('a flush of one master invalidates its keys only', async (t) => {
  const { apps, shards, keys } = await startTwo(t)
  await store(t, apps, keys)
  await shards[0].master.client.flushall()
  const [lost, ...others] = keys
  for (const app of apps) t.ok(await until(() => hasEnded(app, lost)))
  for (const app of apps) for (const key of others) t.equal(await app.cache.fetch(key, () => 'loaded'), 'stored')
})

t.test(
  'a purge in one application invalidates entries on every master in the other, without commands across slots',
  async (t) => {
    const { apps, books, shards } = await startTwo(t)
    const [a, b] = apps
    // Handshake commands that this version of Redis does not know are counted as errors.
    for (const { master } of shards) await master.client.config('RESETSTAT')
    const fail = async () => {
      throw new Error('upstream is down')
    }
    for (const hard of [false, true]) {
      for (const by of ['tags', 'keys', 'all'] as const) {
        const name = `${by}-${hard ? 'hard' : 'soft'}`
        const keys = shards.map(({ keyFor }) => keyFor(name))
        await store(t, apps, keys, [`of-${name}`, 'another'])
        const selector = { tags: { tags: [`of-${name}`] }, keys: { keys }, all: { all: true } }[by]
        t.match(await a.cache.purge({ ...selector, hard }), { isDone: true })
        for (const key of keys) {
          t.ok(await until(() => hasEnded(b, key)), `${key} is invalidated`)
          const reading = b.cache.fetch(key, fail)
          if (hard) await t.rejects(reading, { message: 'upstream is down' }, 'no copy remains')
          else t.equal(await reading, 'stored', 'the copy is served when the load fails')
        }
      }
    }
    for (const { master } of shards) {
      t.notMatch(
        await master.client.info('errorstats'),
        /errorstat_(?!NOSCRIPT)/,
        'Redis refused no command except for a script that it had not loaded',
      )
    }
    for (const book of books)
      t.notMatch(JSON.stringify(book.lines), /"subject":"redis"/, 'the client reported no failure')
  },
)

t.test(
  'during a manual fail-over stored entries are served, and changes on the new master invalidate them afterwards',
  async (t) => {
    const { apps, books, prefix, shards, keys } = await startTwo(t)
    const { replica } = shards[0]
    await store(t, apps, keys)
    await cluster.settle()
    const readers = readContinuously(apps, keys)
    await replica.client.call('CLUSTER', 'FAILOVER')
    await until(() => hasTakenOver(replica))
    for (const app of apps) await untilTracking(app)
    t.strictSame(await readers.stop(), { answers: ['stored'], loads: 0 })
    await checkInvalidation(t, apps, replica, prefix, keys[0])
    for (const book of books) t.strictSame(errorsIn(book), [])
  },
)

t.test(
  'after a master dies, changes on the new master invalidate entries even without writes by the applications',
  async (t) => {
    const { apps, prefix, shards, keys } = await startTwo(t, shortTimeout)
    const { master, replica } = shards[2]
    const key = keys[2]
    t.teardown(() => master.start())
    await store(t, apps, keys)
    await cluster.settle()
    const readers = readContinuously(apps, keys)
    await master.kill()
    await cluster.takeOver(replica)
    await readers.stop()
    t.equal(await replica.client.del(prefix + key), 1)
    for (const app of apps) t.ok(await until(() => hasEnded(app, key)), 'invalidated by the new master')
  },
)

t.test(
  'when a master dies stored entries are served, and an application that writes tracks the new master',
  async (t) => {
    const { apps, books, prefix, shards, keys } = await startTwo(t, shortTimeout)
    const { master, replica, keyFor } = shards[0]
    t.teardown(() => master.start())
    await store(t, apps, keys)
    await cluster.settle()
    const readers = readContinuously(apps, keys)
    await master.kill()
    await cluster.takeOver(replica)
    const isBack = async () => {
      for (const app of apps) await app.cache.set(keyFor('written'), 'new') // a write makes the client discover the new master
      const listeners = String(await replica.client.client('LIST', 'TYPE', 'PUBSUB')).match(/flags=\w*t/g) ?? []
      return listeners.length === apps.length && apps.every(({ cache }) => cache.stats().coherence === 'tracking')
    }
    await until(isBack)
    const { answers } = await readers.stop()
    t.ok(answers.includes('stored') && !answers.includes(undefined), 'every read returned a value')
    await store(t, apps, [keyFor('after')])
    await checkInvalidation(t, apps, replica, prefix, keyFor('after'))
    for (const book of books) t.strictSame(errorsIn(book), [])
  },
)

t.test('a purge that a fail-over has lost is restored, and applies to an application that starts later', async (t) => {
  const { apps, prefix, shards, options, keys } = await startTwo(t, shortTimeout)
  const [a, b] = apps
  const log = shards.find(({ has }) => has(`${prefix}~purges`)) ?? shards[0]
  const otherShard = shards.find((shard) => shard !== log) ?? shards[1]
  const key = otherShard.keyFor('purged')
  t.teardown(() => log.master.start())
  t.teardown(() => log.replica.resume())
  await store(t, apps, [key, ...keys], ['t'])
  await cluster.settle()

  log.replica.hang()
  await log.master.client.call('CLIENT', 'KILL', 'TYPE', 'replica') // the replica would still read what is in its socket
  t.match(await a.cache.purge({ tags: ['t'] }), { isDone: true })
  t.ok(await until(() => hasEnded(b, key)))
  t.match(await log.master.client.info('replication'), /connected_slaves:0/, 'no replica has the purge')
  await log.master.kill()
  log.replica.resume()
  await cluster.takeOver(log.replica)

  const isBack = async () => {
    for (const app of apps) await app.cache.set(log.keyFor('written'), 'new') // a write makes the client discover the new master
    return (await log.replica.client.zscore(`${prefix}~purges`, '.t')) !== null
  }
  t.ok(await until(isBack), 'the purge is restored')
  t.match(await otherShard.master.client.get(prefix + key), /stored/, 'the entry is still in Redis')
  const late = await startPlugins(t, options)
  t.equal(await late.app.cache.fetch(key, () => 'loaded'), 'loaded')
})

const losses: { name: string; lose: (master: RedisServer) => unknown }[] = [
  { name: 'was killed', lose: (master) => master.kill() },
  { name: 'hangs', lose: (master) => master.hang() },
]
for (const [n, { name, lose }] of losses.entries()) {
  t.test(`reads do not wait for a master that ${name} once the Cluster has forgotten it`, async (t) => {
    const { apps, books, prefix, shards, keys } = await startTwo(t, shortTimeout)
    const shard = shards[n] ?? shards[0] // each test uses a master that still has its replica
    const { master, replica } = shard
    const key = shard.keyFor('k')
    t.teardown(() => master.kill())
    await store(t, apps, keys)
    await cluster.settle()
    const readers = readContinuously(apps, keys, shard)
    await lose(master)
    await cluster.takeOver(replica)
    await cluster.forget(master)
    for (const app of apps) await untilTracking(app)
    t.strictSame((await readers.stop()).answers, ['stored'])
    for (const app of apps) t.ok(await until(() => isInMemory(app, key)))
    await replica.client.del(prefix + key)
    for (const app of apps) t.ok(await until(() => hasEnded(app, key)), 'invalidated by the new master')
    for (const book of books) t.strictSame(errorsIn(book), [])
  })
}

type Three<T> = readonly [T, T, T]

interface Shard extends RedisShard {
  readonly replica: RedisServer
  /** A key that begins with this name and belongs to the shard. */
  keyFor(name: string): string
}

async function startTwo(t: Test, budgets: CacheOptions = {}) {
  await cluster.settle()
  const prefix = nextPrefix()
  const cache = { keyPrefix: prefix, ...longTimeouts.cache, ...budgets }
  const options = { redis: { clusterNodes, ...longTimeouts.redis }, cache }
  const [one, other] = [await startPlugins(t, options), await startPlugins(t, options)]
  const apps = [one.app, other.app] as const
  for (const app of apps) await untilTracking(app)
  const shards = (await cluster.shards()).map(withKeys) as unknown as Three<Shard> // there are three masters
  const keys = shards.map(({ keyFor }) => keyFor('k')) as unknown as Three<string>
  return { apps, books: [one.book, other.book] as const, options, prefix, shards, keys }

  function withKeys(shard: RedisShard): Shard {
    const keyFor = (name: string) => {
      for (let n = 0; ; n += 1) if (shard.has(`${prefix}${name}-${n}`)) return `${name}-${n}`
    }
    // A shard whose master was forgotten has no replica. Only the last tests forget masters, each another one.
    return { ...shard, replica: shard.replica ?? shard.master, keyFor }
  }
}

type Apps = readonly FastifyInstance[]

/** Stores `stored` under the keys and waits until every application has it in memory. */
async function store(t: Test, apps: Apps, keys: readonly string[], tags: readonly string[] = []): Promise<void> {
  for (const key of keys) {
    t.equal(await apps[0]?.cache.set(key, 'stored', { tags }), true)
    for (const app of apps) t.ok(await until(() => isInMemory(app, key)), `${key} is in memory`)
  }
}

/** Checks that a delete of the key by another client on this server invalidates it in every application. */
async function checkInvalidation(t: Test, apps: Apps, server: RedisServer, prefix: string, key: string): Promise<void> {
  for (const app of apps) t.ok(await until(() => isInMemory(app, key)), `${key} is in memory`)
  t.equal(await server.client.del(prefix + key), 1)
  for (const app of apps) t.ok(await until(() => hasEnded(app, key)), 'invalidated')
}

/** Whether a read would load. Does not load. */
async function hasEnded(app: FastifyInstance, key: string): Promise<boolean> {
  return (await app.cache.get(key)) === undefined
}

/** Whether the server is a master that accepts requests. */
async function hasTakenOver({ client }: RedisServer): Promise<boolean> {
  const [role] = await client.role()
  return role === 'master' && String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')
}

/** Reads the keys in all applications in a loop, and new keys of a busy shard, several at a time. */
function readContinuously(apps: Apps, keys: readonly string[], busy?: Shard) {
  const answers = new Set<unknown>()
  let loads = 0
  let isStopped = false
  const load = () => {
    loads += 1
    return 'loaded'
  }
  const read = async (app: FastifyInstance) => {
    for (let round = 0; !isStopped; round += 1) {
      for (const key of keys) answers.add(await app.cache.fetch(key, load))
      const newKeys = busy === undefined ? [] : Array.from({ length: 10 }, (_, n) => busy.keyFor(`new-${round}-${n}`))
      await Promise.all(newKeys.map((key) => app.cache.fetch(key, () => key)))
      await pause(1)
    }
  }
  const reading = Promise.all(apps.map(read))
  return {
    async stop() {
      isStopped = true
      await reading
      return { answers: [...answers], loads }
    },
  }
}

function errorsIn(book: LogBook) {
  return book.lines.filter(({ level }) => level > 40)
}
