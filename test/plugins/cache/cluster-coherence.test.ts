import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { CacheOptions } from '../../../plugins/cache/index.js'
import type { LogBook } from '../../harness/log.js'
import { patient, startPlugins } from '../../harness/plugins.js'
import { type RedisShard, startRedisCluster } from '../../harness/redis-cluster.js'
import type { RedisServer } from '../../harness/redis-server.js'
import { isInMemory, nextPrefix, untilProven } from '../../harness/two-caches.js'
import { until } from '../../harness/until.js'

// Two applications on one Redis Cluster stand for two processes, a plain connection to one of its servers for a stranger. Each
// test begins with the Cluster whole, with a prefix of its own and with keys on every master.

const cluster = await startRedisCluster(t.testdir(), { replicas: true })
t.teardown(() => cluster.stop())
const clusterNodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))

/** For reads from a server that is gone: the client asks for it again and again, for longer than a test has to last. */
const brief = { readTimeoutMs: 250 }

t.test('what a stranger changes on any master is seen by the memory of every application', async (t) => {
  const { apps, prefix, shards } = await startTwo(t)
  const changes: { name: string; change: (master: RedisServer, wireKey: string) => Promise<unknown> }[] = [
    { name: 'del', change: ({ client }, wireKey) => client.del(wireKey) },
    { name: 'set', change: ({ client }, wireKey) => client.set(wireKey, 'rubbish') },
    { name: 'expiry', change: ({ client }, wireKey) => client.pexpire(wireKey, 1) },
  ]
  for (const { name, change } of changes) {
    for (const { master, keyFor } of shards) {
      const key = keyFor(name)
      await keep(t, apps, [key])
      await change(master, prefix + key)
      for (const app of apps) t.ok(await until(() => hasEnded(app, key)), `${key} is seen`)
    }
  }
})

t.test('a master that is flushed ends its own keys, and those of the others are not loaded again', async (t) => {
  const { apps, shards, keys } = await startTwo(t)
  await keep(t, apps, keys)
  await shards[0].master.client.flushall()
  const [lost, ...others] = keys
  for (const app of apps) t.ok(await until(() => hasEnded(app, lost)))
  for (const app of apps) for (const key of others) t.equal(await app.cache.fetch(key, () => 'loaded'), 'kept')
})

t.test('a purge in one application ends entries on every master in the other, slot by slot', async (t) => {
  const { apps, books, shards } = await startTwo(t)
  const [a, b] = apps
  // Greetings of the client that this version of Redis does not know are refused, and counted too.
  for (const { master } of shards) await master.client.config('RESETSTAT')
  const fail = async () => {
    throw new Error('the source is away')
  }
  for (const hard of [false, true]) {
    for (const by of ['tags', 'keys', 'all'] as const) {
      const name = `${by}-${hard ? 'hard' : 'soft'}`
      const keys = shards.map(({ keyFor }) => keyFor(name))
      await keep(t, apps, keys, [`of-${name}`, 'another'])
      const what = { tags: { tags: [`of-${name}`] }, keys: { keys }, all: { all: true } }[by]
      t.match(await a.cache.purge({ ...what, hard }), { isDone: true })
      for (const key of keys) {
        t.ok(await until(() => hasEnded(b, key)), `${key} is seen`)
        const left = b.cache.fetch(key, fail)
        if (hard) await t.rejects(left, { message: 'the source is away' }, 'nothing is left')
        else t.equal(await left, 'kept', 'the old value is there for when the load fails')
      }
    }
  }
  for (const { master } of shards) {
    t.notMatch(
      await master.client.info('errorstats'),
      /errorstat_(?!NOSCRIPT)/,
      'no command was refused, for spanning slots or anything but a script not met before',
    )
  }
  for (const book of books) t.notMatch(JSON.stringify(book.lines), /"subject":"redis"/, 'nor has a client')
})

