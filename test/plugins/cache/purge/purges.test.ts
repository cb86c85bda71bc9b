import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Load } from 'fastify-vitrine/cache'
import { createTestStore } from 'fastify-vitrine/cache/testing'
import t from 'tap'
import { isInMemory, longTimeouts, nextPrefix, startCachePair, untilTracking } from '../../../harness/cache-pair.js'
import { createClock } from '../../../harness/clock.js'
import { createDeferred } from '../../../harness/deferred.js'
import { startPlugins } from '../../../harness/plugins.js'
import { startRedis } from '../../../harness/redis-server.js'
import { until } from '../../../harness/until.js'

const redis = await startRedis()
t.teardown(() => redis.stop())

const fail = () => {
  throw new Error('upstream is down')
}

/** Starts a load of `k`, tagged `x`, that ends when `slow` resolves. */
async function startLoad({ cache }: FastifyInstance) {
  const [slow, began] = [createDeferred<string>(), createDeferred<void>()]
  const load = () => {
    began.resolve()
    return slow.promise
  }
  const early = cache.fetch('k', load, { tags: ['x'] })
  await began.promise
  return { early, slow }
}

t.test('in every process a soft purge keeps the copy as stale-if-error and a hard purge removes it', async (t) => {
  const { a, b } = await startCachePair(t, redis.url)
  const purges: { name: string; purge: (key: string, hard: boolean) => Promise<unknown> }[] = [
    { name: 'key', purge: (key, hard) => a.cache.purge({ keys: [key], hard }) },
    { name: 'tag', purge: (key, hard) => a.cache.purge({ tags: [`of-${key}`], hard }) },
    { name: 'all', purge: (_key, hard) => a.cache.purge({ all: true, hard }) },
  ]
  for (const { name, purge } of purges) {
    for (const hard of [false, true]) {
      const key = `${name}-${hard ? 'hard' : 'soft'}`
      await a.cache.set(key, 'old', { tags: [`of-${key}`] })
      for (const app of [a, b]) t.ok(await until(() => isInMemory(app, key)), key)
      t.match(await purge(key, hard), { isDone: true })
      for (const app of [a, b]) {
        t.ok(await until(async () => (await app.cache.get(key)) === undefined), `${key} is no longer returned`)
        const reading = app.cache.read(key, fail)
        if (hard) await t.rejects(reading, { message: 'upstream is down' })
        else t.match(await reading, { value: 'old', state: 'stale', reason: 'stale-if-error' })
      }
    }
  }
})

t.test('a soft purge keeps the copies in memory even if Redis has lost the entry', async (t) => {
  const { a, b, prefix } = await startCachePair(t, redis.url)
  await a.cache.set('k', 'old')
  for (const app of [a, b]) t.ok(await until(() => isInMemory(app, 'k')))
  await redis.client.del(`${prefix}k`)
  await a.cache.purge({ keys: ['k'] })
  for (const app of [a, b]) {
    t.ok(await until(async () => (await app.cache.get('k')) === undefined))
    t.equal(await app.cache.fetch('k', fail), 'old')
  }
  await a.cache.purge({ keys: ['k'], hard: true })
  for (const app of [a, b]) {
    t.ok(
      await until(() =>
        app.cache.fetch('k', fail).then(
          () => false,
          () => true,
        ),
      ),
      'a hard purge removes them',
    )
  }
})

t.test('the result of a load that began before a purge is returned and not stored as fresh', async (t) => {
  const { a } = await startCachePair(t, redis.url)
  for (const purge of [{ keys: ['k'] }, { tags: ['x'] }, { all: true }]) {
    const { early, slow } = await startLoad(a)
    await a.cache.purge(purge)
    const late = a.cache.fetch('k', () => 'new', { tags: ['x'] })
    t.equal(await late, 'new', 'a read after the purge does not join it')
    slow.resolve('old')
    t.equal(await early, 'old')
    t.equal(await a.cache.fetch('k', () => 'newer', { tags: ['x'] }), 'new')
    await a.cache.delete('k')
  }
})

