import Fastify from 'fastify'
import t, { type Test } from 'tap'
import cache, { type CacheOptions } from '../../../plugins/cache/index.js'
import { countLoads, createManualClock, createTestStore, type Store } from '../../../plugins/cache/testing/index.js'
import { entryOf, storeContract } from '../../contracts/store.js'
import { createDeferred } from '../../harness/deferred.js'
import { createLogBook } from '../../harness/log.js'
import { until } from '../../harness/until.js'

t.test('the test store keeps the contract of a store', (t) => storeContract(t, async () => createTestStore().store))

t.test('connections of one test store see the same contents, and each hears of every change', async (t) => {
  const shared = createTestStore()
  const stores = [shared.store, shared.connect()] as const
  const heard: string[][] = [[], []]
  for (const [at, store] of stores.entries()) watch(store, (notice) => heard[at]?.push(notice))
  await turn()
  const { entry, text } = entryOf('v')
  await stores[0].set('k', entry, text)
  t.equal(await stores[1].stampOf('k'), entry.stamp)
  await stores[1].purgeKey('k', { stamp: entry.stamp + 1, isHard: false, fenceMs: 1_000 })
  await stores[1].addPurges(['.a'], entry.stamp)
  shared.flush()
  const expected = ['proven true', 'changed k', 'changed k', 'purged', 'flushed']
  t.strictSame(heard, [expected, expected])
  t.equal(await stores[0].get('k'), undefined)
})

t.test('a connection that was closed hears nothing more', async (t) => {
  const shared = createTestStore()
  const heard: string[] = []
  watch(shared.store, (notice) => heard.push(notice))
  await shared.store.close()
  await turn()
  shared.down()
  t.strictSame(heard, [])
})

t.test('the first load is a miss, the second read a hit, and all is coherent while the store is up', async (t) => {
  const { app, loads } = await start(t)
  t.match(await app.cache.read('k', loads.load), { value: 1, tier: 'load', reason: 'miss' })
  t.match(await app.cache.read('k', loads.load), { value: 1, tier: 'memory', reason: 'hit' })
  t.equal(loads.count, 1)
  t.equal(app.cache.stats().coherence, 'tracking')
})

t.test('with the store down a cache serves from memory, loads what it has not, and warns once', async (t) => {
  const { app, book, shared, clock, loads } = await start(t)
  await app.cache.fetch('k', loads.load)
  await turn()
  shared.down()
  t.equal(app.cache.stats().coherence, 'disconnected')
  t.match(await app.cache.read('k', loads.load), { value: 1, tier: 'memory', reason: 'hit' })
  t.match(await app.cache.read('other', loads.load), { value: 2, tier: 'load', reason: 'miss' })
  clock.step(70)
  t.match(await app.cache.read('k', loads.load), { value: 3, reason: 'miss' }, 'what is stale is loaded again')
  t.match(book.at(40), [{ kind: 'closed', subject: 'cache' }])
  t.equal(book.at(40).length, 1)

  shared.up()
  await turn()
  t.equal(app.cache.stats().coherence, 'tracking')
  clock.step(2)
  await app.cache.set('k', 4)
  t.match(book.at(30).at(-1), { msg: 'cache works again', kinds: ['closed'] })
})

t.test('with the store down and the source failing the stale value is served, and says so', async (t) => {
  const { app, shared, clock } = await start(t)
  await app.cache.fetch('k', () => 'old')
  shared.down()
  clock.step(70)
  const reading = await app.cache.read('k', () => {
    throw new Error('the source is down too')
  })
  t.match(reading, { value: 'old', state: 'stale', reason: 'stale-if-error' })
})

t.test('a purge while the store is down is done here, queued, and everywhere when it is up again', async (t) => {
  const { app, shared, clock, loads } = await start(t)
  const other = await join(t, shared.connect(), clock.now)
  await app.cache.fetch('k', loads.load, { tags: ['x'] })
  await turn()
  t.equal(await other.cache.get('k'), 1)
  shared.down()
  t.strictSame(await app.cache.purge({ tags: ['x'] }), {
    isDone: false,
    queued: { tags: ['x'], keys: [], all: false },
  })
  t.equal(await app.cache.get('k'), undefined)
  t.equal(await other.cache.get('k'), 1, 'the other one cannot know yet')
  shared.up()
  await turn()
  t.equal(app.cache.stats().purges.queued, 0)
  t.equal(await other.cache.get('k'), undefined)
})

