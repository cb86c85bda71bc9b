import t from 'tap'
import { decideAfterWrite, decideWrite, isStored } from '../../../../plugins/cache/entry/decide-write.js'

for (const [name, memoryStamp, canPersist, expected] of [
  ['no entry in memory', undefined, true, 'both'],
  ['an older entry in memory', 10, true, 'both'],
  ['an entry of the same stamp in memory', 20, true, 'both'],
  ['a newer entry in memory', 30, true, 'none'],
  ['no store', undefined, false, 'memory'],
  ['a newer entry in memory and no store', 30, false, 'none'],
] as const) {
  t.test(`with ${name} an entry is written to: ${expected}`, async (t) => {
    t.equal(decideWrite({ stamp: 20, memoryStamp, canPersist }), expected)
  })
}

for (const [outcome, isInMemory, expected] of [
  ['stored', true, 'persisted'],
  ['stored', false, 'nothing'],
  [undefined, true, 'no-echo'],
  [undefined, false, 'nothing'],
  ['other-schema', true, 'nothing'],
  ['newer', true, 'changed'],
  ['newer', false, 'changed'],
  ['purged', true, 'changed'],
  ['purged', false, 'changed'],
] as const) {
  t.test(`outcome ${outcome ?? 'failed'}, entry ${isInMemory ? '' : 'not '}in memory: ${expected}`, async (t) => {
    t.equal(decideAfterWrite(outcome, isInMemory), expected)
  })
}

t.test('a value counts as stored unless something newer or a purge was in its way', async (t) => {
  for (const outcome of ['stored', 'other-schema', 'memory-only', undefined] as const) t.ok(isStored(outcome))
  for (const outcome of ['newer', 'purged'] as const) t.notOk(isStored(outcome))
})
