import t from 'tap'
import { doubted, MemoryTier } from '../../../plugins/cache/memory-tier.js'
import { createClock } from '../../harness/clock.js'
import { startPlugins } from '../../harness/plugins.js'

const standing = { epoch: 0, purges: 0, isShared: false }

function entryOf(value: unknown) {
  const instants = { freshUntil: 1_100, revalidateUntil: 1_200, staleUntil: 1_300 }
  return { value, stamp: 1_000_000, ...instants, tags: ['a'], fingerprint: '', loadMs: 0, purgedAt: 0 }
}

function createTier(options: { maxEntries?: number; maxBytes?: number } = {}) {
  return new MemoryTier({ maxBytes: 10_000, maxEntries: 100, base: 1_000, refreshAt: () => 1_090, ...options })
}

t.test('instants count from the base', async (t) => {
  const held = createTier().set('k', entryOf('v'), 3, standing)
  t.match(held, { value: 'v', refresh: 90, fresh: 100, revalidate: 200, stale: 300, tags: ['a'] })
})

t.test('a change spoils what is on its way and doubts what is here', async (t) => {
  const tier = createTier()
  const held = tier.set('k', entryOf('v'), 3, standing)
  const [mark, other] = [tier.mark('k'), tier.mark('other')]
  t.equal(tier.change('k'), held)
  t.equal(mark.isCurrent, false)
  t.equal(other.isCurrent, true)
  t.equal(held.epoch, doubted)
  tier.changeAll()
  t.equal(other.isCurrent, false)
})

t.test('only the stamps that the shared store has not seen are shifted', async (t) => {
  const tier = createTier()
  const mine = tier.set('mine', entryOf('v'), 3, standing)
  const shared = tier.set('shared', entryOf('v'), 3, { ...standing, isShared: true })
  tier.shift(500)
  t.equal(mine.stamp, 1_000_500)
  t.equal(shared.stamp, 1_000_000)
})

t.test('it is bounded by bytes and by entries', async (t) => {
  const few = createTier({ maxEntries: 2 })
  for (const key of ['a', 'b', 'c']) few.set(key, entryOf(key), 1, standing)
  t.equal(few.peek('a'), undefined)
  t.equal(few.size.entries, 2)
  const small = createTier({ maxBytes: 1_000 })
  for (const key of ['a', 'b', 'c']) small.set(key, entryOf(key), 300, standing)
  t.ok(small.size.bytes <= 1_000)
  t.ok(small.peek('c'))
})

t.test('the cache keeps no more entries than it was told to, the least recently used giving way', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { maxMemoryEntries: 3, now: createClock().now } })).app
  for (const key of ['a', 'b', 'c']) await cache.set(key, key)
  await cache.get('a')
  await cache.set('d', 'd')
  t.strictSame(await Promise.all(['a', 'b', 'c', 'd'].map((key) => cache.get(key))), ['a', undefined, 'c', 'd'])
  t.equal(cache.stats().memory.entries, 3)
})