t.test('with the store hung a read costs its time-out, is answered all the same, and is warned of', async (t) => {
  const { app, book, shared, loads } = await start(t)
  shared.hang()
  t.equal(app.cache.stats().coherence, 'polling')
  t.match(await app.cache.read('k', loads.load), { value: 1, tier: 'load', reason: 'miss' })
  t.match(book.at(40), [{ kind: 'timeout', subject: 'cache' }])
  shared.up()
  await turn()
  t.equal(app.cache.stats().coherence, 'tracking')
})

t.test('a hung store gives up after its time-out, a slow one answers after its delay or gives up too', async (t) => {
  const shared = createTestStore({ timeoutMs: 30 })
  shared.hang()
  t.equal(shared.mode, 'hung')
  const hung = await besideTimer(29, () => shared.store.get('k'))
  t.match(hung.error, { kind: 'timeout', isOutage: true })
  t.equal(hung.isLater, true)
  shared.slow(20)
  const slow = await besideTimer(19, () => shared.store.get('k'))
  t.equal(slow.error, undefined)
  t.equal(slow.isLater, true)
  shared.slow(60_000)
  t.match((await besideTimer(29, () => shared.store.get('k'))).error, { kind: 'timeout' })
})

t.test('with a slow store all is as if it were up, only later, and nothing is warned of', async (t) => {
  const { app, book, shared, clock, loads } = await start(t)
  shared.slow(10)
  t.match(await app.cache.read('k', loads.load), { value: 1, reason: 'miss' })
  await app.cache.set('other', 'v')
  const { cache } = await join(t, shared.connect(), clock.now)
  t.match(await cache.read('other', loads.load), { value: 'v', tier: 'redis', reason: 'hit' })
  t.strictSame(book.at(40), [])
})

t.test('a flaky store refuses each nth call; no read fails, and the first refusal is warned of', async (t) => {
  const { app, book, shared, loads } = await start(t)
  shared.flaky(2)
  for (let at = 0; at < 10; at += 1) t.equal((await app.cache.read(`k${at}`, loads.load)).value, at + 1)
  t.match(book.at(40), [{ kind: 'closed' }])
  t.equal(book.at(40).length, 1)
  t.equal(app.cache.stats().coherence, 'tracking', 'it is not away')
})

t.test('rubbish in the store counts as a miss and is warned of, and is no outage', async (t) => {
  const { app, book, shared, loads } = await start(t)
  await app.cache.set('k', 'v')
  const { cache } = await join(t, shared.connect())
  shared.corrupt()
  await t.rejects(shared.store.get('k'), { name: 'StoreFailure', kind: 'corrupt', isOutage: false })
  t.match(await cache.read('k', loads.load), { reason: 'miss' })
  t.equal((await app.cache.read('new', loads.load)).reason, 'miss')
  t.match(book.at(40), [{ kind: 'corrupt', key: 'new' }])
  t.equal(book.at(30).filter(({ msg }) => msg.includes('works again')).length, 0)
})

t.test('what one cache sets, purges or deletes the other one sees at once', async (t) => {
  const { app, shared, clock } = await start(t)
  const one = app.cache
  const two = (await join(t, shared.connect(), clock.now)).cache
  await one.set('k', 'first', { tags: ['x'] })
  t.equal(await two.get('k'), 'first')
  await two.set('k', 'second', { tags: ['x'] })
  t.equal(await one.get('k'), 'second')
  t.strictSame((await one.purge({ tags: ['x'] })).isDone, true)
  t.equal(await two.get('k'), undefined)
  t.equal(await two.get('k', { allowStale: true }), 'second', 'kept for when a load fails')
  await two.set('k', 'third', { tags: ['x'] })
  t.equal(await one.get('k'), 'third', 'what was set after the purge is fresh')
  await two.purge({ keys: ['k'], hard: true })
  t.equal(await one.get('k', { allowStale: true }), undefined)
  await two.set('k', 'fourth')
  t.equal(await one.delete('k'), true)
  t.equal(await two.get('k', { allowStale: true }), undefined)
})

