import t from 'tap'
import { createMemoryStore } from '../../../plugins/cache/memory-store.js'
import { entryOf, storeContract } from '../../contracts/store.js'

await storeContract(t, async () => createMemoryStore({ maxBytes: 2 ** 20 }))

t.test('an entry larger than the whole store is not kept and pushes nothing out', async (t) => {
  const store = createMemoryStore({ maxBytes: 2_000 })
  const small = entryOf('small')
  const large = entryOf('x'.repeat(3_000))
  await store.set('small', small.entry, small.text)
  await store.set('large', large.entry, large.text)
  t.equal(await store.get('large'), undefined)
  t.equal((await store.get('small'))?.value, 'small')
})
