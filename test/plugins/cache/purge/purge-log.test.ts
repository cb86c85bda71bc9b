import t from 'tap'
import { everything, maxPurges, PurgeLog, purgeMember } from '../../../../plugins/cache/purge/purge-log.js'

t.test('a purge covers what began before it and not what began later', async (t) => {
  const log = new PurgeLog()
  log.note([[purgeMember('a', false), 100]])
  t.equal(log.verdict(99, ['a']), 'soft')
  t.equal(log.verdict(100, ['a']), 'soft')
  t.equal(log.verdict(101, ['a']), 'none')
  t.equal(log.verdict(1, ['b']), 'none')
  t.equal(log.verdict(1, ['b', 'a']), 'soft', 'any of its tags will do')
})

t.test('a hard purge outweighs a soft one, and a purge of everything needs no tag', async (t) => {
  const log = new PurgeLog()
  log.note([
    [purgeMember('a', false), 200],
    [purgeMember('a', true), 100],
    [purgeMember(everything, false), 50],
  ])
  t.equal(log.verdict(100, ['a']), 'hard')
  t.equal(log.verdict(150, ['a']), 'soft')
  t.equal(log.verdict(50, []), 'soft')
  t.equal(log.verdict(51, []), 'none')
  log.note([[purgeMember(everything, true), 300]])
  t.equal(log.verdict(300, []), 'hard')
})

t.test('an earlier stamp than the known one is no news', async (t) => {
  const log = new PurgeLog()
  t.equal(log.note([['.a', 100]]), true)
  t.equal(log.note([['.a', 99]]), false)
  t.strictSame(log.missingFrom(new Map([['.a', 99]])), new Map([['.a', 100]]))
  t.equal(log.missingFrom(new Map([['.a', 100]])).size, 0)
})

t.test('beyond the bound the oldest purges become one of everything older, soft or hard as they were', async (t) => {
  const log = new PurgeLog()
  log.note([
    ['!first', 1],
    ['.second', 2],
  ])
  log.note(Array.from({ length: maxPurges }, (_, n) => [`.t${n}`, 10 + n] as const))
  t.ok(log.size <= maxPurges, `${log.size}`)
  t.equal(log.verdict(1, ['unknown']), 'hard')
  t.equal(log.verdict(2, ['unknown']), 'soft')
  t.equal(log.verdict(10 + maxPurges, ['unknown']), 'none')
})

t.test('after clear nothing is purged', async (t) => {
  const log = new PurgeLog()
  log.note([['!a', 100]])
  log.clear()
  t.equal(log.verdict(1, ['a']), 'none')
})
