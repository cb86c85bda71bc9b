import t from 'tap'
import { fieldOf, isHopByHop, membersOf, soleLine } from '../../../plugins/edge/fields.js'

t.test('a list is parted at commas outside of quoted strings, over all lines, RFC 9110 §5.6.1', async (t) => {
  t.strictSame(membersOf('a, b ,c'), ['a', 'b', 'c'])
  t.strictSame(membersOf(['a', 'b, c']), ['a', 'b', 'c'])
  t.strictSame(membersOf('a="x, y", b'), ['a="x, y"', 'b'])
  t.strictSame(membersOf('a="x\\", y", b'), ['a="x\\", y"', 'b'], 'an escaped quote ends nothing')
  t.strictSame(membersOf('a="x, y'), ['a="x, y'], 'a string that never ends holds all the rest')
  t.strictSame(membersOf(', ,a,,'), ['a'], 'empty members are none')
  t.strictSame(membersOf(undefined), [])
})

t.test('a field that is no list has one line, or none that counts', async (t) => {
  t.equal(soleLine('a'), 'a')
  t.equal(soleLine(['a']), 'a')
  t.equal(soleLine(['a', 'b']), undefined)
  t.equal(soleLine(undefined), undefined)
  t.equal(fieldOf(['a']), 'a')
  t.strictSame(fieldOf(['a', 'b']), ['a', 'b'])
})

t.test('fields of the connection end here, those that Connection names too, RFC 9110 §7.6.1', async (t) => {
  const own = ['connection', 'keep-alive', 'proxy-authenticate', 'proxy-connection', 'te', 'trailer', 'upgrade']
  for (const name of [...own, 'transfer-encoding']) t.ok(isHopByHop(name, undefined), name)
  t.ok(isHopByHop('x-mine', 'close, X-Mine'))
  t.notOk(isHopByHop('x-mine', 'close'))
  t.notOk(isHopByHop('cache-control', undefined))
})
