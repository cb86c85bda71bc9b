import { validateHeaderValue } from 'node:http'
import t from 'tap'
import { formatTags, parseTags } from '../../../plugins/edge/surrogate-keys.js'

t.test('tags are parted as the edge in front wants them', async (t) => {
  t.equal(formatTags('Surrogate-Key', ['sellers', 'seller:7']), 'sellers seller:7')
  t.equal(formatTags('Cache-Tag', ['sellers', 'seller:7']), 'sellers,seller:7')
  t.strictSame(parseTags('Surrogate-Key', 'a  b'), ['a', 'b'])
  t.strictSame(parseTags('Edge-Cache-Tag', 'a, b,c'), ['a', 'b', 'c'])
})

t.test('no tag can break out of the field, or part itself in two', async (t) => {
  for (const tag of ['a\r\nset-cookie: x', 'a,b', 'a b', 'é', '😀', '"', '\u0000', '\ud800']) {
    const value = formatTags('Cache-Tag', [tag]) ?? ''
    t.notMatch(value, /[\s",]/)
    t.doesNotThrow(() => validateHeaderValue('cache-tag', value))
  }
})

t.test('more than the edge in front would take is not told at all', async (t) => {
  const many = Array.from({ length: 300 }, (_, index) => `t${index}`)
  t.equal(formatTags('Surrogate-Key', many), undefined)
  t.equal(formatTags('Edge-Cache-Tag', many.slice(0, 129)), undefined)
  t.ok(formatTags('Surrogate-Key', many.slice(0, 256)))
  const long = Array.from({ length: 200 }, (_, index) => 'x'.repeat(100) + index)
  t.equal(formatTags('Surrogate-Key', long), undefined)
})
