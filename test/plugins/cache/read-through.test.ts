import { Type } from '@sinclair/typebox'
import t from 'tap'
import { createTestStore } from '../../../plugins/cache/testing/index.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { startPlugins } from '../../harness/plugins.js'
import { until } from '../../harness/until.js'

// The read-through decision, in memory only: what Redis does with it is in redis-store.test.ts.

const policy = { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 3_600 }

t.test('get gives what set kept, while it is fresh', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  t.equal(await cache.get('k'), undefined, 'a miss')
  t.equal(await cache.set('k', { a: 1 }), true)
  t.strictSame(await cache.get('k'), { a: 1 })
  clock.step(299)
  t.strictSame(await cache.get('k'), { a: 1 })
  clock.step(1)
  t.equal(await cache.get('k'), undefined, 'stale is not fresh')
  t.strictSame(await cache.get('k', { allowStale: true }), { a: 1 }, 'unless stale will do')
  clock.step(3_600)
  t.equal(await cache.get('k', { allowStale: true }), undefined, 'expired is gone')
})

t.test('an empty list, null, false, zero and an empty text are hits', async (t) => {
  const { cache } = (await startPlugins(t)).app
  for (const value of [[], null, false, 0, '']) {
    let loads = 0
    const load = () => {
      loads += 1
      return value
    }
    const key = JSON.stringify(value)
    await cache.fetch<unknown>(key, load)
    t.strictSame(await cache.fetch<unknown>(key, load), value)
    t.equal(loads, 1, `${key} is loaded once`)
  }
})

t.test('set says false for a value that JSON cannot hold, and tells it in a warning', async (t) => {
  const { app, book } = await startPlugins(t)
  t.equal(await app.cache.set('k', { n: 1n }), false)
  t.match(book.at(40), [{ kind: 'not-json', key: 'k' }])
})

t.test('delete removes the entry, the stale copy included, and says whether there was one', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  await cache.set('k', 1)
  clock.step(301)
  t.equal(await cache.delete('k'), true)
  t.equal(await cache.delete('k'), false)
  await t.rejects(
    cache.fetch('k', () => {
      throw new Error('nothing stale is left')
    }),
    { message: 'nothing stale is left' },
  )
})

t.test('the first read loads, the second is a hit and says so', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  const storedAt = clock.now()
  t.strictSame(await cache.read('k', () => 'v'), { value: 'v', state: 'fresh', storedAt, tier: 'load', reason: 'miss' })
  clock.step(10)
  t.strictSame(await cache.read('k', () => 'w'), {
    value: 'v',
    state: 'fresh',
    storedAt,
    tier: 'memory',
    reason: 'hit',
  })
})

t.test('concurrent misses share one load, and those who joined are told', async (t) => {
  const { cache } = (await startPlugins(t)).app
  const upstream = createDeferred<string>()
  const started = createDeferred<void>()
  let loads = 0
  const load = () => {
    loads += 1
    started.resolve()
    return upstream.promise
  }
  const readings = Promise.all(Array.from({ length: 64 }, () => cache.read('k', load)))
  await started.promise
  upstream.resolve('v')
  const reasons = (await readings).map(({ reason }) => reason)
  t.equal(loads, 1)
  t.equal(reasons.filter((reason) => reason === 'miss').length, 1)
  t.equal(reasons.filter((reason) => reason === 'collapsed').length, 63)
})

t.test('twenty who wait for a failing load see its failure after one call', async (t) => {
  const { cache } = (await startPlugins(t)).app
  let loads = 0
  const load = async () => {
    loads += 1
    throw new Error('upstream is down')
  }
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => cache.fetch('k', load)))
  t.equal(outcomes.filter(({ status }) => status === 'rejected').length, 20)
  t.equal(loads, 1)
})

