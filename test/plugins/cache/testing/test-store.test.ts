import Fastify from 'fastify'
import cache, { type CacheOptions } from 'fastify-vitrine/cache'
import { countLoads, createManualClock, createTestStore, type Store } from 'fastify-vitrine/cache/testing'
import t, { type Test } from 'tap'
import { entryOf, storeContract } from '../../../contracts/store.js'
import { createDeferred } from '../../../harness/deferred.js'
import { createLogBook } from '../../../harness/log.js'
import { until } from '../../../harness/until.js'

t.test('the test store fulfils the store contract', (t) => storeContract(t, async () => createTestStore().store))

t.test('connections of one test store share its contents and receive every change', async (t) => {
  const shared = createTestStore()
  const stores = [shared.store, shared.connect()] as const
  const received: string[][] = [[], []]
  for (const [at, store] of stores.entries()) watch(store, (event) => received[at]?.push(event))
  await settle()
  const { entry, text } = entryOf('v')
  await stores[0].set('k', entry, text)
  t.equal(await stores[1].stampOf('k'), entry.stamp)
  await stores[1].purgeKey('k', { stamp: entry.stamp + 1, isHard: false, fenceMs: 1_000 })
  await stores[1].addPurges(['.a'], entry.stamp)
  shared.flush()
  const expected = ['proven true', 'changed k', 'changed k', 'purged', 'flushed']
  t.strictSame(received, [expected, expected])
  t.equal(await stores[0].get('k'), undefined)
})

t.test('a closed connection receives no events', async (t) => {
  const shared = createTestStore()
  const received: string[] = []
  watch(shared.store, (event) => received.push(event))
  await shared.store.close()
  await settle()
  shared.down()
  t.strictSame(received, [])
})

t.test('the first read is a miss, the second a hit, and the cache is tracking while the store is up', async (t) => {
  const { app, loads } = await start(t)
  t.match(await app.cache.read('k', loads.load), { value: 1, tier: 'load', reason: 'miss' })
  t.match(await app.cache.read('k', loads.load), { value: 1, tier: 'memory', reason: 'hit' })
  t.equal(loads.count, 1)
  t.equal(app.cache.stats().coherence, 'tracking')
})

t.test('with the store down the cache serves from memory, loads missing entries, and logs one warning', async (t) => {
  const { app, book, shared, clock, loads } = await start(t)
  await app.cache.fetch('k', loads.load)
  await settle()
  shared.down()
  t.equal(app.cache.stats().coherence, 'disconnected')
  t.match(await app.cache.read('k', loads.load), { value: 1, tier: 'memory', reason: 'hit' })
  t.match(await app.cache.read('other', loads.load), { value: 2, tier: 'load', reason: 'miss' })
  clock.step(70)
  t.match(await app.cache.read('k', loads.load), { value: 3, reason: 'miss' }, 'a stale entry is loaded again')
  t.match(book.at(40), [{ kind: 'closed', subject: 'cache' }])
  t.equal(book.at(40).length, 1)

  shared.up()
  await settle()
  t.equal(app.cache.stats().coherence, 'tracking')
  clock.step(2)
  await app.cache.set('k', 4)
  t.match(book.at(30).at(-1), { msg: 'cache recovered', kinds: ['closed'] })
})

t.test('with the store down and a failing load the stale value is served as stale-if-error', async (t) => {
  const { app, shared, clock } = await start(t)
  await app.cache.fetch('k', () => 'old')
  shared.down()
  clock.step(70)
  const reading = await app.cache.read('k', () => {
    throw new Error('upstream is down')
  })
  t.match(reading, { value: 'old', state: 'stale', reason: 'stale-if-error' })
})

t.test(
  'a purge while the store is down applies in this cache at once and in the others when the store is up',
  async (t) => {
    const { app, shared, clock, loads } = await start(t)
    const other = await startCache(t, shared.connect(), clock.now)
    await app.cache.fetch('k', loads.load, { tags: ['x'] })
    await settle()
    t.equal(await other.cache.get('k'), 1)
    shared.down()
    t.strictSame(await app.cache.purge({ tags: ['x'] }), {
      isDone: false,
      queued: { tags: ['x'], keys: [], all: false },
    })
    t.equal(await app.cache.get('k'), undefined)
    t.equal(await other.cache.get('k'), 1, 'the other cache has not received it')
    shared.up()
    await settle()
    t.equal(app.cache.stats().purges.queued, 0)
    t.equal(await other.cache.get('k'), undefined)
  },
)