t.test('a read after a purge by a tag that the loader adds does not join the load from before the purge', async (t) => {
  const { cache } = (await startPlugins(t)).app
  for (const when of ['before', 'after'] as const) {
    const [began, slow] = [createDeferred<void>(), createDeferred<string>()]
    const load = async ({ addTags }: Load) => {
      if (when === 'before') addTags('x')
      began.resolve()
      const value = await slow.promise
      if (when === 'after') addTags('x')
      return value
    }
    const reads = [cache.fetch(when, load)]
    await began.promise
    for (const value of ['one', 'two', 'three']) {
      reads.push(cache.fetch(when, () => value))
      await new Promise(setImmediate) // the read has started
      if (value !== 'three') await cache.purge({ tags: ['x'] })
    }
    slow.resolve('old')
    const [, early, ...late] = await Promise.all(reads)
    t.equal(early, 'old', `tagged ${when} the purges: reads from before them`)
    t.strictSame(late, ['two', 'two'], 'reads from after them')
  }
})

t.test('a load that waits for the lease while its key is purged is stored, as it begins after the purge', async (t) => {
  const { a, b } = await startCachePair(t, redis.url)
  for (const [key, change] of [
    ['purged', () => b.cache.purge({ keys: ['purged'] })],
    ['deleted', () => b.cache.delete('deleted')],
  ] as const) {
    const [slow, began] = [createDeferred<string>(), createDeferred<void>()]
    const first = a.cache.fetch(key, ({ skipStore }) => {
      skipStore()
      began.resolve()
      return slow.promise
    })
    await began.promise
    const waiting = b.cache.read(key, () => 'stored')
    t.ok(await until(() => b.cache.stats().loads.inFlight === 1))
    await change()
    slow.resolve('not stored')
    t.match(await waiting, { value: 'stored', reason: 'miss' }, key)
    await first
    for (const app of [a, b]) t.ok(await until(async () => (await app.cache.get(key)) === 'stored'), key)
  }
})

t.test('after a purge of any kind a load that failed before is retried at once', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { now: clock.now } })).app
  let isDown = true
  const load = ({ addTags }: Load) => {
    addTags('added')
    if (isDown) throw new Error('upstream is down')
    return 'good'
  }
  const policy = { tags: ['x'] }
  const purges = [{ keys: ['k'] }, { tags: ['x'] }, { tags: ['added'] }, { all: true }]
  for (const purge of purges) {
    const name = JSON.stringify(purge)
    isDown = true
    for (let failure = 0; failure < 4; failure += 1) await t.rejects(cache.fetch('k', load, policy))
    isDown = false
    await t.rejects(cache.fetch('k', load, policy), { message: 'upstream is down' }, `${name}: the error is cached`)
    await cache.purge(purge)
    t.equal(await cache.fetch('k', load, policy), 'good', `${name}: without a stale copy`)
    await cache.purge(purge)
    isDown = true
    t.match(await cache.read('k', load, policy), { value: 'good', reason: 'stale-if-error' })
    isDown = false
    t.match(await cache.read('k', load, policy), { reason: 'stale-if-error' }, `${name}: refreshes are paused`)
    await cache.purge(purge)
    t.match(await cache.read('k', load, policy), { state: 'fresh', reason: 'miss' }, name)
    await cache.delete('k')
  }
})

t.test('two processes that purge concurrently receive the purges of each other', async (t) => {
  const { a, b } = await startCachePair(t, redis.url)
  for (let round = 0; round < 30; round += 1) {
    const [x, y] = [`x${round}`, `y${round}`]
    for (const key of [x, y]) {
      await a.cache.set(key, 'old', { tags: [key] })
      t.ok(await until(async () => (await b.cache.get(key)) === 'old'))
    }
    await Promise.all([a.cache.purge({ tags: [x] }), b.cache.purge({ tags: [y] })])
    for (const app of [a, b]) {
      for (const key of [x, y]) t.ok(await until(async () => (await app.cache.get(key)) === undefined))
    }
  }
})

t.test('purges that Redis has lost are restored, and apply to a process that starts later', async (t) => {
  const { a, prefix } = await startCachePair(t, redis.url)
  await a.cache.set('k', 'old', { tags: ['x'] })
  await a.cache.purge({ tags: ['x'], hard: true })
  const text = await redis.client.get(`${prefix}k`)
  t.match(text, /old/, 'the entry is still in Redis: a purge by tag touches no entry')
  await redis.client.del(`${prefix}~purges`)
  t.ok(await until(async () => (await redis.client.zscore(`${prefix}~purges`, '!x')) !== null), 'restored')
  const late = await startPlugins(t, {
    redis: { url: redis.url, ...longTimeouts.redis },
    cache: { keyPrefix: prefix, ...longTimeouts.cache },
  })
  await t.rejects(late.app.cache.fetch('k', fail), { message: 'upstream is down' })
})