t.test('within the revalidation window the stale value is served at once while one refresh runs behind', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  await cache.fetch('k', () => 'old')
  clock.step(301)
  const upstream = createDeferred<string>()
  let loads = 0
  const load = () => {
    loads += 1
    return upstream.promise
  }
  for (let reader = 0; reader < 5; reader += 1) {
    t.match(await cache.read('k', load), { value: 'old', state: 'stale', reason: 'stale' })
  }
  t.equal(loads, 1)
  upstream.resolve('new')
  await upstream.promise
  await new Promise(setImmediate)
  t.match(await cache.read('k', load), { value: 'new', state: 'fresh', reason: 'hit' })
})

t.test('a refresh behind that fails leaves the stale value in place and is a warning', async (t) => {
  const clock = createClock()
  const { app, book } = await startPlugins(t, { cache: { ...policy, now: clock.now } })
  await app.cache.fetch('k', () => 'old')
  clock.step(301)
  const failing = async () => {
    throw new Error('upstream is down')
  }
  await app.cache.fetch('k', failing)
  t.match(await book.until(({ kind }) => kind === 'load-failed'), { level: 40, key: 'k', reason: 'upstream is down' })
  t.match(await app.cache.read('k', failing), { value: 'old', state: 'stale' })
})

t.test('after the revalidation window a load is awaited, and its failure answered with the stale value', async (t) => {
  const clock = createClock()
  const { app, book } = await startPlugins(t, { cache: { ...policy, now: clock.now } })
  const { cache } = app
  const storedAt = clock.now()
  await cache.fetch('k', () => 'old')
  clock.step(400)
  const failing = async () => {
    throw new Error('upstream is down')
  }
  t.match(await cache.read('k', failing), { value: 'old', state: 'stale', reason: 'stale-if-error', storedAt })
  t.match(book.at(40), [{ kind: 'load-failed', reason: 'upstream is down' }])
  clock.step(0.5)
  t.match(await cache.read('k', () => 'new'), { value: 'new', state: 'fresh', reason: 'miss' })
})

t.test('a refresh that began before a set and fails after it takes nothing away', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  await cache.fetch('k', () => 'old')
  clock.step(310)
  const upstream = createDeferred<string>()
  t.equal(await cache.fetch('k', () => upstream.promise, { serveStaleOn: () => false }), 'old')
  await cache.set('k', 'mine')
  upstream.reject(new Error('403'))
  await new Promise(setImmediate)
  t.equal(await cache.get('k'), 'mine')
})

t.test('loads that fail are a story of their own, with an end', async (t) => {
  const clock = createClock()
  const { app, book } = await startPlugins(t, { cache: { ...policy, now: clock.now } })
  await app.cache.fetch('k', () => 'old')
  clock.step(400)
  await app.cache.fetch('k', async () => {
    throw new Error('upstream is down')
  })
  clock.step(20)
  await app.cache.fetch('k', () => 'new')
  t.match(book.lines.slice(-2), [
    { level: 40, subject: 'loading', kind: 'load-failed', reason: 'upstream is down' },
    { level: 30, subject: 'loading', msg: 'loading works again' },
  ])
})

t.test('after a failed refresh the upstream is left alone for a while, and nobody waits for it', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  await cache.fetch('k', () => 'old')
  clock.step(400)
  let loads = 0
  const failing = async () => {
    loads += 1
    throw new Error('upstream is down')
  }
  for (let reader = 0; reader < 20; reader += 1) {
    t.match(await cache.read('k', failing), { value: 'old', state: 'stale', reason: 'stale-if-error' })
  }
  t.equal(loads, 1)
  clock.step(0.5)
  await cache.fetch('k', failing)
  t.equal(loads, 2)
})

t.test('a refresh that succeeds ends the pause, and so does a set', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  const failing = async () => {
    throw new Error('upstream is down')
  }
  await cache.fetch('k', () => 'old')
  clock.step(400)
  await cache.fetch('k', failing)
  await cache.set('k', 'mine', { ttlSeconds: 0.001 })
  clock.step(100)
  t.match(await cache.read('k', () => 'new'), { value: 'new', reason: 'miss' })
})

