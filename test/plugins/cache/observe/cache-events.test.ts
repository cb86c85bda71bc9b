import t from 'tap'
import { channels, type ReadEvent } from '../../../../plugins/cache/index.js'
import { createManualClock, createTestStore } from '../../../../plugins/cache/testing/index.js'
import { createClock } from '../../../harness/clock.js'
import { createDeferred } from '../../../harness/deferred.js'
import { startPlugins } from '../../../harness/plugins.js'
import { until } from '../../../harness/until.js'

const policy = { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 3_600 }

async function start(t: Parameters<typeof startPlugins>[0]) {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  return { cache, clock }
}

t.test('explain describes where an entry is stored and what a read would do, and changes nothing', async (t) => {
  const { cache, clock } = await start(t)
  t.match(await cache.explain('k'), {
    state: 'expired',
    redis: 'memory-only',
    memory: undefined,
    why: ['Memory has no usable value: reads load.', 'Without Redis, memory is the only tier.'],
  })
  await cache.fetch('k', () => 'v', { tags: ['x'] })
  clock.step(10)
  const explained = await cache.explain('k')
  t.match(explained, { state: 'fresh', coherence: 'memory-only', memory: { ageSeconds: 10, tags: ['x'] } })
  t.match(explained.why, ['Fresh: reads are answered at once.', 'Without Redis, memory is the only tier.'])
  clock.step(300)
  t.equal((await cache.explain('k')).state, 'stale-while-revalidate')
  await cache.purge({ tags: ['x'] })
  t.equal((await cache.explain('k')).state, 'purged')
})

t.test('explain describes the moment at which the shared store has answered', async (t) => {
  const clock = createManualClock()
  const { store } = createTestStore({ clock })
  const { cache } = (await startPlugins(t, { cache: { ...policy, store, now: clock.now } })).app
  await cache.set('k', 'v')
  const [asked, answered] = [createDeferred<void>(), createDeferred<void>()]
  const { get } = store
  Object.assign(store, {
    get: async (key: string) => {
      asked.resolve()
      await answered.promise
      return get(key)
    },
  })
  const explained = cache.explain('k')
  await asked.promise
  clock.step(310)
  answered.resolve()
  const { state, memory } = await explained
  t.equal(state, 'stale-while-revalidate')
  t.equal(Math.round(memory?.ageSeconds ?? 0), 310)
})

t.test('stats count reads by reason, loads and purges', async (t) => {
  const { cache } = await start(t)
  await cache.fetch('k', () => 'v')
  await cache.fetch('k', () => 'v')
  await cache.fetch('k', () => 'v', { bypass: true })
  await t.rejects(
    cache.fetch('bad', async () => {
      throw new Error('down')
    }),
  )
  await cache.purge({ tags: ['x'] })
  t.match(cache.stats(), {
    reads: { hit: 1, miss: 1, bypass: 1 },
    hits: { memory: 1, redis: 0 },
    loads: { succeeded: 2, failed: 1, inFlight: 0 }, // a bypass loads, too
    purges: { requested: 1, queued: 0, remembered: 1 },
    memory: { entries: 1 },
    coherence: 'memory-only',
  })
})

t.test('get publishes a read event, and a miss has no tier', async (t) => {
  const { cache, clock } = await start(t)
  const events: unknown[] = []
  const onEvent = (event: unknown) => events.push(event)
  channels.read.subscribe(onEvent)
  t.teardown(() => channels.read.unsubscribe(onEvent))
  await cache.get('k')
  await cache.set('k', 1)
  await cache.get('k')
  clock.step(301)
  await cache.get('k', { allowStale: true })
  await cache.get('k')
  t.match(events, [
    { tier: 'none', reason: 'miss' },
    { tier: 'memory', reason: 'hit' },
    { tier: 'memory', reason: 'stale' },
    { tier: 'none', reason: 'miss' },
  ])
  t.match(cache.stats().reads, { hit: 1, stale: 1, miss: 2 })
})

t.test('keys for which metricLabel throws have the label other, and log one warning', async (t) => {
  const metricLabel = (key: string) => {
    const [label] = key.split(':')
    if (label === key || label === undefined) throw new Error('no colon')
    return label
  }
  const store = createTestStore().store
  const { app, book } = await startPlugins(t, { cache: { metricLabel, store } })
  const events: unknown[] = []
  const published = [channels.read, channels.load, channels.write]
  const onEvent = (event: unknown) => events.push(event)
  for (const channel of published) channel.subscribe(onEvent)
  t.teardown(() => published.map((channel) => channel.unsubscribe(onEvent)))
  for (const key of ['plain', 'good:1', 'plainer']) t.equal(await app.cache.fetch(key, () => 1), 1)
  t.ok(await until(() => events.length === 9))
  const labels = events.map((event) => (event as ReadEvent).metricLabel) // the payload type of these channels
  t.strictSame(labels.toSorted(), [...Array(3).fill('good'), ...Array(6).fill('other')])
  t.match(book.at(40), [{ kind: 'metric-label', key: 'plain', reason: 'no colon' }])
  t.equal(book.at(40).length, 1)
})

t.test('read events carry a metric label, and the number of labels is bounded', async (t) => {
  const { cache } = await start(t)
  const labels = new Set<string>()
  const onEvent = (event: unknown) => {
    if (typeof event === 'object' && event !== null && 'metricLabel' in event) labels.add(String(event.metricLabel))
  }
  channels.read.subscribe(onEvent)
  t.teardown(() => channels.read.unsubscribe(onEvent))
  await cache.fetch('catalogs_seller_17', () => 1)
  t.strictSame([...labels], ['catalogs_seller'])
  for (let n = 0; n < 200; n += 1) await cache.fetch(`${'x'.repeat(n + 1)}`, () => 1)
  t.ok(labels.size <= 51, `${labels.size}`)
  t.ok(labels.has('other'))
})

t.test('explain says that a read asks Redis only if there is a shared store', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { store: createTestStore().store } })).app
  const { why } = await cache.explain('k')
  t.equal(why[0], 'Memory has no usable value: reads ask Redis, and load if it has none.')
})
