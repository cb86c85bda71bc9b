import t from 'tap'
import { KeyNames } from '../../../../plugins/cache/redis/key-names.js'

const names = new KeyNames('cat_', 'client:')

t.test(
  'names for commands begin with the key prefix, names on the wire with the prefix of the client too',
  async (t) => {
    t.equal(names.entry('k'), 'cat_k')
    t.equal(names.lease('k'), 'cat_~lease:k')
    t.equal(names.purges, 'cat_~purges')
    t.equal(names.wireEntry('k'), 'client:cat_k')
    t.equal(names.wireLease('k'), 'client:cat_~lease:k')
    t.equal(names.wirePurges, 'client:cat_~purges')
    t.equal(names.removedChannel, 'client:cat_~removed')
  },
)

t.test('each name is recognized on the wire', async (t) => {
  for (const key of ['k', '~', '~k', '~~k', '~purges', '~lease:k', 'cat_k']) {
    t.strictSame(names.parse(names.wireEntry(key)), { type: 'entry', key })
    t.strictSame(names.parse(names.wireLease(key)), { type: 'lease', key })
  }
  t.strictSame(names.parse(names.wirePurges), { type: 'purges' })
})
