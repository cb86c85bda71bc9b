import fc from 'fast-check'
import t from 'tap'
import { KeySlots, none } from '../../../../plugins/cache/memory/lru-index.js'

t.test('the oldest is the one that was not used for longest', async (t) => {
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

t.test('the slot of a key that is gone is given to the next one', async (t) => {
  const slots = new KeySlots(100)
  const first = slots.add('a')
  slots.remove(first)
  slots.remove(first)
  t.equal(slots.add('b'), first)
  t.equal(slots.oldest, first)
  t.equal(slots.find('a'), none)
})

t.test('whatever is added, used and removed, the order is that of an array', async (t) => {
  const step = fc.record({ do: fc.constantFrom('add', 'use', 'remove', 'evict'), key: fc.constantFrom(...'abcdefgh') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const slots = new KeySlots(100)
      let order: string[] = []
      for (const { do: what, key } of steps) {
        const slot = slots.find(key)
        if ((slot === none) === order.includes(key)) throw new Error(`${key} is lost`)
        const victim = what === 'evict' ? order[0] : key
        if (what === 'add' && slot === none) slots.add(key)
        else if (what === 'evict') slots.remove(slots.oldest)
        else if (slot === none) continue
        else if (what === 'remove') slots.remove(slot)
        else slots.use(slot)
        order = order.filter((name) => name !== victim)
        if (what === 'add' || what === 'use') order.push(key)
        if (slots.oldest !== (order[0] === undefined ? none : slots.find(order[0]))) throw new Error('another order')
      }
      if (slots.size !== order.length) throw new Error('another size')
    }),
  )
  t.pass('in every run')
})
