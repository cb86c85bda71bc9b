import t from 'tap'
import { entityTagOf, isNotModified, matchesAny } from '../../../plugins/http/conditional.js'

t.test('the entity-tag is strong and identifies the bytes', async (t) => {
  t.match(entityTagOf('panel'), /^"[\w-]{27}"$/)
  t.equal(entityTagOf('panel'), entityTagOf(Buffer.from('panel')))
  t.not(entityTagOf('panel'), entityTagOf('panel '))
})

t.test('If-None-Match is compared as RFC 9110 section 13.1.2 says', async (t) => {
  const cases = [
    { field: '"a"', is: true, name: 'the same strong tag' },
    { field: 'W/"a"', is: true, name: 'a weak tag: the comparison is weak' },
    { field: '"b", "a"', is: true, name: 'one of a list' },
    { field: '"b" , W/"a","c"', is: true, name: 'a list with white space and weak tags' },
    { field: '*', is: true, name: 'any representation' },
    { field: ' * ', is: true, name: 'any representation, with white space' },
    { field: '"b"', is: false, name: 'another tag' },
    { field: 'a', is: false, name: 'no quotes: not an entity-tag' },
    { field: '"A"', is: false, name: 'tags are case-sensitive' },
    { field: '"x,a"', is: false, name: 'a comma inside a tag is not a separator' },
    { field: '', is: false, name: 'an empty field' },
  ]
  for (const { field, is, name } of cases) t.equal(matchesAny(field, '"a"'), is, name)
})

t.test('a list of entity-tags that is too long to be parsed does not match', async (t) => {
  const validators = { etag: '"a"', modifiedAt: 0 }
  t.equal(isNotModified({ 'if-none-match': '"b", "a"' }, validators, 0), true)
  t.equal(isNotModified({ 'if-none-match': `"a", ${'"b", '.repeat(300)}` }, validators, 0), false)
})