t.test('with a stale value at hand nobody waits for a slow load, which goes on and is kept', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, softTimeoutMs: 20, now: clock.now } })).app
  await cache.fetch('k', () => 'old')
  clock.step(400)
  const upstream = createDeferred<string>()
  t.match(await cache.read('k', () => upstream.promise), { value: 'old', state: 'stale', reason: 'stale' })
  upstream.resolve('new')
  await new Promise(setImmediate)
  t.match(await cache.read('k', () => 'newer'), { value: 'new', state: 'fresh', reason: 'hit' })
})

t.test('a try after one that failed is no better than that until it succeeds, nor after a minute', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, softTimeoutMs: 20, now: clock.now } })).app
  const fail = () => Promise.reject(new Error('down'))
  const read = (load: () => Promise<string>) => cache.read('k', load)
  await cache.set('k', 'old')
  clock.step(400) // past the revalidation window
  t.match(await read(fail), { value: 'old', reason: 'stale-if-error' })
  for (const seconds of [1, 30, 70]) {
    clock.step(seconds)
    const slow = createDeferred<string>()
    const reason = seconds < 60 ? 'stale-if-error' : 'stale'
    t.match(await read(() => slow.promise), { value: 'old', reason }, `${seconds} s later, while a try is under way`)
    slow.reject(new Error('down'))
    t.ok(await until(() => cache.stats().loads.inFlight === 0))
  }
  clock.step(10)
  t.match(await read(async () => 'new'), { value: 'new', state: 'fresh' })
  clock.step(400)
  const slow = createDeferred<string>()
  t.match(await read(() => slow.promise), { value: 'new', reason: 'stale' }, 'the success is remembered')
  slow.resolve('newer')
})

t.test('after a purge the first load is waited for, and once that has failed nobody waits long', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, softTimeoutMs: 20, now: clock.now } })).app
  await cache.set('k', 'old', { tags: ['t'] })
  for (const purge of [{ tags: ['t'] }, { keys: ['k'] }]) {
    await cache.purge(purge)
    const first = createDeferred<string>()
    let isAnswered = false
    const waiting = cache
      .read('k', () => first.promise)
      .finally(() => {
        isAnswered = true
      })
    await cache.set('by age', 'old', { ttlSeconds: 0.001, staleWhileRevalidateSeconds: 0 })
    clock.step(0.01)
    const never = createDeferred<string>()
    t.match(await cache.read('by age', () => never.promise), { value: 'old', reason: 'stale' })
    t.equal(isAnswered, false, 'longer than for what is stale by its age')
    never.resolve('new')
    first.reject(new Error('down'))
    t.match(await waiting, { value: 'old', reason: 'stale-if-error' })
    clock.step(1)
    const second = createDeferred<string>()
    t.match(await cache.read('k', () => second.promise), { value: 'old', reason: 'stale-if-error' })
    second.reject(new Error('down'))
    t.ok(await until(() => cache.stats().loads.inFlight === 0))
  }
})

t.test('those who read what was purged by tag at the same moment share one load', async (t) => {
  const { cache } = (await startPlugins(t)).app
  await cache.set('k', 'old', { tags: ['t'] })
  await cache.purge({ tags: ['t'] })
  let loads = 0
  const load = async () => {
    loads += 1
    await new Promise(setImmediate)
    return 'new'
  }
  t.strictSame(await Promise.all([1, 2, 3].map(() => cache.fetch('k', load))), ['new', 'new', 'new'])
  t.equal(loads, 1)
})

t.test('without a stale value a slow load is waited for', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { softTimeoutMs: 1 } })).app
  const slow = () => new Promise<string>((resolve) => setTimeout(resolve, 30, 'late'))
  t.equal(await cache.fetch('k', slow), 'late')
})

t.test('a failure that withdraws the value is not answered with the stale copy, and removes it', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  const forbidden = async () => {
    throw new Error('403')
  }
  const serveStaleOn = (error: unknown) => !(error instanceof Error && error.message === '403')
  for (const { seconds, name } of [
    { seconds: 310, name: 'while it may be served as it is refreshed behind' },
    { seconds: 400, name: 'while it may be served only on an error' },
  ]) {
    await cache.fetch('k', () => 'withdrawn')
    clock.step(seconds)
    await Promise.allSettled([cache.fetch('k', forbidden, { serveStaleOn })])
    await new Promise(setImmediate)
    t.equal(await cache.get('k', { allowStale: true }), undefined, name)
    await t.rejects(cache.fetch('k', forbidden, { serveStaleOn }), { message: '403' }, name)
  }
})

