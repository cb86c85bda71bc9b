import type { Test } from 'tap'
import { type Entry, normaliseValue, resolveInstants } from '../../plugins/cache/entry/codec.js'
import { isTombstone, type Store } from '../../plugins/cache/store.js'

/** Lifetimes of an entry of `entryOf`. */
export const lifetimesMs = { fresh: 600_000, stale: 3_600_000 } as const
const staleAfterMs = lifetimesMs.fresh + 10_000

/** Requirements for every store implementation. The factory creates an empty store. */
export async function storeContract(t: Test, createStore: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('returns undefined for a key that was not set', async (t) => {
    const store = await createStore(t)
    t.equal(await store.get('nothing'), undefined)
  })

  await t.test('returns an entry with any JSON value unchanged', async (t) => {
    const store = await createStore(t)
    for (const value of [[], {}, null, 0, '', false, 'é \u2028 🙂', [{ id: 1, name: null }]]) {
      const { entry, text } = entryOf(value)
      await store.set('k', entry, text)
      t.strictSame(await entryIn(store, 'k'), entry)
    }
  })

  await t.test('returns frozen values', async (t) => {
    const store = await createStore(t)
    const { entry, text } = entryOf([{ id: 1 }])
    await store.set('k', entry, text)
    const stored = (await entryIn(store, 'k'))?.value as { id: number }[]
    t.throws(() => stored.push({ id: 2 }), TypeError)
    t.throws(() => Object.assign(stored[0] ?? {}, { id: 2 }), TypeError)
  })

  await t.test('returns a stale entry', async (t) => {
    const store = await createStore(t)
    const { entry, text } = entryOf('old', Date.now() - staleAfterMs)
    await store.set('k', entry, text)
    t.equal((await entryIn(store, 'k'))?.value, 'old')
  })

  await t.test('a newer entry replaces an older one', async (t) => {
    const store = await createStore(t)
    for (const value of ['first', 'second']) {
      const { entry, text } = entryOf(value)
      await store.set('k', entry, text)
    }
    t.equal((await entryIn(store, 'k'))?.value, 'second')
  })

  await t.test('an older entry does not replace a newer one', async (t) => {
    const store = await createStore(t)
    const now = Date.now()
    const [older, newer] = [entryOf('older', now - 5), entryOf('newer', now)]
    t.equal(await store.set('k', newer.entry, newer.text), 'stored')
    t.equal(await store.set('k', older.entry, older.text), 'newer')
    t.equal((await entryIn(store, 'k'))?.value, 'newer')
  })

  await t.test('a hard purge removes an entry, returns whether there was one, and refuses older writes', async (t) => {
    const store = await createStore(t)
    const { entry, text } = entryOf(1)
    const purge = { stamp: entry.stamp + 1, isHard: true, fenceMs: 60_000 }
    await store.set('k', entry, text)
    t.equal(await store.purgeKey('k', purge), true)
    t.equal(await store.purgeKey('k', purge), false)
    t.equal(await entryIn(store, 'k'), undefined)
    t.equal(await store.set('k', entry, text), 'purged')
    t.equal(await store.set('k', { ...entry, stamp: entry.stamp + 2 }, text), 'stored')
  })

  await t.test('a soft purge marks the entry with the stamp of the purge', async (t) => {
    const store = await createStore(t)
    const { entry, text } = entryOf(1)
    await store.set('k', entry, text)
    const stamp = entry.stamp + 1
    t.equal(await store.purgeKey('k', { stamp, isHard: false, fenceMs: 60_000 }), true)
    t.match(await entryIn(store, 'k'), { value: 1, purgedAt: stamp })
    t.equal(await store.set('k', entry, text), 'purged', 'older writes are refused')
  })

  await t.test('a purge of a missing key writes a tombstone, and a later soft purge leaves it hard', async (t) => {
    const store = await createStore(t)
    const stamp = Date.now() * 1_000
    await store.purgeKey('soft', { stamp, isHard: false, fenceMs: 60_000 })
    t.strictSame(await store.get('soft'), { purgedAt: stamp, isHard: false })
    await store.purgeKey('soft', { stamp: stamp - 1, isHard: true, fenceMs: 60_000 })
    t.strictSame(await store.get('soft'), { purgedAt: stamp, isHard: true }, 'an earlier hard purge makes it hard')
    await store.purgeKey('soft', { stamp: stamp + 1, isHard: false, fenceMs: 60_000 })
    t.strictSame(await store.get('soft'), { purgedAt: stamp + 1, isHard: true })
    const { entry, text } = entryOf('older')
    t.equal(await store.set('soft', { ...entry, stamp }, text), 'purged')
  })

  await t.test('a purge does not affect a newer entry', async (t) => {
    const store = await createStore(t)
    const { entry, text } = entryOf(1)
    await store.set('k', entry, text)
    for (const isHard of [true, false]) {
      t.equal(await store.purgeKey('k', { stamp: entry.stamp - 1, isHard, fenceMs: 60_000 }), false)
    }
    t.match(await entryIn(store, 'k'), { value: 1, purgedAt: 0 })
  })

  await t.test('a fresh entry of another schema is not overwritten, a stale one is', async (t) => {
    const store = await createStore(t)
    const fresh = entryOf('first schema')
    await store.set('fresh', fresh.entry, fresh.text)
    const other = { ...fresh.entry, fingerprint: '0123456789ab', stamp: fresh.entry.stamp + 1 }
    t.equal(await store.set('fresh', other, '"second schema"'), 'other-schema')
    const stale = entryOf('first schema', Date.now() - staleAfterMs)
    await store.set('stale', stale.entry, stale.text)
    t.equal(await store.set('stale', other, '"second schema"'), 'stored')
  })

  await t.test('stampOf returns the stamp of an entry', async (t) => {
    const store = await createStore(t)
    const { entry, text } = entryOf(1)
    t.equal(await store.stampOf('k'), undefined)
    await store.set('k', entry, text)
    t.equal(await store.stampOf('k'), entry.stamp)
  })

  await t.test(
    'purges receive increasing stamps in the order of their arrival, independent of the given stamps',
    async (t) => {
      const store = await createStore(t)
      const now = Date.now() * 1_000
      const first = await store.addPurges(['.a', '!b'], now)
      const second = await store.addPurges(['.c'], now - 10_000)
      t.equal(first, now)
      t.ok(second > first)
      const all = await store.readPurges(undefined)
      t.strictSame(Object.fromEntries(all.stamps), { '.a': first, '!b': first, '.c': second })
      t.equal(all.isComplete, true)
      t.equal(all.position.upTo, second)
      const later = await store.readPurges({ ...all.position, upTo: first })
      t.strictSame(Object.fromEntries(later.stamps), { '.c': second })
      t.equal(later.isComplete, false)
      t.equal((await store.readPurges(all.position)).stamps.size, 0)
    },
  )

  await t.test('lost purges can be restored, and an incremental read after that returns all purges', async (t) => {
    const store = await createStore(t)
    const now = Date.now() * 1_000
    const stamp = await store.addPurges(['.new'], now)
    const { position } = await store.readPurges(undefined)
    await store.restorePurges(new Map([['.lost', now - 500]]))
    const read = await store.readPurges(position)
    t.equal(read.isComplete, true)
    t.strictSame(Object.fromEntries(read.stamps), { '.new': stamp, '.lost': now - 500 })
    await store.restorePurges(new Map([['.lost', now - 500]]))
    t.equal((await store.readPurges(read.position)).isComplete, false, 'restoring existing purges changes nothing')
  })

  await t.test('only the holder of a lease can renew and release it', async (t) => {
    const store = await createStore(t)
    t.equal(await store.acquireLease('k', 'a'), 'acquired')
    t.equal(await store.acquireLease('k', 'b'), 'held-elsewhere')
    t.equal(await store.renewLease('k', 'b'), false)
    t.equal(await store.renewLease('k', 'a'), true)
    await store.releaseLease('k', 'b', 'stored')
    t.equal(await store.acquireLease('k', 'b'), 'held-elsewhere')
    await store.releaseLease('k', 'a', 'stored')
    t.equal(await store.acquireLease('k', 'b'), 'acquired')
    // Concurrently, as the marker of an empty load expires after a second.
    const [, answer] = await Promise.all([store.releaseLease('k', 'b', 'empty'), store.acquireLease('k', 'c')])
    t.equal(answer, 'released', 'a waiter does not acquire the lease after an empty load')
  })

  await t.test('keys that look like patterns, hash tags or paths are plain names', async (t) => {
    const store = await createStore(t)
    const keys = ['*', 'a?', '{x}', '{x}y', '../k', 'k', 'K', 'k ', 'é', '\n', '__proto__', 'constructor']
    for (const key of keys) {
      const { entry, text } = entryOf(key)
      await store.set(key, entry, text)
    }
    for (const key of keys) t.equal((await entryIn(store, key))?.value, key)
    t.equal(await store.purgeKey('*', { stamp: Date.now() * 1_000 + 10_000, isHard: true, fenceMs: 1_000 }), true)
    t.equal((await entryIn(store, 'k'))?.value, 'k')
  })
}

export function entryOf(value: unknown, storedAt = Date.now()): { entry: Entry; text: string } {
  const normal = normaliseValue(value)
  if (normal === undefined) throw new Error('the contract stores JSON values only')
  const [ttlSeconds, staleSeconds] = [lifetimesMs.fresh / 1_000, lifetimesMs.stale / 1_000]
  const lifetime = { ttlSeconds, staleWhileRevalidateSeconds: staleSeconds, staleIfErrorSeconds: staleSeconds }
  const instants = resolveInstants(lifetime, storedAt)
  return {
    entry: {
      value: normal.value,
      stamp: storedAt * 1_000,
      ...instants,
      tags: ['sellers', 'seller:1'],
      fingerprint: 'abcdef012345',
      loadMs: 20,
      purgedAt: 0,
    },
    text: normal.text,
  }
}

/** The entry under the key, `undefined` if there is none or only a tombstone. */
export async function entryIn(store: Store, key: string): Promise<Entry | undefined> {
  const found = await store.get(key)
  return found === undefined || isTombstone(found) ? undefined : found.entry
}
