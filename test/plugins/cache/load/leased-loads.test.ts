import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import cache, { channels, type WriteEvent } from 'fastify-vitrine/cache'
import { createTestStore, type Store } from 'fastify-vitrine/cache/testing'
import redisPlugin from 'fastify-vitrine/redis'
import t from 'tap'
import { StoreFailure } from '../../../../plugins/cache/store.js'
import { type CacheProcess, createCacheProcesses } from '../../../harness/cache-processes.js'
import type { Outcome } from '../../../harness/cache-worker.js'
import { createDeferred } from '../../../harness/deferred.js'
import { longTimeouts, startPlugins } from '../../../harness/plugins.js'
import { startRedis } from '../../../harness/redis-server.js'
import { until as untilMet } from '../../../harness/until.js'

// Real processes on one Redis. A load lasts until the test ends it: a read that is answered before has not waited for it.

const redis = await startRedis()
t.teardown(() => redis.stop())
const openProcesses = createCacheProcesses(t, redis)

/** A lease that outlives every deadline here, as does half of it: a process that proceeds did not wait for its end. */
const endlessMs = 600_000

t.test('concurrent misses of fifty callers in each of four processes share one load', async (t) => {
  const { all, resolveAll, loads, leaseRequests, until } = await openProcesses(t, {
    count: 4,
    cache: { leaseMs: endlessMs },
  })
  const answers = readAll(all, 'k', 50)
  await until(() => leaseRequests('k') === 4 || loads.length > 1)

  resolveAll('v')
  const outcomes = await answers
  t.strictSame(valuesOf(outcomes), Array(200).fill('v'))
  t.equal(loads.length, 1)
  t.equal(outcomes.filter((outcome) => 'reason' in outcome && outcome.reason === 'miss').length, 1)
})

t.test('when a loading process is killed, another process loads as soon as the lease expires', async (t) => {
  const { all, load, loads, resolveAll, leaseRequests, leaseOf, until } = await openProcesses(t, {
    cache: { leaseMs: endlessMs },
  })
  const answers = readAll(all, 'k')
  await until(() => leaseRequests('k') === 3)
  const first = await load(0)
  await first.by.kill()
  const leftMs = await redis.client.pttl(leaseOf('k'))
  t.ok(leftMs > 0 && leftMs <= endlessMs, `the lease expires in ${leftMs} ms`)
  t.equal(loads.length, 1)

  t.equal(await redis.client.pexpire(leaseOf('k'), 1), 1)
  const second = await load(1)
  t.not(second.by, first.by)
  resolveAll('v')
  t.strictSame(valuesOf(await answers), ['v', 'v'], 'both remaining processes receive the value')
  t.equal(loads.length, 2)
})

t.test('the lease is renewed while the load runs, and released when it ends', async (t) => {
  const leaseMs = 1_000
  const { all, load, resolveAll, leaseOf, leaseReleased } = await openProcesses(t, { cache: { leaseMs } })
  const answers = readAll(all, 'k')
  await load(0)
  for (let renewal = 0; renewal < 4; renewal += 1) {
    await redis.client.pexpire(leaseOf('k'), endlessMs)
    await untilMet(async () => (await redis.client.pttl(leaseOf('k'))) <= leaseMs)
  }
  resolveAll('v')
  t.strictSame(valuesOf(await answers), ['v', 'v', 'v'])
  await leaseReleased('k')
})

t.test('a process with a stale value does not wait for the load of another process', async (t) => {
  const cache = { leaseMs: endlessMs, softTimeoutMs: endlessMs }
  const { all, load, loads, leaseReleased } = await openProcesses(t, { cache, isStepped: true })
  const [a, b, c] = all
  const windows = [
    { key: 'stale-while-revalidate', policy: { ttlSeconds: 300, staleWhileRevalidateSeconds: 600 } },
    { key: 'stale-if-error', policy: { ttlSeconds: 300, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 600 } },
  ]
  for (const { key, policy } of windows) {
    const count = loads.length
    const cold = a.read(key, { policy })
    const first = await load(count)
    first.resolve('old')
    await cold
    await leaseReleased(key)
    for (const process of all) await process.step(301)

    const refreshing = a.read(key, { policy })
    const refresh = await load(count + 1)
    const stale = { value: 'old', state: 'stale', reason: 'stale' }
    t.strictSame(
      await readAll([b, c], key, 5, policy),
      Array(10).fill(stale),
      `${key}: answered while another process loads`,
    )
    t.equal(loads.length, count + 2, `${key}: one process loads`)
    refresh.resolve('new')
    await refreshing
  }
})