t.test('a failure that serveStaleOn cannot judge is one like any other', async (t) => {
  const clock = createClock()
  const { app, book } = await startPlugins(t, { cache: { ...policy, now: clock.now } })
  const serveStaleOn = (error: unknown) => (error as { status: number }).status !== 401 // there is none
  let loads = 0
  const failing = () => {
    loads += 1
    return Promise.reject()
  }
  for (const { seconds, name } of [
    { seconds: 310, name: 'while it is refreshed behind' },
    { seconds: 400, name: 'while a load is waited for' },
  ]) {
    await app.cache.set('k', 'old')
    clock.step(seconds)
    loads = 0
    for (let read = 0; read < 5; read += 1) {
      t.match(await app.cache.read('k', failing, { serveStaleOn }), { value: 'old', state: 'stale' }, name)
      await new Promise(setImmediate)
    }
    t.equal(loads, 1, `${name}: then it is left alone`)
  }
  const kinds = book.at(40).map(({ kind }) => kind)
  t.strictSame([...new Set(kinds)].toSorted(), ['load-failed', 'may-serve-stale'])
})

t.test('past stale-if-error the failure reaches the caller', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  await cache.fetch('k', () => 'old')
  clock.step(300 + 3_600)
  await t.rejects(
    cache.fetch('k', async () => {
      throw new Error('upstream is down')
    }),
    { message: 'upstream is down' },
  )
})

t.test('a stale window of zero seconds means never', async (t) => {
  const clock = createClock()
  const never = { ttlSeconds: 300, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 0 }
  const { cache } = (await startPlugins(t, { cache: { ...never, now: clock.now } })).app
  await cache.fetch('k', () => 'old')
  clock.step(300)
  t.match(await cache.read('k', () => 'new'), { value: 'new', reason: 'miss' })
})

t.test('the loader may say how long its answer is kept, or that it is not', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  await cache.fetch('brief', (load) => {
    load.setLifetime({ ttlSeconds: 30, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 0 })
    return []
  })
  await cache.fetch('never', (load) => {
    load.skipStore()
    return []
  })
  t.equal(await cache.get('never'), undefined)
  clock.step(29)
  t.strictSame(await cache.get('brief'), [])
  clock.step(1)
  t.match(await cache.read('brief', () => ['x']), { value: ['x'], reason: 'miss' })
})

t.test('the loader is handed what it replaces', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  const storedAt = clock.now()
  await cache.fetch('k', () => 'old')
  clock.step(400)
  let stale: unknown
  await cache.fetch('k', (load) => {
    stale = load.stale
    return 'new'
  })
  t.match(stale, { value: 'old', storedAt })
})

t.test('a load that takes too long is aborted and fails with a code, even when it does not listen', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { loadTimeoutMs: 20 } })).app
  let aborted = false
  const deaf = cache.fetch('k', ({ signal }) => {
    signal.addEventListener('abort', () => {
      aborted = true
    })
    return new Promise(() => undefined)
  })
  await t.rejects(deaf, { code: 'VITRINE_CACHE_LOAD_TIMEOUT', statusCode: 504 })
  t.equal(aborted, true)
})

t.test('a load that began before a delete or a set is not kept after it', async (t) => {
  const { cache } = (await startPlugins(t)).app
  for (const [key, change] of [
    ['deleted', () => cache.delete('deleted')],
    ['replaced', () => cache.set('replaced', 'mine')],
  ] as const) {
    const upstream = createDeferred<string>()
    const started = createDeferred<void>()
    const reading = cache.fetch(key, () => {
      started.resolve()
      return upstream.promise
    })
    await started.promise
    await change()
    upstream.resolve('late')
    t.equal(await reading, 'late', 'who waited for it still gets it')
    t.not(await cache.get(key), 'late')
  }
})

