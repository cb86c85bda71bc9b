import t from 'tap'
import { noSlot } from '../../../../plugins/cache/memory/lru-index.js'
import { unverified } from '../../../../plugins/cache/memory/memory-entry.js'
import { MemoryTier } from '../../../../plugins/cache/memory/memory-tier.js'
import { createTestStore } from '../../../../plugins/cache/testing/index.js'
import { createClock } from '../../../harness/clock.js'
import { startPlugins } from '../../../harness/plugins.js'

const verified = { verifiedVersion: 7, isPersisted: false }

function entryOf(value: unknown) {
  const instants = { freshUntil: 1_100, revalidateUntil: 1_200, staleUntil: 1_300 }
  return { value, stamp: 1_000_000, ...instants, tags: ['a'], fingerprint: 'f', loadMs: 0, purgedAt: 0 }
}

const at = (instant: number) => ({ now: () => instant })

function createTier(options: { maxEntries?: number; maxBytes?: number } = {}) {
  return new MemoryTier({ maxBytes: 10_000, maxEntries: 100, refreshAt: () => 1_090, ...options })
}

t.test('returns the entry stored under a key and undefined for other keys', async (t) => {
  const tier = createTier()
  tier.set('k', entryOf('v'), 3, verified)
  const { loadMs: _loadMs, purgedAt: _purgedAt, ...entry } = entryOf('v')
  t.strictSame(tier.peek('k'), { ...entry, refreshAt: 1_090, ...verified, isInvalidated: false })
  t.equal(tier.valueOf('k'), 'v')
  t.equal(tier.peek('other'), undefined)
  t.equal(tier.valueOf('other'), undefined)
})

t.test('a hit is an entry verified at this version and not yet due for a refresh', async (t) => {
  const tier = createTier()
  tier.set('k', entryOf('v'), 3, verified)
  const hit = tier.hit('k', 7, at(1_089))
  t.equal(tier.valueAt(hit), 'v')
  t.equal(tier.fingerprintAt(hit), 'f')
  t.equal(tier.hit('k', 7, at(1_090)), noSlot, 'due for a refresh')
  t.equal(tier.hit('k', 8, at(1_089)), noSlot, 'not verified at this version')
  t.equal(tier.hit('other', 7, at(0)), noSlot)
  tier.suppressEarlyRefresh('k')
  t.not(tier.hit('k', 7, at(1_099)), noSlot, 'the refresh has begun')
  t.equal(tier.hit('k', 7, at(1_100)), noSlot, 'no longer fresh')
  tier.set('k', entryOf('v'), 3, verified)
  tier.invalidate('k')
  tier.suppressEarlyRefresh('k')
  t.equal(tier.hit('k', 7, at(0)), noSlot, 'ended')
})

t.test('a change invalidates watches of the key and marks the entry as unverified', async (t) => {
  const tier = createTier()
  tier.set('k', entryOf('v'), 3, verified)
  const watch = tier.watches.start('k')
  tier.markChanged('k')
  t.equal(watch.isCurrent, false)
  t.equal(tier.peek('k')?.verifiedVersion, unverified)
})

t.test('the echo of an own write is consumed once', async (t) => {
  const tier = createTier()
  tier.set('k', entryOf('v'), 3, verified)
  tier.expectEcho('k')
  t.strictSame([tier.consumeEcho('k'), tier.consumeEcho('k'), tier.consumeEcho('other')], [true, false, false])
})

t.test('a clock correction shifts only the stamps of entries that are not in the shared store', async (t) => {
  const tier = createTier()
  tier.set('local', entryOf('v'), 3, verified)
  tier.set('shared', entryOf('v'), 3, verified)
  tier.markPersisted('shared', true)
  tier.adjustClock(500)
  t.equal(tier.peek('local')?.stamp, 1_000_500)
  t.equal(tier.peek('shared')?.stamp, 1_000_000)
})

t.test('memory is bounded by bytes and by entries', async (t) => {
  const few = createTier({ maxEntries: 2 })
  for (const key of ['a', 'b', 'c']) few.set(key, entryOf(key), 1, verified)
  t.equal(few.peek('a'), undefined)
  t.equal(few.size.entries, 2)
  const small = createTier({ maxBytes: 1_000 })
  for (const key of ['a', 'b', 'c']) small.set(key, entryOf(key), 300, verified)
  t.ok(small.size.bytes <= 1_000)
  t.ok(small.peek('c'))
  small.set('c', entryOf('larger than all'), 1_000, verified)
  t.strictSame(
    small.size,
    { entries: 0, bytes: 0 },
    'an entry over the limit is not stored, and the one that it replaces is removed',
  )
})

t.test('the size of an entry counts bytes, not characters, and includes key and tags', async (t) => {
  const shared = createTestStore()
  const [one, other] = [
    (await startPlugins(t, { cache: { store: shared.store } })).app.cache,
    (await startPlugins(t, { cache: { store: shared.connect() } })).app.cache,
  ]
  const value = '日'.repeat(1_000)
  const [keyBytes, valueBytes, tagBytes] = [3, 3_002, 6 + 1]
  await one.set('日', value, { tags: ['日本', 'x'] })
  t.equal(one.stats().memory.bytes, 256 + keyBytes + valueBytes + tagBytes)
  await other.get('日')
  t.ok(other.stats().memory.bytes >= one.stats().memory.bytes, 'also when read from the shared store')
})

t.test('each key has its own entry after many insertions, deletions and evictions', async (t) => {
  const tier = createTier({ maxEntries: 5_000, maxBytes: 10 ** 8 })
  for (let n = 0; n < 12_000; n += 1) {
    tier.set(`k${n}`, { ...entryOf(n), stamp: n }, 1, verified)
    if (n % 3 === 0) tier.delete(`k${n}`)
  }
  t.equal(tier.size.entries, 5_000)
  const wrong = Array.from({ length: 12_000 }, (_none, n) => n).filter((n) => {
    const entry = tier.peek(`k${n}`)
    return entry !== undefined && (entry.value !== n || entry.stamp !== n)
  })
  t.strictSame(wrong, [])
  t.equal(tier.peek('k11998')?.value, 11_998)
  t.equal(tier.peek('k11997'), undefined)
})

t.test('the cache evicts the least recently used entry above maxMemoryEntries', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { maxMemoryEntries: 3, now: createClock().now } })).app
  for (const key of ['a', 'b', 'c']) await cache.set(key, key)
  await cache.get('a')
  await cache.set('d', 'd')
  t.strictSame(await Promise.all(['a', 'b', 'c', 'd'].map((key) => cache.get(key))), ['a', undefined, 'c', 'd'])
  t.equal(cache.stats().memory.entries, 3)
})
