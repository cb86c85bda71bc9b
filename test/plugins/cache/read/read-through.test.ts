import { Type } from '@sinclair/typebox'
import type { Loader, Purge } from 'fastify-vitrine/cache'
import { createTestStore } from 'fastify-vitrine/cache/testing'
import t from 'tap'
import { createClock } from '../../../harness/clock.js'
import { createDeferred } from '../../../harness/deferred.js'
import { startPlugins } from '../../../harness/plugins.js'
import { until } from '../../../harness/until.js'

// The read-through decision, in memory only. redis-store.test.ts covers the Redis side.

const policy = { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 3_600 }

t.test('get returns the stored value while it is fresh', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  t.equal(await cache.get('k'), undefined, 'a miss')
  t.equal(await cache.set('k', { a: 1 }), true)
  t.strictSame(await cache.get('k'), { a: 1 })
  clock.step(299)
  t.strictSame(await cache.get('k'), { a: 1 })
  clock.step(1)
  t.equal(await cache.get('k'), undefined, 'a stale value is not returned')
  t.strictSame(await cache.get('k', { allowStale: true }), { a: 1 }, 'unless allowStale is set')
  clock.step(3_600)
  t.equal(await cache.get('k', { allowStale: true }), undefined, 'an expired value is removed')
})

t.test('fetch and read without a loader, and purge without an argument, are refused', async (t) => {
  const { cache } = (await startPlugins(t)).app
  const nothing: unknown = undefined
  const code = 'VITRINE_CACHE_OPTION'
  for (const policy of [{}, { bypass: true }]) {
    const loader = { code, message: 'fastify.cache: the loader must be a function' }
    await t.rejects(cache.fetch('k', nothing as Loader<unknown>, policy), loader)
    await t.rejects(cache.read('k', nothing as Loader<unknown>, policy), loader)
  }
  const message = 'fastify.cache: purge must have tags, keys or all: true'
  for (const purge of [undefined, null, 'k']) {
    const wrong: unknown = purge
    await t.rejects(cache.purge(wrong as Purge), { code, message })
  }
})