t.test('a set that keeps nothing leaves the load under way alone', async (t) => {
  const { cache } = (await startPlugins(t)).app
  const [upstream, started] = [createDeferred<string>(), createDeferred<void>()]
  const reading = cache.fetch('k', () => {
    started.resolve()
    return upstream.promise
  })
  await started.promise
  t.equal(await cache.set('k', undefined), false)
  await t.rejects(cache.set('k', 'mine', { ttlSeconds: 0 }), { code: 'VITRINE_CACHE_OPTION' })
  upstream.resolve('loaded')
  t.equal(await reading, 'loaded')
  t.equal(await cache.get('k'), 'loaded')
})

t.test('a bypass neither reads nor keeps, and is shared by those who ask meanwhile', async (t) => {
  const { cache } = (await startPlugins(t)).app
  await cache.set('k', 'kept')
  const upstream = createDeferred<string>()
  let loads = 0
  const load = () => {
    loads += 1
    return upstream.promise
  }
  const readings = Promise.all([cache.read('k', load, { bypass: true }), cache.read('k', load, { bypass: true })])
  upstream.resolve('asked')
  t.match(await readings, [
    { value: 'asked', tier: 'load', reason: 'bypass' },
    { value: 'asked', tier: 'load', reason: 'collapsed' },
  ])
  t.equal(loads, 1)
  t.equal(await cache.get('k'), 'kept')
})

t.test(
  'a value that does not match the schema asked for is a miss, and one that is loaded so is not kept',
  async (t) => {
    const { app, book } = await startPlugins(t)
    const List = Type.Array(Type.String())
    await app.cache.set('k', { not: 'a list' })
    t.strictSame(await app.cache.fetch('k', () => ['loaded'], { schema: List }), ['loaded'])
    t.match(book.at(40), [{ kind: 'other-schema', key: 'k' }])
    t.equal(await app.cache.set('wrong', [1], { schema: List }), false)
    t.match(book.at(40)[1], { kind: 'wrong-shape', key: 'wrong' })
  },
)

t.test('an entry kept under one schema is a miss for another that it happens to match', async (t) => {
  const { cache } = (await startPlugins(t)).app
  await cache.set('k', [], { schema: Type.Array(Type.String()) })
  t.equal(await cache.get('k', { schema: Type.Array(Type.Number()) }), undefined)
})

t.test('a value over the size limit, in bytes and not in characters, is served and not kept', async (t) => {
  const { app, book } = await startPlugins(t, { cache: { maxEntryBytes: 100 } })
  const large = '日'.repeat(33)
  t.equal(await app.cache.fetch('k', () => large), large)
  t.equal(await app.cache.get('k'), undefined)
  t.match(book.at(40), [{ kind: 'too-large' }])
})

t.test('what comes while too many writes are pending is kept in memory all the same', async (t) => {
  const shared = createTestStore({ timeoutMs: 10_000 })
  const { cache } = (await startPlugins(t, { cache: { store: shared.store } })).app
  const upstream = createDeferred<number>()
  let loads = 0
  const load = () => {
    loads += 1
    return upstream.promise
  }
  const readAll = () => Promise.all(Array.from({ length: 1_200 }, (_none, n) => cache.fetch(`k${n}`, load)))
  const reading = readAll()
  t.ok(await until(() => loads === 1_200))
  shared.slow(50)
  upstream.resolve(1)
  await reading
  t.equal(cache.stats().writes.dropped, 200)
  shared.up()
  t.ok(await until(() => cache.stats().writes.kept === 1_000))
  await readAll()
  t.equal(loads, 1_200)
})

t.test('memory is bounded: the least recently used entries give way', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { maxMemoryBytes: 10_000 } })).app
  for (let n = 0; n < 20; n += 1) await cache.set(`k${n}`, 'x'.repeat(1_000))
  t.equal(await cache.get('k0'), undefined)
  t.equal(await cache.get('k19'), 'x'.repeat(1_000))
})