t.test('with the store hung a read waits for its timeout, then loads, and logs a warning', async (t) => {
  const { app, book, shared, loads } = await start(t)
  shared.hang()
  t.equal(app.cache.stats().coherence, 'polling')
  t.match(await app.cache.read('k', loads.load), { value: 1, tier: 'load', reason: 'miss' })
  t.match(book.at(40), [{ kind: 'timeout', subject: 'cache' }])
  shared.up()
  await settle()
  t.equal(app.cache.stats().coherence, 'tracking')
})

t.test(
  'a hung store rejects after its timeout, a slow store answers after its delay or rejects after its timeout',
  async (t) => {
    const shared = createTestStore({ timeoutMs: 30 })
    shared.hang()
    t.equal(shared.mode, 'hung')
    const hung = await settlesAfterTimer(29, () => shared.store.get('k'))
    t.match(hung.error, { kind: 'timeout', isOutage: true })
    t.equal(hung.isLater, true)
    shared.slow(20)
    const slow = await settlesAfterTimer(19, () => shared.store.get('k'))
    t.equal(slow.error, undefined)
    t.equal(slow.isLater, true)
    shared.slow(60_000)
    t.match((await settlesAfterTimer(29, () => shared.store.get('k'))).error, { kind: 'timeout' })
  },
)

t.test('with a slow store reads succeed as if it were up, without a warning', async (t) => {
  const { app, book, shared, clock, loads } = await start(t)
  shared.slow(10)
  t.match(await app.cache.read('k', loads.load), { value: 1, reason: 'miss' })
  await app.cache.set('other', 'v')
  const { cache } = await startCache(t, shared.connect(), clock.now)
  t.match(await cache.read('other', loads.load), { value: 'v', tier: 'redis', reason: 'hit' })
  t.strictSame(book.at(40), [])
})

t.test('a flaky store fails every nth call; no read fails, and the first failure logs a warning', async (t) => {
  const { app, book, shared, loads } = await start(t)
  shared.flaky(2)
  for (let at = 0; at < 10; at += 1) t.equal((await app.cache.read(`k${at}`, loads.load)).value, at + 1)
  t.match(book.at(40), [{ kind: 'closed' }])
  t.equal(book.at(40).length, 1)
  t.equal(app.cache.stats().coherence, 'tracking', 'the connection is up')
})

t.test('corrupt data in the store is a miss, logs a warning and is not an outage', async (t) => {
  const { app, book, shared, loads } = await start(t)
  await app.cache.set('k', 'v')
  const { cache } = await startCache(t, shared.connect())
  shared.corrupt()
  await t.rejects(shared.store.get('k'), { name: 'StoreFailure', kind: 'corrupt', isOutage: false })
  t.match(await cache.read('k', loads.load), { reason: 'miss' })
  t.equal((await app.cache.read('new', loads.load)).reason, 'miss')
  t.match(book.at(40), [{ kind: 'corrupt', key: 'new' }])
  t.equal(book.at(30).filter(({ msg }) => msg.includes('recovered')).length, 0)
})

t.test('a set, purge or delete in one cache is visible in the other at once', async (t) => {
  const { app, shared, clock } = await start(t)
  const one = app.cache
  const two = (await startCache(t, shared.connect(), clock.now)).cache
  await one.set('k', 'first', { tags: ['x'] })
  t.equal(await two.get('k'), 'first')
  await two.set('k', 'second', { tags: ['x'] })
  t.equal(await one.get('k'), 'second')
  t.strictSame((await one.purge({ tags: ['x'] })).isDone, true)
  t.equal(await two.get('k'), undefined)
  t.equal(await two.get('k', { allowStale: true }), 'second', 'available as a stale copy')
  await two.set('k', 'third', { tags: ['x'] })
  t.equal(await one.get('k'), 'third', 'a value set after the purge is fresh')
  await two.purge({ keys: ['k'], hard: true })
  t.equal(await one.get('k', { allowStale: true }), undefined)
  await two.set('k', 'fourth')
  t.equal(await one.delete('k'), true)
  t.equal(await two.get('k', { allowStale: true }), undefined)
})

t.test('with the system clock changes are ordered as they were made', async (t) => {
  const shared = createTestStore()
  const one = (await startCache(t, shared.store)).cache
  const two = (await startCache(t, shared.connect())).cache
  for (let round = 0; round < 20; round += 1) {
    t.equal(await one.set('k', `one ${round}`, { tags: ['x'] }), true)
    await two.purge({ tags: ['x'] })
    t.equal(await one.get('k'), undefined)
    t.equal(await two.set('k', `two ${round}`, { tags: ['x'] }), true)
    t.equal(await one.get('k'), `two ${round}`)
  }
})

