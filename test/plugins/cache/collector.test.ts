import t from 'tap'
import { channels } from '../../../plugins/cache/index.js'
import { createClock } from '../../harness/clock.js'
import { startPlugins } from '../../harness/plugins.js'

const policy = { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 3_600 }

async function start(t: Parameters<typeof startPlugins>[0]) {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ...policy, now: clock.now } })).app
  return { cache, clock }
}

t.test('what was made tells the tags of all that was read, and the first end of freshness', async (t) => {
  const { cache, clock } = await start(t)
  const { result, made } = await cache.collect(async () => {
    const a = await cache.fetch('a', () => 'A', { tags: ['x', 'y'], ttlSeconds: 100 })
    return a + (await cache.fetch('b', () => 'B', { tags: ['y', 'z'] }))
  })
  t.equal(result, 'AB')
  t.strictSame([...made.tags].sort(), ['x', 'y', 'z'])
  t.equal(made.freshUntil, clock.now() + 100_000)
})

t.test('what was made is current until something in it changes, is purged or ends', async (t) => {
  const { cache, clock } = await start(t)
  const changes: [string, () => unknown][] = [
    ['another value', () => cache.set('k', 'other')],
    ['a purge of its tag', () => cache.purge({ tags: ['x'] })],
    ['a purge of its key', () => cache.purge({ keys: ['k'] })],
    ['a delete', () => cache.delete('k')],
    ['the end of freshness', () => clock.step(301)],
  ]
  for (const [name, change] of changes) {
    await cache.delete('k')
    await cache.fetch('k', () => ({ v: 1 }), { tags: ['x'] })
    const { made } = await cache.collect(() => cache.fetch('k', () => ({ v: 1 }), { tags: ['x'] }))
    t.equal(made.isCurrent(), true, `before ${name}`)
    await change()
    t.equal(made.isCurrent(), false, `after ${name}`)
  }
})

t.test('a refresh that brings the same value leaves current what was made of it', async (t) => {
  const { cache, clock } = await start(t)
  await cache.fetch('k', () => ({ v: 1 }))
  const { made } = await cache.collect(() => cache.fetch('k', () => ({ v: 1 })))
  t.equal(made.isCurrent(), true)
  clock.step(400)
  t.equal(made.isCurrent(), false)
  await cache.fetch('k', () => ({ v: 1 }))
  await cache.get('k')
  t.equal(made.isCurrent(), true)
})

t.test('nested collects each see what is read inside them', async (t) => {
  const { cache } = await start(t)
  const outer = await cache.collect(async () => {
    await cache.fetch('a', () => 1, { tags: ['a'] })
    return cache.collect(() => cache.fetch('b', () => 2, { tags: ['b'] }))
  })
  t.strictSame([...outer.made.tags].sort(), ['a', 'b'])
  t.strictSame(outer.result.made.tags, ['b'])
})

t.test('what was made with a bypass is never current', async (t) => {
  const { cache } = await start(t)
  const { made } = await cache.collect(() => cache.fetch('k', () => 1, { bypass: true, tags: ['a'] }))
  t.strictSame(made.tags, ['a'])
  t.equal(made.freshUntil, 0)
  t.equal(made.isCurrent(), false)
})

t.test('a source that says that nothing is modified renews the value', async (t) => {
  const { cache, clock } = await start(t)
  await cache.fetch('k', () => 'v')
  clock.step(400)
  t.equal(await cache.fetch<string>('k', (load) => String(load.notModified())), 'v')
  clock.step(299)
  t.equal(await cache.get('k'), 'v')
})

t.test('an absence is kept for 30 s and never served stale', async (t) => {
  const { cache, clock } = await start(t)
  await cache.fetch('k', (load) => load.absent(null))
  clock.step(29)
  t.match(await cache.read('k', () => 'v'), { value: null, reason: 'hit' })
  clock.step(1)
  const failing = async () => {
    throw new Error('down')
  }
  await t.rejects(cache.fetch('k', failing), { message: 'down' })
})

t.test('explain tells in sentences where an entry lies and what would be done, and changes nothing', async (t) => {
  const { cache, clock } = await start(t)
  t.match(await cache.explain('k'), { standing: 'gone', redis: 'alone', memory: undefined })
  await cache.fetch('k', () => 'v', { tags: ['x'] })
  clock.step(10)
  const explained = await cache.explain('k')
  t.match(explained, { standing: 'fresh', coherence: 'alone', memory: { ageSeconds: 10, tags: ['x'] } })
  t.match(explained.why, ['A read is answered at once.', 'There is no Redis: memory is all there is.'])
  clock.step(300)
  t.equal((await cache.explain('k')).standing, 'revalidating')
  await cache.purge({ tags: ['x'] })
  t.equal((await cache.explain('k')).standing, 'fallback')
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
    loads: { succeeded: 1, failed: 1, underWay: 0 },
    purges: { ordered: 1, queued: 0, remembered: 1 },
    memory: { entries: 1 },
    coherence: 'alone',
  })
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

t.test('what was made from a load is current at once, and a purge of another tag leaves it so', async (t) => {
  const { cache } = await start(t)
  const { made } = await cache.collect(() => cache.fetch('k', () => ({ v: 1 }), { tags: ['x'] }))
  t.equal(made.isCurrent(), true)
  await cache.purge({ tags: ['unrelated'] })
  t.equal(made.isCurrent(), true)
  await cache.purge({ tags: ['x'] })
  t.equal(made.isCurrent(), false)
})