t.test('an empty list, null, false, zero and an empty string are hits', async (t) => {
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

t.test('set returns false and logs a warning for a value that JSON cannot represent', async (t) => {
  const { app, book } = await startPlugins(t)
  t.equal(await app.cache.set('k', { n: 1n }), false)
  t.match(book.at(40), [{ kind: 'not-json', key: 'k' }])
})

t.test('delete removes the entry and its stale copy, and returns whether there was one', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  await cache.set('k', 1)
  clock.step(301)
  t.equal(await cache.delete('k'), true)
  t.equal(await cache.delete('k'), false)
  await t.rejects(
    cache.fetch('k', () => {
      throw new Error('load failed')
    }),
    { message: 'load failed' },
  )
})

t.test('the first read is a miss, the second is a hit', async (t) => {
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

t.test('concurrent misses share one load, and joined reads report collapsed', async (t) => {
  const { cache } = (await startPlugins(t)).app
  const upstream = createDeferred<string>()
  const started = createDeferred<void>()
  let loads = 0
  const load = () => {
    loads += 1
    started.resolve()
    return upstream.promise
  }
  const reads = Promise.all(Array.from({ length: 64 }, () => cache.read('k', load)))
  await started.promise
  upstream.resolve('v')
  const reasons = (await reads).map(({ reason }) => reason)
  t.equal(loads, 1)
  t.equal(reasons.filter((reason) => reason === 'miss').length, 1)
  t.equal(reasons.filter((reason) => reason === 'collapsed').length, 63)
})

t.test('all callers that wait for a load receive its failure', async (t) => {
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

t.test(
  'within the revalidation window the stale value is served while one refresh runs in the background',
  async (t) => {
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
  },
)

t.test('a failed background refresh leaves the stale value in place and logs a warning', async (t) => {
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

t.test(
  'after the revalidation window a read waits for the load, and receives the stale value when it fails',
  async (t) => {
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
  },
)

t.test('a refresh that began before a set and fails after it does not remove the new value', async (t) => {
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

t.test('failed loads and their recovery are logged under a subject of their own', async (t) => {
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
    { level: 30, subject: 'loading', msg: 'loading recovered' },
  ])
})

t.test('after a failed refresh reads receive the stale value without a load until the back-off ends', async (t) => {
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

t.test('a set ends the back-off', async (t) => {
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

t.test('with a stale value no read waits for a slow load, whose result is stored when it arrives', async (t) => {
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

t.test('after a failed load the reason stays stale-if-error until a load succeeds or a minute passes', async (t) => {
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
    t.match(await read(() => slow.promise), { value: 'old', reason }, `${seconds} s later, while a load is in flight`)
    slow.reject(new Error('down'))
    t.ok(await until(() => cache.stats().loads.inFlight === 0))
  }
  clock.step(10)
  t.match(await read(async () => 'new'), { value: 'new', state: 'fresh' })
  clock.step(400)
  const slow = createDeferred<string>()
  t.match(await read(() => slow.promise), { value: 'new', reason: 'stale' }, 'the success has reset it')
  slow.resolve('newer')
})

t.test(
  'after a purge reads wait for the first load beyond the soft timeout, and no longer once it has failed',
  async (t) => {
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
      await cache.set('aged', 'old', { ttlSeconds: 0.001, staleWhileRevalidateSeconds: 0 })
      clock.step(0.01)
      const never = createDeferred<string>()
      t.match(await cache.read('aged', () => never.promise), { value: 'old', reason: 'stale' })
      t.equal(isAnswered, false, 'waits longer than for an entry that is stale by age')
      never.resolve('new')
      first.reject(new Error('down'))
      t.match(await waiting, { value: 'old', reason: 'stale-if-error' })
      clock.step(1)
      const second = createDeferred<string>()
      t.match(await cache.read('k', () => second.promise), { value: 'old', reason: 'stale-if-error' })
      second.reject(new Error('down'))
      t.ok(await until(() => cache.stats().loads.inFlight === 0))
    }
  },
)

t.test('concurrent reads of an entry purged by tag share one load', async (t) => {
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

t.test('without a stale value a read waits for a slow load', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { softTimeoutMs: 1 } })).app
  const slow = () => new Promise<string>((resolve) => setTimeout(resolve, 30, 'late'))
  t.equal(await cache.fetch('k', slow), 'late')
})

t.test('an error for which serveStaleOn returns false reaches the caller and removes the stale copy', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  const forbidden = async () => {
    throw new Error('403')
  }
  const serveStaleOn = (error: unknown) => !(error instanceof Error && error.message === '403')
  for (const { seconds, name } of [
    { seconds: 310, name: 'stale-while-revalidate' },
    { seconds: 400, name: 'stale-if-error' },
  ]) {
    await cache.fetch('k', () => 'withdrawn')
    clock.step(seconds)
    await Promise.allSettled([cache.fetch('k', forbidden, { serveStaleOn })])
    await new Promise(setImmediate)
    t.equal(await cache.get('k', { allowStale: true }), undefined, name)
    await t.rejects(cache.fetch('k', forbidden, { serveStaleOn }), { message: '403' }, name)
  }
})

t.test('when serveStaleOn throws, the stale value is served and a warning is logged', async (t) => {
  const clock = createClock()
  const { app, book } = await startPlugins(t, { cache: { ...policy, now: clock.now } })
  const serveStaleOn = (error: unknown) => (error as { status: number }).status !== 401 // throws: the error is undefined
  let loads = 0
  const failing = () => {
    loads += 1
    return Promise.reject()
  }
  for (const { seconds, name } of [
    { seconds: 310, name: 'background refresh' },
    { seconds: 400, name: 'awaited load' },
  ]) {
    await app.cache.set('k', 'old')
    clock.step(seconds)
    loads = 0
    for (let read = 0; read < 5; read += 1) {
      t.match(await app.cache.read('k', failing, { serveStaleOn }), { value: 'old', state: 'stale' }, name)
      await new Promise(setImmediate)
    }
    t.equal(loads, 1, `${name}: one load, then back-off`)
  }
  const kinds = book.at(40).map(({ kind }) => kind)
  t.strictSame([...new Set(kinds)].toSorted(), ['load-failed', 'serve-stale-on'])
})

t.test('past the stale-if-error window the failure reaches the caller', async (t) => {
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

t.test('a stale window of zero seconds disables it', async (t) => {
  const clock = createClock()
  const never = { ttlSeconds: 300, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 0 }
  const { cache } = (await startPlugins(t, { cache: { ...never, now: clock.now } })).app
  await cache.fetch('k', () => 'old')
  clock.step(300)
  t.match(await cache.read('k', () => 'new'), { value: 'new', reason: 'miss' })
})

t.test('the loader can set the lifetime of its result, or skip storing it', async (t) => {
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

t.test('the loader receives the stale entry that it replaces', async (t) => {
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

t.test(
  'a load that exceeds its timeout is aborted and rejects with a code, even if the loader ignores the signal',
  async (t) => {
    const { cache } = (await startPlugins(t, { cache: { loadTimeoutMs: 20 } })).app
    let isAborted = false
    const loading = cache.fetch('k', ({ signal }) => {
      signal.addEventListener('abort', () => {
        isAborted = true
      })
      return new Promise(() => undefined)
    })
    await t.rejects(loading, { code: 'VITRINE_CACHE_LOAD_TIMEOUT', statusCode: 504 })
    t.equal(isAborted, true)
  },
)

t.test('the result of a load that began before a delete or a set is not stored', async (t) => {
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
    t.equal(await reading, 'late', 'the caller that waited receives it')
    t.not(await cache.get(key), 'late')
  }
})

t.test('a set that stores nothing does not affect the load in flight', async (t) => {
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

t.test('a bypass neither reads nor stores, and concurrent bypasses share one load', async (t) => {
  const { cache } = (await startPlugins(t)).app
  await cache.set('k', 'stored')
  const upstream = createDeferred<string>()
  let loads = 0
  const load = () => {
    loads += 1
    return upstream.promise
  }
  const reads = Promise.all([cache.read('k', load, { bypass: true }), cache.read('k', load, { bypass: true })])
  upstream.resolve('loaded')
  t.match(await reads, [
    { value: 'loaded', tier: 'load', reason: 'bypass' },
    { value: 'loaded', tier: 'load', reason: 'collapsed' },
  ])
  t.equal(loads, 1)
  t.equal(await cache.get('k'), 'stored')
})

t.test(
  'a stored value that does not match the requested schema is a miss, and a set with a wrong value stores nothing',
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

t.test('an entry stored under one schema is a miss for another schema, even if its value matches', async (t) => {
  const { cache } = (await startPlugins(t)).app
  await cache.set('k', [], { schema: Type.Array(Type.String()) })
  t.equal(await cache.get('k', { schema: Type.Array(Type.Number()) }), undefined)
})

t.test('a value over the size limit, in bytes and not in characters, is returned but not stored', async (t) => {
  const { app, book } = await startPlugins(t, { cache: { maxEntryBytes: 100 } })
  const large = '日'.repeat(33)
  t.equal(await app.cache.fetch('k', () => large), large)
  t.equal(await app.cache.get('k'), undefined)
  t.match(book.at(40), [{ kind: 'too-large' }])
})

t.test('values loaded while too many writes are pending are stored in memory', async (t) => {
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
  t.ok(await until(() => cache.stats().writes.stored === 1_000))
  await readAll()
  t.equal(loads, 1_200)
})

t.test('memory is bounded: the least recently used entries are evicted', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { maxMemoryBytes: 10_000 } })).app
  for (let n = 0; n < 20; n += 1) await cache.set(`k${n}`, 'x'.repeat(1_000))
  t.equal(await cache.get('k0'), undefined)
  t.equal(await cache.get('k19'), 'x'.repeat(1_000))
})

t.test('an invalid option, key, policy or tag is refused with a code', async (t) => {
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
  for (const surrogate of ['\ud800', '\udbff']) {
    await t.rejects(cache.set(`user:${surrogate}`, 1), refusal, 'Redis could not distinguish it from another one')
    await t.rejects(cache.set('k', 1, { tags: [`of:${surrogate}`] }), refusal)
    await t.rejects(cache.purge({ keys: [surrogate] }), refusal)
  }
  t.equal(await cache.set('user:\ud83d\ude42', 1, { tags: ['\ud83d\ude42'] }), true, 'a surrogate pair is a character')
  await t.rejects(
    cache.fetch('k', () => 1, { tags: Array.from({ length: 17 }, (_, n) => `t${n}`) }),
    refusal,
  )
})

t.test('a reader with another schema does not receive the value loaded for the first schema', async (t) => {
  const { cache } = (await startPlugins(t)).app
  const [A, B] = [Type.Object({ a: Type.Number() }), Type.Object({ b: Type.Number() })]
  const slow = createDeferred<{ a: number }>()
  const first = cache.fetch('k', () => slow.promise, { schema: A })
  const second = cache.fetch('k', () => ({ b: 2 }), { schema: B })
  slow.resolve({ a: 1 })
  t.strictSame(await first, { a: 1 })
  t.strictSame(await second, { b: 2 })
})

t.test('a value that is not stored is frozen too, as several callers may share it', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { maxEntryBytes: 50 } })).app
  const unstored = await cache.fetch('unstored', (load) => {
    load.skipStore()
    return { list: [1] }
  })
  const large = await cache.fetch('large', () => ({ list: ['x'.repeat(100)] }))
  for (const { list } of [unstored, large] as { list: unknown[] }[]) t.throws(() => list.push(2), TypeError)
  t.equal(await cache.fetch('nan', () => Number.NaN), null, 'the JSON representation, from the first read on')
})

t.test('notModified keeps the tags that the loader added when the value was loaded', async (t) => {
  const { cache } = (await startPlugins(t)).app
  await cache.fetch('k', (load) => {
    load.addTags('added')
    return 1
  })
  await cache.purge({ keys: ['k'] })
  t.equal(await cache.fetch<unknown>('k', (load) => load.notModified()), 1)
  await cache.purge({ tags: ['added'] })
  t.equal(await cache.fetch('k', () => 2), 2)
})

t.test('a purge of an empty list does nothing, and one without any list is refused', async (t) => {
  const { cache } = (await startPlugins(t)).app
  t.match(await cache.purge({ tags: [] }), { isDone: true })
  await t.rejects(cache.purge({}), { code: 'VITRINE_CACHE_OPTION' })
})

t.test('closing rejects loads in flight', async (t) => {
  const { app } = await startPlugins(t)
  const reading = app.cache.fetch('k', () => new Promise(() => undefined))
  const refused = t.rejects(reading, { code: 'VITRINE_CACHE_CLOSED' })
  await new Promise(setImmediate)
  await app.close()
  await refused
})
