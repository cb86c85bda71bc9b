import fc from 'fast-check'
import t from 'tap'
import { KeySlots, none } from '../../../../plugins/cache/memory/lru-index.js'

t.test('the oldest slot is the least recently used one', async (t) => {
  const slots = new KeySlots(100)
  const [a, b, c] = ['a', 'b', 'c'].map((key) => slots.add(key))
  t.equal(slots.oldest, a)
  slots.use(a ?? none)
  t.equal(slots.oldest, b)
  slots.remove(b ?? none)
  t.equal(slots.oldest, c)
  t.equal(slots.find('b'), none)
  t.equal(slots.size, 2)
})

t.test('the slot of a removed key is reused', async (t) => {
  const slots = new KeySlots(100)
  const first = slots.add('a')
  slots.remove(first)
  slots.remove(first)
  t.equal(slots.add('b'), first)
  t.equal(slots.oldest, first)
  t.equal(slots.find('a'), none)
})

t.test('any sequence of operations leaves the same order as an array', async (t) => {
  const step = fc.record({ do: fc.constantFrom('add', 'use', 'remove', 'evict'), key: fc.constantFrom(...'abcdefgh') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const slots = new KeySlots(100)
      let order: string[] = []
      for (const { do: action, key } of steps) {
        const slot = slots.find(key)
        if ((slot === none) === order.includes(key)) throw new Error(`${key} is missing`)
        const victim = action === 'evict' ? order[0] : key
        if (action === 'add' && slot === none) slots.add(key)
        else if (action === 'evict') slots.remove(slots.oldest)
        else if (slot === none) continue
        else if (action === 'remove') slots.remove(slot)
        else slots.use(slot)
        order = order.filter((name) => name !== victim)
        if (action === 'add' || action === 'use') order.push(key)
        if (slots.oldest !== (order[0] === undefined ? none : slots.find(order[0]))) throw new Error('wrong order')
      }
      if (slots.size !== order.length) throw new Error('wrong size')
    }),
  )
  t.pass('all runs')
})
