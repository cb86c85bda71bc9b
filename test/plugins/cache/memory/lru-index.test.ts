import fc from 'fast-check'
import t from 'tap'
import { LruIndex, noSlot } from '../../../../plugins/cache/memory/lru-index.js'

t.test('the oldest slot is the least recently used one', async (t) => {
  const slots = new LruIndex(100)
  const [a, b, c] = ['a', 'b', 'c'].map((key) => slots.add(key))
  t.equal(slots.oldest, a)
  slots.use(a ?? noSlot)
  t.equal(slots.oldest, b)
  slots.remove(b ?? noSlot)
  t.equal(slots.oldest, c)
  t.equal(slots.find('b'), noSlot)
  t.equal(slots.size, 2)
})

t.test('the slot of a removed key is reused', async (t) => {
  const slots = new LruIndex(100)
  const first = slots.add('a')
  slots.remove(first)
  slots.remove(first)
  t.equal(slots.add('b'), first)
  t.equal(slots.oldest, first)
  t.equal(slots.find('a'), noSlot)
})

t.test('any sequence of operations leaves the same order as an array', async (t) => {
  const step = fc.record({ do: fc.constantFrom('add', 'use', 'remove', 'evict'), key: fc.constantFrom(...'abcdefgh') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const slots = new LruIndex(100)
      let order: string[] = []
      for (const { do: action, key } of steps) {
        const slot = slots.find(key)
        if ((slot === noSlot) === order.includes(key)) throw new Error(`${key} is missing`)
        const victim = action === 'evict' ? order[0] : key
        if (action === 'add' && slot === noSlot) slots.add(key)
        else if (action === 'evict') slots.remove(slots.oldest)
        else if (slot === noSlot) continue
        else if (action === 'remove') slots.remove(slot)
        else slots.use(slot)
        order = order.filter((name) => name !== victim)
        if (action === 'add' || action === 'use') order.push(key)
        if (slots.oldest !== (order[0] === undefined ? noSlot : slots.find(order[0]))) throw new Error('wrong order')
      }
      if (slots.size !== order.length) throw new Error('wrong size')
    }),
  )
  t.pass('all runs')
})
