import t from 'tap'
import { mergeVary, variantValue, variantValues, variesByEverything, varyNames } from '../../../plugins/edge/vary.js'

t.test('* in any place of any line means that nothing matches, RFC 9110 §12.5.5', async (t) => {
  for (const vary of ['*', 'a, *', ['a', '*'], '*, *']) t.ok(variesByEverything({ vary }), String(vary))
  for (const vary of ['a', 'a*', '**', '']) t.notOk(variesByEverything({ vary }), vary)
})

t.test('names are the same in any order, case and number of lines', async (t) => {
  t.strictSame(varyNames({ vary: 'B, a' }), ['a', 'b'])
  t.strictSame(varyNames({ vary: ['A', 'b,a'] }), ['a', 'b'])
  t.strictSame(varyNames({}), [])
})

t.test('values are the same whatever the white space between members, RFC 9111 §4.1', async (t) => {
  t.equal(variantValue('a, b'), variantValue('a,b'))
  t.equal(variantValue(['a', 'b']), variantValue('a , b'))
  t.not(variantValue('b, a'), variantValue('a, b'), 'the order may matter')
  t.not(variantValue('A'), variantValue('a'), 'and the case')
  t.not(variantValue(undefined), variantValue(''), 'nothing is not an empty field')
  t.strictSame(variantValues(['x', 'y'], { y: '1' }), ['', '=1'])
})

t.test('lists are merged, each name once', async (t) => {
  t.equal(mergeVary('a, b', ['B', 'c'], undefined), 'a, B, c')
  t.equal(mergeVary('a', '*'), '*')
  t.equal(mergeVary(), '')
})
