import t from 'tap'
import { allEntries, maxPurges, PurgeLog, purgeMember } from '../../../../plugins/cache/purge/purge-log.js'

t.test('a purge applies to loads that began before it', async (t) => {
  const log = new PurgeLog()
  log.record([[purgeMember('a', false), 100]])
  t.equal(log.verdict(99, ['a']), 'soft')
  t.equal(log.verdict(100, ['a']), 'soft')
  t.equal(log.verdict(101, ['a']), 'none')
  t.equal(log.verdict(1, ['b']), 'none')
  t.equal(log.verdict(1, ['b', 'a']), 'soft', 'one matching tag is enough')
})

t.test('a hard purge takes precedence over a soft one, and a purge of everything matches without tags', async (t) => {
  const log = new PurgeLog()
  log.record([
    [purgeMember('a', false), 200],
    [purgeMember('a', true), 100],
    [purgeMember(allEntries, false), 50],
  ])
  t.equal(log.verdict(100, ['a']), 'hard')
  t.equal(log.verdict(150, ['a']), 'soft')
  t.equal(log.verdict(50, []), 'soft')
  t.equal(log.verdict(51, []), 'none')
  log.record([[purgeMember(allEntries, true), 300]])
  t.equal(log.verdict(300, []), 'hard')
})

t.test('an earlier stamp than the recorded one is ignored', async (t) => {
  const log = new PurgeLog()
  t.equal(log.record([['.a', 100]]), true)
  t.equal(log.record([['.a', 99]]), false)
  t.strictSame(log.missingFrom(new Map([['.a', 99]])), new Map([['.a', 100]]))
  t.equal(log.missingFrom(new Map([['.a', 100]])).size, 0)
})

t.test('above the limit the oldest purges become a purge of everything, soft or hard as they were', async (t) => {
  const log = new PurgeLog()
  log.record([
    ['!first', 1],
    ['.second', 2],
  ])
  log.record(Array.from({ length: maxPurges }, (_, n) => [`.t${n}`, 10 + n] as const))
  t.ok(log.size <= maxPurges, `${log.size}`)
  t.equal(log.verdict(1, ['unknown']), 'hard')
  t.equal(log.verdict(2, ['unknown']), 'soft')
  t.equal(log.verdict(10 + maxPurges, ['unknown']), 'none')
})

t.test('clear removes all purges', async (t) => {
  const log = new PurgeLog()
  log.record([['!a', 100]])
  log.clear()
  t.equal(log.verdict(1, ['a']), 'none')
})