t.test('an option, key, policy or tag that makes no sense is refused with a code', async (t) => {
  const refusal = { code: 'VITRINE_CACHE_OPTION' }
  for (const options of [
    { ttlSeconds: 0 },
    { ttlSeconds: Number.NaN },
    { staleIfErrorSeconds: -1 },
    { keyPrefix: '' },
    { readTimeoutMs: 0 },
    { loadTimeoutMs: 2 ** 31 },
    { softTimeoutMs: Number.POSITIVE_INFINITY },
    { leaseMs: 1_000 / 3 },
    { redis: {} as never },
    { redis: 'redis://localhost' as never },
    { now: 5 as never },
    { ttlSecond: 5 } as never,
  ]) {
    await t.rejects(startPlugins(t, { cache: options }), refusal, JSON.stringify(options))
  }
  const { cache } = (await startPlugins(t)).app
  await t.rejects(cache.get(''), refusal)
  await t.rejects(cache.set('k'.repeat(513), 1), refusal)
  await t.rejects(cache.set('k', 1, { ttlSeconds: Number.POSITIVE_INFINITY }), refusal)
  await t.rejects(cache.set('k', 1, { tags: ['with space'] }), refusal)
  for (const half of ['\ud800', '\udbff']) {
    await t.rejects(cache.set(`user:${half}`, 1), refusal, 'Redis would not tell it from another one')
    await t.rejects(cache.set('k', 1, { tags: [`of:${half}`] }), refusal)
    await t.rejects(cache.purge({ keys: [half] }), refusal)
  }
  t.equal(await cache.set('user:\ud83d\ude42', 1, { tags: ['\ud83d\ude42'] }), true, 'a whole one is a character')
  await t.rejects(
    cache.fetch('k', () => 1, { tags: Array.from({ length: 17 }, (_, n) => `t${n}`) }),
    refusal,
  )
})

t.test('who asks with another schema does not get what is loaded for the first one', async (t) => {
  const { cache } = (await startPlugins(t)).app
  const [A, B] = [Type.Object({ a: Type.Number() }), Type.Object({ b: Type.Number() })]
  const slow = createDeferred<{ a: number }>()
  const first = cache.fetch('k', () => slow.promise, { schema: A })
  const second = cache.fetch('k', () => ({ b: 2 }), { schema: B })
  slow.resolve({ a: 1 })
  t.strictSame(await first, { a: 1 })
  t.strictSame(await second, { b: 2 })
})

t.test('what is not kept is frozen all the same: several may have it', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { maxEntryBytes: 50 } })).app
  const kept = await cache.fetch('unkept', (load) => {
    load.skipStore()
    return { list: [1] }
  })
  const large = await cache.fetch('large', () => ({ list: ['x'.repeat(100)] }))
  for (const { list } of [kept, large] as { list: unknown[] }[]) t.throws(() => list.push(2), TypeError)
  t.equal(await cache.fetch('nan', () => Number.NaN), null, 'what JSON makes of it, from the first time on')
})

t.test('a value that is not modified keeps the tags that only its first answer could tell', async (t) => {
  const { cache } = (await startPlugins(t)).app
  await cache.fetch('k', (load) => {
    load.addTags('of-the-answer')
    return 1
  })
  await cache.purge({ keys: ['k'] })
  t.equal(await cache.fetch<unknown>('k', (load) => load.notModified()), 1)
  await cache.purge({ tags: ['of-the-answer'] })
  t.equal(await cache.fetch('k', () => 2), 2)
})

t.test('a purge of an empty list is one of nothing, and one without any list a mistake', async (t) => {
  const { cache } = (await startPlugins(t)).app
  t.match(await cache.purge({ tags: [] }), { isDone: true })
  await t.rejects(cache.purge({}), { code: 'VITRINE_CACHE_OPTION' })
})

t.test('closing ends loads under way', async (t) => {
  const { app } = await startPlugins(t)
  const reading = app.cache.fetch('k', () => new Promise(() => undefined))
  const refused = t.rejects(reading, { code: 'VITRINE_CACHE_CLOSED' })
  await new Promise(setImmediate)
  await app.close()
  await refused
})