t.test(
  'through an ordered fail-over what was kept is served, and then a stranger is heard on the new master',
  async (t) => {
    const { apps, books, prefix, shards, keys } = await startTwo(t)
    const { replica } = shards[0]
    await keep(t, apps, keys)
    await cluster.settle()
    const readers = readOn(apps, keys)
    await replica.client.call('CLUSTER', 'FAILOVER')
    await until(() => hasTakenOver(replica))
    for (const app of apps) await untilProven(app)
    t.strictSame(await readers.stop(), { answers: ['kept'], loads: 0 })
    await checkHeard(t, apps, replica, prefix, keys[0])
    for (const book of books) t.strictSame(worseThanWarnings(book), [])
  },
)

t.test('after the death of a master a stranger is heard on the new one, though nobody writes', async (t) => {
  const { apps, prefix, shards, keys } = await startTwo(t, brief)
  const { master, replica } = shards[2]
  const key = keys[2]
  t.teardown(() => master.start())
  await keep(t, apps, keys)
  await cluster.settle()
  const readers = readOn(apps, keys)
  await master.kill()
  await cluster.takeOver(replica)
  await readers.stop()
  t.equal(await replica.client.del(prefix + key), 1)
  for (const app of apps) t.ok(await until(() => hasEnded(app, key)), 'the new master is heard')
})

t.test(
  'through the death of a master what was kept is served, and whoever goes on writing hears the new one',
  async (t) => {
    const { apps, books, prefix, shards, keys } = await startTwo(t, brief)
    const { master, replica, keyFor } = shards[0]
    t.teardown(() => master.start())
    await keep(t, apps, keys)
    await cluster.settle()
    const readers = readOn(apps, keys)
    await master.kill()
    await cluster.takeOver(replica)
    const isBack = async () => {
      for (const app of apps) await app.cache.set(keyFor('written'), 'new') // so that it learns who is master now
      const listeners = String(await replica.client.client('LIST', 'TYPE', 'PUBSUB')).match(/flags=\w*t/g) ?? []
      return listeners.length === apps.length && apps.every(({ cache }) => cache.stats().coherence === 'tracking')
    }
    await until(isBack)
    const { answers } = await readers.stop()
    t.ok(answers.includes('kept') && !answers.includes(undefined), 'every read was answered')
    await keep(t, apps, [keyFor('after')])
    await checkHeard(t, apps, replica, prefix, keyFor('after'))
    for (const book of books) t.strictSame(worseThanWarnings(book), [])
  },
)

t.test('a purge that a fail-over has lost is put back, and holds for an application that starts later', async (t) => {
  const { apps, prefix, shards, options, keys } = await startTwo(t, brief)
  const [a, b] = apps
  const log = shards.find(({ has }) => has(`${prefix}~purges`)) ?? shards[0]
  const elsewhere = shards.find((shard) => shard !== log) ?? shards[1]
  const key = elsewhere.keyFor('purged')
  t.teardown(() => log.master.start())
  t.teardown(() => log.replica.resume())
  await keep(t, apps, [key, ...keys], ['t'])
  await cluster.settle()

  log.replica.hang()
  await log.master.client.call('CLIENT', 'KILL', 'TYPE', 'replica') // what it was sent it would still read
  t.match(await a.cache.purge({ tags: ['t'] }), { isDone: true })
  t.ok(await until(() => hasEnded(b, key)))
  t.match(await log.master.client.info('replication'), /connected_slaves:0/, 'nobody else has it')
  await log.master.kill()
  log.replica.resume()
  await cluster.takeOver(log.replica)

  const isBack = async () => {
    for (const app of apps) await app.cache.set(log.keyFor('written'), 'new') // so that it learns who is master now
    return (await log.replica.client.zscore(`${prefix}~purges`, '.t')) !== null
  }
  t.ok(await until(isBack), 'it is put back')
  t.match(await elsewhere.master.client.get(prefix + key), /kept/, 'the entry still lies there')
  const late = await startPlugins(t, options)
  t.equal(await late.app.cache.fetch(key, () => 'loaded'), 'loaded')
})