t.test('a process that cannot read the purges serves nothing from Redis as fresh', async (t) => {
  const { a, prefix } = await startCachePair(t, redis.url)
  await a.cache.set('k', 'old')
  await redis.client.call('ACL', 'SETUSER', 'nopurges', 'on', '>secret', '~*', '&*', '+@all', '-zrangebyscore')
  const url = `redis://nopurges:secret@127.0.0.1:${redis.port}`
  const { app } = await startPlugins(t, {
    redis: { url, ...longTimeouts.redis },
    cache: { keyPrefix: prefix, ...longTimeouts.cache },
  })
  t.equal(await app.cache.get('k'), undefined)
  t.equal(await app.cache.fetch('k', fail), 'old', 'only when the load fails')
})

t.test(
  'a purge while Redis is down applies in this process at once, is reported as queued, and reaches the others later',
  async (t) => {
    const { a, b } = await startCachePair(t, redis.url)
    for (const key of ['k', 'l', 'm']) {
      await a.cache.set(key, 'old', { tags: [`of-${key}`] })
      for (const app of [a, b]) t.ok(await until(() => isInMemory(app, key)))
    }
    redis.hang()
    t.teardown(() => redis.resume())
    for (const app of [a, b]) app.redisBreakers.forClient.trip() // stays open: no probe is answered
    const queued = { isDone: false, queued: { tags: ['of-k'], keys: ['l'], all: false } }
    t.strictSame(await a.cache.purge({ tags: ['of-k'], keys: ['l'], hard: true }), queued)
    t.equal(await a.cache.delete('m'), true)
    t.equal(a.cache.stats().purges.queued, 3)
    for (const key of ['k', 'l', 'm']) {
      await t.rejects(a.cache.fetch(key, fail), { message: 'upstream is down' })
      t.equal(await b.cache.fetch(key, fail), 'old', 'the other process has not received it')
    }
    redis.resume()
    t.ok(await until(() => a.cache.stats().purges.queued === 0), 'sent when Redis is back')
    for (const app of [a, b]) {
      for (const key of ['k', 'l', 'm']) {
        t.ok(await until(async () => (await app.cache.get(key)) === undefined))
        await t.rejects(app.cache.fetch(key, fail), { message: 'upstream is down' })
      }
    }
  },
)

t.test('a hard purge in another process applies to a read that is in flight', async (t) => {
  const shared = createTestStore()
  const [one, other] = [
    (await startPlugins(t, { cache: { store: shared.store } })).app,
    (await startPlugins(t, { cache: { store: shared.connect() } })).app,
  ]
  await one.cache.set('k', 'old')
  await other.cache.purge({ keys: ['k'] })
  t.equal(await one.cache.fetch('k', fail), 'old', 'a soft purge leaves the copy')
  await one.cache.purge({ keys: ['k'] }) // ends the back-off
  shared.slow(20)
  const purging = other.cache.purge({ keys: ['k'], hard: true })
  const reading = one.cache.fetch('k', fail) // receives the purge before the reply of the store
  await t.rejects(reading, { message: 'upstream is down' })
  await purging
})

t.test('a hard purge applies in a process that reads after a later write and the loss of the entry', async (t) => {
  const { a, b, prefix } = await startCachePair(t, redis.url)
  await a.cache.set('k', 'old')
  t.ok(await until(() => isInMemory(b, 'k')))
  await a.cache.purge({ keys: ['k'], hard: true })
  await a.cache.set('k', 'new')
  await redis.client.del(`${prefix}k`)
  t.ok(await until(async () => (await b.cache.get('k', { allowStale: true })) === undefined))
  await t.rejects(b.cache.fetch('k', fail), { message: 'upstream is down' })
})

t.test('a purge of a key ends a value that a process loaded while it was disconnected from Redis', async (t) => {
  const { a, b } = await startCachePair(t, redis.url)
  await a.cache.set('k', 'shared')
  b.redisBreakers.forClient.trip()
  t.equal(await b.cache.fetch('k', () => 'its own'), 'its own')
  await a.cache.purge({ keys: ['k'] })
  await untilTracking(b)
  t.equal(await b.cache.fetch('k', () => 'loaded again'), 'loaded again')
})

