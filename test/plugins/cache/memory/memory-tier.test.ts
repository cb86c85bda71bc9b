import t from 'tap'
import { none } from '../../../../plugins/cache/memory/lru-index.js'
import { doubted, type Mark, MemoryTier } from '../../../../plugins/cache/memory/memory-tier.js'
import { createTestStore } from '../../../../plugins/cache/testing/index.js'
import { createClock } from '../../../harness/clock.js'
import { startPlugins } from '../../../harness/plugins.js'

const standing = { seen: 7, isShared: false }

function entryOf(value: unknown) {
  const instants = { freshUntil: 1_100, revalidateUntil: 1_200, staleUntil: 1_300 }
  return { value, stamp: 1_000_000, ...instants, tags: ['a'], fingerprint: 'f', loadMs: 0, purgedAt: 0 }
}

const at = (instant: number) => ({ now: () => instant })

function createTier(options: { maxEntries?: number; maxBytes?: number } = {}) {
  return new MemoryTier({ maxBytes: 10_000, maxEntries: 100, refreshAt: () => 1_090, ...options })
}

t.test('gives back what was put under a key, and nothing where nothing was', async (t) => {
  const tier = createTier()
  tier.set('k', entryOf('v'), 3, standing)
  const { loadMs: _loadMs, purgedAt: _purgedAt, ...entry } = entryOf('v')
  t.strictSame(tier.peek('k'), { ...entry, refreshAt: 1_090, ...standing, isEnded: false })
  t.equal(tier.valueOf('k'), 'v')
  t.equal(tier.peek('other'), undefined)
  t.equal(tier.valueOf('other'), undefined)
})

t.test('a hit is what was seen in this version, until it is due for a refresh', async (t) => {
  const tier = createTier()
  tier.set('k', entryOf('v'), 3, standing)
  const hit = tier.hit('k', 7, at(1_089))
  t.equal(tier.valueAt(hit), 'v')
  t.equal(tier.fingerprintAt(hit), 'f')
  t.equal(tier.hit('k', 7, at(1_090)), none, 'due')
  t.equal(tier.hit('k', 8, at(1_089)), none, 'something has happened since')
  t.equal(tier.hit('other', 7, at(0)), none)
  tier.refreshNoMore('k')
  t.not(tier.hit('k', 7, at(1_099)), none, 'the refresh has begun')
  t.equal(tier.hit('k', 7, at(1_100)), none, 'its freshness has ended')
  tier.set('k', entryOf('v'), 3, standing)
  tier.end('k')
  tier.refreshNoMore('k')
  t.equal(tier.hit('k', 7, at(0)), none, 'ended for good')
})

t.test('a change spoils what is on its way and doubts what is here', async (t) => {
  const tier = createTier()
  tier.set('k', entryOf('v'), 3, standing)
  const [mark, second, other] = [tier.mark('k'), tier.mark('k'), tier.mark('other')]
  tier.change('k')
  t.strictSame([mark.isCurrent, second.isCurrent, other.isCurrent], [false, false, true])
  t.equal(tier.peek('k')?.seen, doubted)
  tier.changeAll()
  t.equal(other.isCurrent, false)
})

t.test('who has stopped watching is not told', async (t) => {
  const tier = createTier()
  const [first, second, third] = [tier.mark('k'), tier.mark('k'), tier.mark('k')]
  tier.unmark('k', second)
  tier.unmark('k', third)
  tier.change('k')
  t.strictSame([first.isCurrent, second.isCurrent, third.isCurrent], [false, true, true])
})

t.test('those who watch one key stop in any order', async (t) => {
  const tier = createTier()
  for (const order of ['012', '021', '102', '120', '201', '210']) {
    const marks = [tier.mark('k'), tier.mark('k'), tier.mark('k')]
    const gone = new Set<Mark>()
    for (const at of order) {
      tier.change('k')
      t.strictSame(
        marks.map((mark) => mark.isCurrent),
        marks.map((mark) => gone.has(mark)),
        order,
      )
      for (const mark of marks) mark.isCurrent = true
      const mark = marks[Number(at)]
      if (mark === undefined) throw new Error('there are three')
      tier.unmark('k', mark)
      gone.add(mark)
    }
  }
})

t.test('one who stops watching a key that many watch looks at its neighbours only', async (t) => {
  const tier = createTier()
  const looked = new Set<number>()
  const marks = Array.from({ length: 100 }, (_none, at) => {
    const mark = tier.mark('k')
    for (const name of ['next', 'previous'] as const) {
      let neighbour = mark[name]
      Object.defineProperty(mark, name, {
        get() {
          looked.add(at)
          return neighbour
        },
        set(other: Mark | undefined) {
          looked.add(at)
          neighbour = other
        },
      })
    }
    return mark
  })
  for (const at of [50, 20, 99, 0]) {
    looked.clear()
    const mark = marks[at]
    if (mark !== undefined) tier.unmark('k', mark)
    t.ok(looked.size > 0 && [...looked].every((other) => Math.abs(other - at) <= 1), `${at}: ${[...looked]}`)
  }
})

t.test('the echo of an own write is taken once', async (t) => {
  const tier = createTier()
  tier.set('k', entryOf('v'), 3, standing)
  tier.expectEcho('k')
  t.strictSame([tier.takeEcho('k'), tier.takeEcho('k'), tier.takeEcho('other')], [true, false, false])
})

t.test('only the stamps that the shared store has not seen are shifted', async (t) => {
  const tier = createTier()
  tier.set('mine', entryOf('v'), 3, standing)
  tier.set('shared', entryOf('v'), 3, standing)
  tier.share('shared', true)
  tier.shift(500)
  t.equal(tier.peek('mine')?.stamp, 1_000_500)
  t.equal(tier.peek('shared')?.stamp, 1_000_000)
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
  small.set('c', entryOf('larger than all'), 1_000, standing)
  t.strictSame(small.size, { entries: 0, bytes: 0 }, 'what alone is too large is not kept, nor what it replaces')
})

t.test('what it weighs is counted in bytes and not in characters, the tags too', async (t) => {
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
  t.ok(other.stats().memory.bytes >= one.stats().memory.bytes, 'read from the shared store as well')
})

t.test('however many come and go, each key has its own', async (t) => {
  const tier = createTier({ maxEntries: 5_000, maxBytes: 10 ** 8 })
  for (let n = 0; n < 12_000; n += 1) {
    tier.set(`k${n}`, { ...entryOf(n), stamp: n }, 1, standing)
    if (n % 3 === 0) tier.delete(`k${n}`)
  }
  t.equal(tier.size.entries, 5_000)
  const wrong = Array.from({ length: 12_000 }, (_none, n) => n).filter((n) => {
    const held = tier.peek(`k${n}`)
    return held !== undefined && (held.value !== n || held.stamp !== n)
  })
  t.strictSame(wrong, [])
  t.equal(tier.peek('k11998')?.value, 11_998)
  t.equal(tier.peek('k11997'), undefined)
})

t.test('the cache keeps no more entries than it was told to, the least recently used giving way', async (t) => {
  const { cache } = (await startPlugins(t, { cache: { maxMemoryEntries: 3, now: createClock().now } })).app
  for (const key of ['a', 'b', 'c']) await cache.set(key, key)
  await cache.get('a')
  await cache.set('d', 'd')
  t.strictSame(await Promise.all(['a', 'b', 'c', 'd'].map((key) => cache.get(key))), ['a', undefined, 'c', 'd'])
  t.equal(cache.stats().memory.entries, 3)
})
