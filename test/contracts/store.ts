import type { Test } from 'tap'
import { type Entry, normaliseValue, resolveInstants } from '../../plugins/cache/entry.js'
import type { Store } from '../../plugins/cache/store.js'

/** What every store must do; runs against each implementation, which the factory makes empty. */
export async function storeContract(t: Test, createStore: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('has nothing under a key that nobody set', async (t) => {
    const store = await createStore(t)
    t.equal(await store.get('nothing'), undefined)
  })

  await t.test('gives back the entry as it was kept, whatever JSON value it holds', async (t) => {
    const store = await createStore(t)
    for (const value of [[], {}, null, 0, '', false, 'é \u2028 🙂', [{ id: 1, name: null }]]) {
      const { entry, text } = entryOf(value)
      await store.set('k', entry, text)
      t.strictSame(await store.get('k'), entry)
    }
  })

  await t.test('what it gives back cannot be changed', async (t) => {
    const store = await createStore(t)
    const { entry, text } = entryOf([{ id: 1 }])
    await store.set('k', entry, text)
    const kept = (await store.get('k'))?.value as { id: number }[]
    t.throws(() => kept.push({ id: 2 }), TypeError)
    t.throws(() => Object.assign(kept[0] ?? {}, { id: 2 }), TypeError)
  })

  await t.test('keeps a stale entry: whether it may be used is not its business', async (t) => {
    const store = await createStore(t)
    const { entry, text } = entryOf('old', Date.now() - 10_000)
    await store.set('k', entry, text)
    t.equal((await store.get('k'))?.value, 'old')
  })

  await t.test('a later entry replaces an earlier one', async (t) => {
    const store = await createStore(t)
    for (const value of ['first', 'second']) {
      const { entry, text } = entryOf(value)
      await store.set('k', entry, text)
    }
    t.equal((await store.get('k'))?.value, 'second')
  })

  await t.test('removes an entry and says whether there was one', async (t) => {
    const store = await createStore(t)
    const { entry, text } = entryOf(1)
    await store.set('k', entry, text)
    t.equal(await store.delete('k'), true)
    t.equal(await store.delete('k'), false)
    t.equal(await store.get('k'), undefined)
  })

  await t.test('keys that look like patterns, slots or paths are plain names', async (t) => {
    const store = await createStore(t)
    const keys = ['*', 'a?', '{x}', '{x}y', '../k', 'k', 'K', 'k ', 'é', '\n', '__proto__', 'constructor']
    for (const key of keys) {
      const { entry, text } = entryOf(key)
      await store.set(key, entry, text)
    }
    for (const key of keys) t.equal((await store.get(key))?.value, key)
    t.equal(await store.delete('*'), true)
    t.equal((await store.get('k'))?.value, 'k')
  })
}

export function entryOf(value: unknown, storedAt = Date.now()): { entry: Entry; text: string } {
  const normal = normaliseValue(value)
  if (normal === undefined) throw new Error('the contract keeps JSON values only')
  const lifetime = { ttlSeconds: 5, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 60 }
  const instants = resolveInstants(lifetime, storedAt)
  return {
    entry: { value: normal.value, storedAt, ...instants, tags: ['sellers', 'seller:1'], fingerprint: 'abc' },
    text: normal.text,
  }
}