t.test('on real time as well, what comes after a change is later than it', async (t) => {
  const shared = createTestStore()
  const one = (await join(t, shared.store)).cache
  const two = (await join(t, shared.connect())).cache
  for (let round = 0; round < 20; round += 1) {
    t.equal(await one.set('k', `one ${round}`, { tags: ['x'] }), true)
    await two.purge({ tags: ['x'] })
    t.equal(await one.get('k'), undefined)
    t.equal(await two.set('k', `two ${round}`, { tags: ['x'] }), true)
    t.equal(await one.get('k'), `two ${round}`)
  }
})

t.test('two caches that miss at once share one load', async (t) => {
  const shared = createTestStore()
  const [one, two] = [await join(t, shared.store), await join(t, shared.connect())]
  const source = createDeferred<string>()
  const loads = countLoads(() => source.promise)
  const readings = [one.cache.read('k', loads.load), two.cache.read('k', loads.load)]
  await until(() => loads.inFlight === 1)
  await turn()
  source.resolve('v')
  t.match(await Promise.all(readings), [
    { value: 'v', reason: 'miss' },
    { value: 'v', reason: 'collapsed' },
  ])
  t.equal(loads.count, 1)
  t.equal(loads.inFlight, 0)
})

t.test(
  'everything is loaded again after the store was emptied; what memory has is good only if that fails',
  async (t) => {
    const { app, shared, loads } = await start(t)
    await app.cache.fetch('k', loads.load)
    await turn()
    shared.flush()
    t.equal(await app.cache.get('k'), undefined)
    t.equal(await app.cache.get('k', { allowStale: true }), 1)
    t.equal(await app.cache.fetch('k', loads.load), 2)
  },
)

t.test('a cache that is registered while the store is down knows it at once', async (t) => {
  const shared = createTestStore()
  shared.down()
  const { cache } = await join(t, shared.store)
  t.equal(cache.stats().coherence, 'disconnected')
  t.equal(await cache.fetch('k', () => 'v'), 'v')
})

t.test('a manual clock stands still, moves by seconds and is set to instants', (t) => {
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
  t.ok(before <= start && start <= Date.now(), 'it begins with now')
  t.end()
})

/** A cache on a test store of its own, on a clock that both have, and a source that gives 1, 2, 3 … */
async function start(t: Test) {
  const clock = createManualClock()
  const shared = createTestStore({ clock })
  const book = createLogBook()
  const app = await join(t, shared.store, clock.now, book.stream)
  let last = 0
  const loads = countLoads(() => {
    last += 1
    return last
  })
  return { app, book, shared, clock, loads }
}

async function join(t: Test, store: Store, now?: CacheOptions['now'], stream?: NodeJS.WritableStream) {
  const app = Fastify(stream === undefined ? {} : { logger: { stream } })
  const lifetimes = { ttlSeconds: 60, staleWhileRevalidateSeconds: 0 }
  await app.register(cache, { store, ...lifetimes, ...(now === undefined ? {} : { now }) })
  await app.ready()
  t.teardown(() => app.close())
  return app
}

/** Lets everything happen that is due: on a clock of its own the store waits for turns of the event loop, not for timers. */
async function turn(): Promise<void> {
  for (let at = 0; at < 20; at += 1) await new Promise(setImmediate)
}

function watch(store: Store, hear: (notice: string) => void): void {
  store.watch({
    changed: (keys) => hear(`changed ${keys.join()}`),
    removed: (key) => hear(`removed ${key}`),
    leaseChanged: (key) => hear(`leaseChanged ${key}`),
    purged: () => hear('purged'),
    flushed: () => hear('flushed'),
    trackingChanged: (isProven) => hear(`proven ${isProven}`),
    circuitChanged: (isAway) => hear(`away ${isAway}`),
    clockAdjusted: () => hear('clockMoved'),
  })
}

/** Whether it settles later than a timer of so many milliseconds that is set in the same turn, and with which error. */
async function besideTimer(ms: number, ask: () => Promise<unknown>): Promise<{ isLater: boolean; error: unknown }> {
  let isOver = false
  setTimeout(() => {
    isOver = true
  }, ms)
  const error = await ask().then(
    () => undefined,
    (error: unknown) => error,
  )
  return { isLater: isOver, error }
}