t.test('explain reports when a hard purge of the key was made', async (t) => {
  const { a } = await startCachePair(t, redis.url)
  await a.cache.set('k', 'old')
  const before = Date.now()
  await a.cache.purge({ keys: ['k'], hard: true })
  const { redis: tombstone } = await a.cache.explain('k')
  t.match(tombstone, { isHard: true, purgedAt: Number })
  const purgedAt = typeof tombstone === 'object' && 'purgedAt' in tombstone ? tombstone.purgedAt : 0
  t.equal(Math.round(purgedAt / before), 1, 'in milliseconds since the epoch')
})

t.test('a purge of a key reaches the entries of two deployed versions with different schemas', async (t) => {
  const { a, b } = await startCachePair(t, redis.url)
  const [V1, V2] = [Type.Integer({ title: 'one' }), Type.Integer({ title: 'two' })]
  t.equal(await a.cache.fetch('k', () => 1, { schema: V1 }), 1)
  t.equal(await b.cache.fetch('k', () => 2, { schema: V2 }), 2)
  await a.cache.purge({ keys: ['k'] })
  t.ok(await until(async () => (await b.cache.fetch('k', () => 3, { schema: V2 })) === 3))
  t.equal(await a.cache.fetch('k', () => 4, { schema: V1 }), 4)
})

t.test('when more purges are queued than the queue holds, everything is purged when Redis is back', async (t) => {
  const { a, b } = await startCachePair(t, redis.url)
  await a.cache.set('bystander', 'old')
  t.ok(await until(() => isInMemory(b, 'bystander')))
  redis.hang()
  t.teardown(() => redis.resume())
  a.redisBreakers.forClient.trip() // stays open: no probe is answered
  for (let batch = 0; batch < 5; batch += 1) {
    const keys = Array.from({ length: 250 }, (_none, n) => `k${batch}-${n}`)
    t.match(await a.cache.purge({ keys }), { isDone: false })
  }
  t.ok(a.cache.stats().purges.queued <= 1_000)
  redis.resume()
  t.ok(await until(async () => (await b.cache.get('bystander')) === undefined))
})

t.test('when more purges are queued than the queue holds, all of them apply in this process', async (t) => {
  const { a, b } = await startCachePair(t, redis.url)
  const keys = Array.from({ length: 1_200 }, (_none, n) => `k${n}`)
  for (const key of ['k0', 'k1']) await a.cache.set(key, 'old')
  await redis.client.config('SET', 'maxmemory', '1')
  t.teardown(() => redis.client.config('SET', 'maxmemory', '0'))
  for (let at = 0; at < keys.length; at += 200) {
    t.match(await b.cache.purge({ keys: keys.slice(at, at + 200) }), { isDone: false })
  }
  t.not(b.cache.stats().coherence, 'disconnected', 'a full Redis answers reads')
  t.equal(await b.cache.get('k0'), undefined)
  t.equal(await b.cache.fetch('k1', () => 'new'), 'new')
})

t.test('a late write of a value loaded before a hard purge in another process is refused', async (t) => {
  const { a, b, prefix } = await startCachePair(t, redis.url)
  const { early, slow } = await startLoad(a)
  await b.cache.purge({ keys: ['k'], hard: true })
  slow.resolve('old')
  t.equal(await early, 'old')
  t.ok(await until(() => a.cache.stats().writes.purged === 1), 'counted as purged')
  t.notMatch(await redis.client.get(`${prefix}k`), /old/)
  t.equal(await b.cache.fetch('k', () => 'new'), 'new')
})

t.test('a starting process reads fifty thousand purges page by page', async (t) => {
  const prefix = nextPrefix()
  const stamp = Date.now() * 1_000
  await redis.client.zadd(`${prefix}~purges`, 0, '#made')
  for (let at = 0; at < 50_000; at += 5_000) {
    const some = Array.from({ length: 5_000 }, (_none, n) => [stamp - Math.floor((at + n) / 100), `.tag-${at + n}`])
    await redis.client.zadd(`${prefix}~purges`, ...some.flat())
  }
  await redis.client.config('RESETSTAT')
  const { app } = await startPlugins(t, {
    redis: { url: redis.url, ...longTimeouts.redis },
    cache: { keyPrefix: prefix, ...longTimeouts.cache },
  })
  await until(() => app.cache.stats().purges.remembered === 50_000)
  const [, pages] = /cmdstat_zrangebyscore:calls=(\d+)/.exec(await redis.client.info('commandstats')) ?? []
  t.ok(Number(pages) >= 10, `${pages} pages`)
  t.strictSame(app.cache.stats().failures, {})
})
