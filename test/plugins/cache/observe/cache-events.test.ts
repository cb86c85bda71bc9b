import t from 'tap'
import { channels, type ReadEvent } from '../../../../plugins/cache/index.js'
import { createTestStore } from '../../../../plugins/cache/testing/index.js'
import { createClock } from '../../../harness/clock.js'
import { startPlugins } from '../../../harness/plugins.js'
import { until } from '../../../harness/until.js'

const policy = { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 3_600 }

async function start(t: Parameters<typeof startPlugins>[0]) {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  return { cache, clock }
}

t.test('explain tells in sentences where an entry lies and what would be done, and changes nothing', async (t) => {
  const { cache, clock } = await start(t)
  t.match(await cache.explain('k'), { state: 'expired', redis: 'memory-only', memory: undefined })
  await cache.fetch('k', () => 'v', { tags: ['x'] })
  clock.step(10)
  const explained = await cache.explain('k')
  t.match(explained, { state: 'fresh', coherence: 'memory-only', memory: { ageSeconds: 10, tags: ['x'] } })
  t.match(explained.why, ['A read is answered at once.', 'There is no Redis: memory is all there is.'])
  clock.step(300)
  t.equal((await cache.explain('k')).state, 'stale-while-revalidate')
  await cache.purge({ tags: ['x'] })
  t.equal((await cache.explain('k')).state, 'purged')
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
    loads: { succeeded: 2, failed: 1, underWay: 0 }, // a read that bypasses loads as well
    purges: { ordered: 1, queued: 0, remembered: 1 },
    memory: { entries: 1 },
    coherence: 'memory-only',
  })
})

t.test('a get is told like any other read, and one that finds nothing as a miss of no tier', async (t) => {
  const { cache, clock } = await start(t)
  const events: unknown[] = []
  const hear = (event: unknown) => events.push(event)
  channels.read.subscribe(hear)
  t.teardown(() => channels.read.unsubscribe(hear))
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

t.test('a key for which metricLabel throws is of the family other, and one warning', async (t) => {
  const metricLabel = (key: string) => {
    const [family] = key.split(':')
    if (family === key || family === undefined) throw new Error('no colon')
    return family
  }
  const store = createTestStore().store
  const { app, book } = await startPlugins(t, { cache: { metricLabel, store } })
  const events: unknown[] = []
  const told = [channels.read, channels.load, channels.write]
  const hear = (event: unknown) => events.push(event)
  for (const channel of told) channel.subscribe(hear)
  t.teardown(() => told.map((channel) => channel.unsubscribe(hear)))
  for (const key of ['plain', 'good:1', 'plainer']) t.equal(await app.cache.fetch(key, () => 1), 1)
  t.ok(await until(() => events.length === 9))
  const families = events.map((event) => (event as ReadEvent).metricLabel) // what the channels carry
  t.strictSame(families.toSorted(), [...Array(3).fill('good'), ...Array(6).fill('other')])
  t.match(book.at(40), [{ kind: 'family', key: 'plain', reason: 'no colon' }])
  t.equal(book.at(40).length, 1)
})

t.test('reads are published with a family, of which there are few whatever the keys', async (t) => {
  const { cache } = await start(t)
  const families = new Set<string>()
  const listen = (event: unknown) => {
    if (typeof event === 'object' && event !== null && 'family' in event) families.add(String(event.family))
  }
  channels.read.subscribe(listen)
  t.teardown(() => channels.read.unsubscribe(listen))
  await cache.fetch('catalogs_seller_17', () => 1)
  t.strictSame([...families], ['catalogs_seller'])
  for (let n = 0; n < 200; n += 1) await cache.fetch(`${'x'.repeat(n + 1)}`, () => 1)
  t.ok(families.size <= 51, `${families.size}`)
  t.ok(families.has('other'))
})