const losses: { name: string; lose: (master: RedisServer) => unknown }[] = [
  { name: 'was killed', lose: (master) => master.kill() },
  { name: 'hangs for good', lose: (master) => master.hang() },
]
for (const [n, { name, lose }] of losses.entries()) {
  t.test(`a master that ${name} is not waited for once the Cluster has forgotten it`, async (t) => {
    const { apps, books, prefix, shards, keys } = await startTwo(t, brief)
    const shard = shards[n] ?? shards[0] // each takes a master that has its replica yet
    const { master, replica } = shard
    const key = shard.keyFor('k')
    t.teardown(() => master.kill())
    await keep(t, apps, keys)
    await cluster.settle()
    const readers = readOn(apps, keys, shard)
    await lose(master)
    await cluster.takeOver(replica)
    await cluster.forget(master)
    for (const app of apps) await untilProven(app)
    t.strictSame((await readers.stop()).answers, ['kept'])
    for (const app of apps) t.ok(await until(() => isInMemory(app, key)))
    await replica.client.del(prefix + key)
    for (const app of apps) t.ok(await until(() => hasEnded(app, key)), 'the new master is heard')
    for (const book of books) t.strictSame(worseThanWarnings(book), [])
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
  const cache = { keyPrefix: prefix, ...patient.cache, ...budgets }
  const options = { redis: { clusterNodes, ...patient.redis }, cache }
  const [one, other] = [await startPlugins(t, options), await startPlugins(t, options)]
  const apps = [one.app, other.app] as const
  for (const app of apps) await untilProven(app)
  const shards = (await cluster.shards()).map(withKeys) as unknown as Three<Shard> // there are three masters
  const keys = shards.map(({ keyFor }) => keyFor('k')) as unknown as Three<string>
  return { apps, books: [one.book, other.book] as const, options, prefix, shards, keys }

  function withKeys(shard: RedisShard): Shard {
    const keyFor = (name: string) => {
      for (let n = 0; ; n += 1) if (shard.has(`${prefix}${name}-${n}`)) return `${name}-${n}`
    }
    // One that was forgotten is missed by nobody but the last tests, which each take another.
    return { ...shard, replica: shard.replica ?? shard.master, keyFor }
  }
}

type Apps = readonly FastifyInstance[]

/** Keeps `kept` under the keys, and waits until every application answers with it from its memory. */
async function keep(t: Test, apps: Apps, keys: readonly string[], tags: readonly string[] = []): Promise<void> {
  for (const key of keys) {
    t.equal(await apps[0]?.cache.set(key, 'kept', { tags }), true)
    for (const app of apps) t.ok(await until(() => isInMemory(app, key)), `${key} is in memory`)
  }
}

/** A key that lies on this server ends in every application when a stranger deletes it there. */
async function checkHeard(t: Test, apps: Apps, server: RedisServer, prefix: string, key: string): Promise<void> {
  for (const app of apps) t.ok(await until(() => isInMemory(app, key)), `${key} is in memory`)
  t.equal(await server.client.del(prefix + key), 1)
  for (const app of apps) t.ok(await until(() => hasEnded(app, key)), 'a stranger is heard')
}

/** Whether a read would load; does not load. */
async function hasEnded(app: FastifyInstance, key: string): Promise<boolean> {
  return (await app.cache.get(key)) === undefined
}

/** Whether the server is a master that serves. */
async function hasTakenOver({ client }: RedisServer): Promise<boolean> {
  const [role] = await client.role()
  return role === 'master' && String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')
}

/** Reads the keys in all applications over and over, and new ones of a busy shard, several at a time. */
function readOn(apps: Apps, keys: readonly string[], busy?: Shard) {
  const answers = new Set<unknown>()
  let loads = 0
  let isOver = false
  const load = () => {
    loads += 1
    return 'loaded'
  }
  const read = async (app: FastifyInstance) => {
    for (let round = 0; !isOver; round += 1) {
      for (const key of keys) answers.add(await app.cache.fetch(key, load))
      const news = busy === undefined ? [] : Array.from({ length: 10 }, (_, n) => busy.keyFor(`new-${round}-${n}`))
      await Promise.all(news.map((key) => app.cache.fetch(key, () => key)))
      await pause(1)
    }
  }
  const reading = Promise.all(apps.map(read))
  return {
    async stop() {
      isOver = true
      await reading
      return { answers: [...answers], loads }
    },
  }
}

function worseThanWarnings(book: LogBook) {
  return book.lines.filter(({ level }) => level > 40)
}