t.test('after a failed load each process that waited for it loads once', async (t) => {
  const { all, load, loads, leaseRequests, until } = await openProcesses(t, { count: 4, cache: { leaseMs: endlessMs } })
  const answers = readAll(all, 'k', 5)
  await until(() => leaseRequests('k') === 4)
  const first = await load(0)
  first.reject('the first load fails')
  for (const index of [1, 2, 3]) (await load(index)).reject('a later load fails')
  const errors = (await answers).map((outcome) => ('error' in outcome ? outcome.error : outcome.value))
  t.equal(errors.filter((error) => error === 'the first load fails').length, 5)
  t.equal(errors.filter((error) => error === 'a later load fails').length, 15)
  t.equal(loads.length, 4)
  t.equal(new Set(loads.map(({ by }) => by)).size, 4, 'one load in each process')
})

t.test('after a failed load the processes that waited for it load concurrently', async (t) => {
  const shared = createTestStore()
  const failed = new Set<string>()
  let waiting = 0
  const connect = (): Store => {
    const store = shared.connect()
    // The real marker of a failed load expires after a second. Here it does not expire.
    return withCalls(store, {
      async acquireLease(key, token) {
        if (failed.has(key)) return 'released'
        const answer = await store.acquireLease(key, token)
        if (answer === 'held-elsewhere') waiting += 1
        return answer
      },
      releaseLease(key, token, how) {
        if (how === 'empty') failed.add(key)
        return store.releaseLease(key, token, how)
      },
    })
  }
  const loads: ReturnType<typeof createDeferred<string>>[] = []
  const load = () => {
    const deferred = createDeferred<string>()
    loads.push(deferred)
    return deferred.promise
  }
  const starts = Array.from({ length: 4 }, () => startPlugins(t, { cache: { store: connect(), leaseMs: endlessMs } }))
  const apps = (await Promise.all(starts)).map(({ app }) => app)
  const reading = Promise.allSettled(apps.map(({ cache }) => cache.fetch('k', load)))
  await untilMet(() => loads.length === 1 && waiting === 3)
  loads[0]?.reject(new Error('the first load fails'))
  await untilMet(() => loads.length === 4)
  for (const other of loads.slice(1)) other.reject(new Error('a later load fails'))
  t.equal((await reading).filter(({ status }) => status === 'rejected').length, 4)
  t.equal(loads.length, 4)
})

t.test('while Redis hangs each process loads on its own', async (t) => {
  const { all, loads, until } = await openProcesses(t, { cache: { readTimeoutMs: 500, leaseMs: endlessMs } })
  redis.hang()
  t.teardown(() => redis.resume())
  const answers = readAll(all, 'k', 5)
  await until(() => loads.length === 3)
  for (const [index, load] of loads.entries()) load.resolve(`v${index}`)
  const expected = ['v0', 'v1', 'v2'].flatMap((value) => Array(5).fill(value))
  t.strictSame(valuesOf(await answers).toSorted(), expected)
  t.equal(loads.length, 3)
})

t.test('a read whose lookup has spent the budget loads without asking for the lease', async (t) => {
  const readTimeoutMs = 20
  const asked: string[] = []
  const store = createTestStore().store
  const slow = withCalls(store, {
    async get(key) {
      await sleep(3 * readTimeoutMs)
      if (key === 'fails') throw new StoreFailure('timeout', { isOutage: true, message: 'no answer' })
      return undefined
    },
    acquireLease(key, token) {
      asked.push(key)
      return store.acquireLease(key, token)
    },
  })
  const { app } = await startPlugins(t, { cache: { store: slow, readTimeoutMs } })
  for (const key of ['fails', 'answers late']) t.equal(await app.cache.fetch(key, () => 'v'), 'v')
  t.strictSame(asked, [])
})

t.test('a process that waits for the load of another process loads on its own when Redis hangs', async (t) => {
  const cache = { leaseMs: endlessMs, readTimeoutMs: 1_000 }
  const { all, loads, resolveAll, leaseRequests, until } = await openProcesses(t, { cache })
  const answers = readAll(all, 'k')
  await until(() => loads.length > 0 && (leaseRequests('k') === 3 || loads.length === 3))

  redis.hang()
  t.teardown(() => redis.resume())
  await until(() => loads.length === 3)
  resolveAll('v')
  t.strictSame(valuesOf(await answers), ['v', 'v', 'v'])
})

t.test('a process that closes while it loads releases its lease, and another process loads at once', async (t) => {
  const { all, load, loads, resolveAll, leaseRequests, until } = await openProcesses(t, {
    cache: { leaseMs: endlessMs },
  })
  const answers = readAll(all, 'k')
  await until(() => leaseRequests('k') === 3)
  const first = await load(0)
  await first.by.close()

  const second = await load(1)
  t.not(second.by, first.by)
  resolveAll('v')
  const outcomes = await answers
  t.equal(outcomes.filter((outcome) => 'error' in outcome && outcome.error === 'the cache is closed').length, 1)
  t.strictSame(valuesOf(outcomes), ['v', 'v'])
  t.equal(loads.length, 2)
})