t.test('concurrent misses of two caches share one load', async (t) => {
  const shared = createTestStore()
  const [one, two] = [await startCache(t, shared.store), await startCache(t, shared.connect())]
  const upstream = createDeferred<string>()
  const loads = countLoads(() => upstream.promise)
  const reads = [one.cache.read('k', loads.load), two.cache.read('k', loads.load)]
  await until(() => loads.inFlight === 1)
  await settle()
  upstream.resolve('v')
  t.match(await Promise.all(reads), [
    { value: 'v', reason: 'miss' },
    { value: 'v', reason: 'collapsed' },
  ])
  t.equal(loads.count, 1)
  t.equal(loads.inFlight, 0)
})

t.test('after a flush of the store entries are loaded again, and the copies in memory are stale', async (t) => {
  const { app, shared, loads } = await start(t)
  await app.cache.fetch('k', loads.load)
  await settle()
  shared.flush()
  t.equal(await app.cache.get('k'), undefined)
  t.equal(await app.cache.get('k', { allowStale: true }), 1)
  t.equal(await app.cache.fetch('k', loads.load), 2)
})

t.test('a cache that is registered while the store is down is disconnected from the start', async (t) => {
  const shared = createTestStore()
  shared.down()
  const { cache } = await startCache(t, shared.store)
  t.equal(cache.stats().coherence, 'disconnected')
  t.equal(await cache.fetch('k', () => 'v'), 'v')
})

t.test('a manual clock stands still, advances by seconds and can be set to a time', (t) => {
  const clock = createManualClock('2026-03-10T12:00:00Z')
  const { now } = clock
  t.equal(now(), Date.UTC(2026, 2, 10, 12))
  clock.step(1.5)
  t.equal(now(), Date.UTC(2026, 2, 10, 12, 0, 1, 500))
  clock.set('2026-03-11T00:00:00Z')
  t.equal(now(), Date.UTC(2026, 2, 11))
  clock.set(0)
  t.equal(now(), 0)
  t.throws(() => clock.set('soon'), RangeError)
  const before = Date.now()
  const start = createManualClock().now()
  t.ok(before <= start && start <= Date.now(), 'it starts at the current time')
  t.end()
})

/** A cache on its own test store, with one clock for both, and a loader that returns 1, 2, 3 … */
async function start(t: Test) {
  const clock = createManualClock()
  const shared = createTestStore({ clock })
  const book = createLogBook()
  const app = await startCache(t, shared.store, clock.now, book.stream)
  let last = 0
  const loads = countLoads(() => {
    last += 1
    return last
  })
  return { app, book, shared, clock, loads }
}

async function startCache(t: Test, store: Store, now?: CacheOptions['now'], stream?: NodeJS.WritableStream) {
  const app = Fastify(stream === undefined ? {} : { logger: { stream } })
  const lifetimes = { ttlSeconds: 60, staleWhileRevalidateSeconds: 0 }
  await app.register(cache, { store, ...lifetimes, ...(now === undefined ? {} : { now }) })
  await app.ready()
  t.teardown(() => app.close())
  return app
}

/** Waits for pending work. With a manual clock the store uses turns of the event loop instead of timers. */
async function settle(): Promise<void> {
  for (let at = 0; at < 20; at += 1) await new Promise(setImmediate)
}

function watch(store: Store, onEvent: (event: string) => void): void {
  store.watch({
    changed: (keys) => onEvent(`changed ${keys.join()}`),
    removed: (key) => onEvent(`removed ${key}`),
    leaseChanged: (key) => onEvent(`leaseChanged ${key}`),
    purged: () => onEvent('purged'),
    flushed: () => onEvent('flushed'),
    trackingChanged: (isProven) => onEvent(`proven ${isProven}`),
    circuitChanged: (isAway) => onEvent(`away ${isAway}`),
    clockAdjusted: () => onEvent('clockMoved'),
  })
}

/** Whether the operation settles after a timer that starts in the same turn, and the error if it rejects. */
async function settlesAfterTimer(
  ms: number,
  operation: () => Promise<unknown>,
): Promise<{ isLater: boolean; error: unknown }> {
  let hasFired = false
  setTimeout(() => {
    hasFired = true
  }, ms)
  const error = await operation().then(
    () => undefined,
    (error: unknown) => error,
  )
  return { isLater: hasFired, error }
}