t.test(
  'the result of a load that began before a purge is returned to its callers and not stored as fresh',
  async (t) => {
    const { all, load, resolveAll, loads } = await openProcesses(t, { cache: { leaseMs: endlessMs } })
    const [loading, purging] = all
    const purges = [
      { key: 'by-key', purge: { keys: ['by-key'] }, tagsPurged: 0 },
      { key: 'by-key-hard', purge: { keys: ['by-key-hard'], hard: true }, tagsPurged: 0 },
      { key: 'by-tag', purge: { tags: ['of-by-tag'] }, tagsPurged: 1 },
      { key: 'by-tag-hard', purge: { tags: ['of-by-tag-hard'], hard: true }, tagsPurged: 2 },
    ]
    for (const { key, purge, tagsPurged } of purges) {
      const reading = loading.read(key, { callers: 5, policy: { tags: [`of-${key}`] } })
      const outdated = await load(loads.length)
      await purging.purge(purge)
      await loading.tagsPurged(tagsPurged)
      outdated.resolve('before')
      t.strictSame(valuesOf(await reading), Array(5).fill('before'), `${key}: its callers began before the purge`)
    }

    resolveAll('after')
    for (const process of all) await process.tagsPurged(2)
    for (const { key } of purges) {
      const values = valuesOf(await readAll(all, key, 1, { tags: [`of-${key}`] }))
      t.strictSame(values, Array(3).fill('after'), `${key}: later reads do not receive it`)
    }
  },
)

t.test('a read after a purge does not wait for a load that began before it', async (t) => {
  const { all, load, loads, resolveAll } = await openProcesses(t, { cache: { leaseMs: endlessMs } })
  const [loading, purging, third] = all
  for (const purge of [{ keys: ['k'] }, { tags: ['x'] }]) {
    const count = loads.length
    const policy = { tags: ['x'] }
    const reading = loading.read('k', { policy })
    const outdated = await load(count)
    await purging.purge(purge)
    const next = third.read('k', { policy })
    const newer = await load(count + 1)
    newer.resolve('after')
    t.strictSame(valuesOf(await next), ['after'])
    outdated.resolve('before')
    await reading
    await purging.purge({ keys: ['k'], hard: true })
  }
  resolveAll('')
})

t.test('a Redis that hangs between the lookup and the lease does not block a read', async (t) => {
  const cache = { leaseMs: endlessMs, readTimeoutMs: 1_000 }
  const { all, loads, resolveAll, until } = await openProcesses(t, { cache })
  await redis.client.call('CLIENT', 'PAUSE', '600000', 'WRITE') // reads pass, scripts wait
  t.teardown(() => redis.client.call('CLIENT', 'UNPAUSE'))
  const answers = readAll(all, 'k')
  await untilMet(async () => loads.length === 3 || /blocked_clients:3/.test(await redis.client.info('clients')))
  redis.hang()
  t.teardown(() => redis.resume())
  await until(() => loads.length === 3)
  resolveAll('v')
  t.strictSame(valuesOf(await answers), ['v', 'v', 'v'])
})

t.test('a caller that disconnects does not cancel the load, and its result is stored', async (t) => {
  const keyPrefix = 'cat_disconnected:'
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redisPlugin, { url: redis.url, ...longTimeouts.redis })
  await app.register(cache, { keyPrefix, ...longTimeouts.cache })
  const began = createDeferred<AbortSignal>()
  const disconnected = createDeferred<void>()
  const upstream = createDeferred<string>()
  app.get('/', async (request) => {
    request.raw.socket.once('close', () => disconnected.resolve())
    return app.cache.fetch('k', ({ signal }) => {
      began.resolve(signal)
      return upstream.promise
    })
  })
  const caller = request(await app.listen({ host: '127.0.0.1', port: 0 }))
  caller.on('error', () => undefined) // it is destroyed below
  caller.end()
  const signal = await began.promise
  caller.destroy()
  await disconnected.promise
  t.equal(signal.aborted, false)

  const written = createDeferred<void>()
  const onWrite = (event: unknown) => {
    if ((event as WriteEvent).cache === keyPrefix) written.resolve() // the payload type of this channel
  }
  channels.write.subscribe(onWrite)
  t.teardown(() => channels.write.unsubscribe(onWrite))
  upstream.resolve('v')
  await written.promise
  t.match(await app.cache.read('k', () => 'loaded again'), { value: 'v', reason: 'hit' })
  t.equal(signal.aborted, false)
})

/** Wraps the store and replaces some of its methods. */
function withCalls(store: Store, calls: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(calls, name)
      const value: unknown = own ?? Reflect.get(target, name, target) // private fields need the target as receiver
      return own === undefined && typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Reads concurrently with all callers of all these processes and returns their outcomes. */
async function readAll(processes: readonly CacheProcess[], key: string, callers = 1, policy = {}): Promise<Outcome[]> {
  return (await Promise.all(processes.map((process) => process.read(key, { callers, policy })))).flat()
}

/** The values of the outcomes that have one. */
function valuesOf(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap((outcome) => ('value' in outcome ? [outcome.value] : []))
}
