import t from 'tap'
import type { FieldLines } from '../../../plugins/http/fields.js'
import {
  fieldValues,
  keyedFields,
  keyedValue,
  mergeVary,
  variantValue,
  variesByEverything,
  varyNames,
} from '../../../plugins/http/vary.js'

t.test('a response with a Vary member * matches no other request (RFC 9110 §12.5.5)', async (t) => {
  const cases: { name: string; vary: FieldLines | undefined; is: boolean }[] = [
    { name: '*', vary: '*', is: true },
    { name: 'surrounding white space', vary: ' * ', is: true },
    { name: 'among names', vary: 'accept, *, cookie', is: true },
    { name: 'after a name, without white space', vary: 'accept,*', is: true },
    { name: 'on a second line', vary: ['accept', '*'], is: true },
    { name: 'at the end of a second line', vary: ['accept', 'cookie, *'], is: true },
    { name: 'no Vary', vary: undefined, is: false },
    { name: 'an empty one', vary: '', is: false },
    { name: 'names', vary: 'accept, cookie', is: false },
    { name: 'a name with a * in it', vary: 'x-*', is: false },
    { name: '* in quotes', vary: '"*"', is: false },
  ]
  for (const { name, vary, is } of cases) {
    t.equal(variesByEverything(vary === undefined ? {} : { vary }), is, name)
  }
})

t.test('the names in Vary are a set, in any case, order and lines (RFC 9111 §4.1)', async (t) => {
  const cases: { name: string; vary: FieldLines | undefined; expected: string[] }[] = [
    { name: 'no Vary', vary: undefined, expected: [] },
    { name: 'an empty one', vary: '', expected: [] },
    { name: 'a name', vary: 'Accept', expected: ['accept'] },
    { name: 'in order', vary: 'cookie, accept', expected: ['accept', 'cookie'] },
    { name: 'several lines', vary: ['cookie, x-b', 'accept', 'x-a'], expected: ['accept', 'cookie', 'x-a', 'x-b'] },
    { name: 'each once', vary: ['Accept, accept', 'ACCEPT'], expected: ['accept'] },
    { name: 'white space and empty members', vary: ' ,accept ,,\tcookie ', expected: ['accept', 'cookie'] },
  ]
  for (const { name, vary, expected } of cases) {
    t.strictSame(varyNames(vary === undefined ? {} : { vary }), expected, name)
  }
})

t.test('a list field is normalised for the comparison (RFC 9111 §4.1)', async (t) => {
  const cases: { name: string; one: FieldLines | undefined; other: FieldLines | undefined; match: boolean }[] = [
    { name: 'both without the field', one: undefined, other: undefined, match: true },
    { name: 'the same value', one: 'fr', other: 'fr', match: true },
    { name: 'another value', one: 'fr', other: 'de', match: false },
    { name: 'a missing field and an empty one', one: undefined, other: '', match: false },
    { name: 'a missing field and the value undefined', one: undefined, other: 'undefined', match: false },
    { name: 'an empty field and one of white space', one: '', other: ' ', match: true },
    { name: 'white space between members', one: 'fr,de', other: 'fr , de', match: true },
    { name: 'tabs', one: 'fr,de', other: 'fr,\tde', match: true },
    { name: 'lines joined', one: ['fr', 'de'], other: 'fr, de', match: true },
    { name: 'a single line in a list', one: ['fr'], other: 'fr', match: true },
    { name: 'empty members', one: 'fr,,de,', other: 'fr,de', match: true },
    { name: 'the order of members', one: 'fr, de', other: 'de, fr', match: false },
    { name: 'an additional member', one: 'fr', other: 'fr, fr', match: false },
    { name: 'the case of a value', one: 'FR', other: 'fr', match: false },
    { name: 'white space inside a member', one: 'a b', other: 'ab', match: false },
    { name: 'the amount of white space inside a member', one: 'a b', other: 'a  b', match: false },
    { name: 'white space inside quotes', one: '"a,b"', other: '"a, b"', match: false },
    { name: 'a list and a quoted string', one: 'a,b', other: '"a,b"', match: false },
    { name: 'a value that begins with =', one: '=', other: '', match: false },
  ]
  const textOf = (name: string, field: FieldLines | undefined) => variantValue(keyedValue(name, field))
  for (const { name, one, other, match } of cases) {
    t.equal(textOf('accept', one) === textOf('accept', other), match, name)
  }
})

t.test('any other field is compared by its text, as different spellings may have different meanings', async (t) => {
  const textOf = (field: FieldLines | undefined) => variantValue(keyedValue('x-tenant', field))
  for (const spelling of ['acme,', 'acme, ', ',acme', 'ACME', '"acme"', 'acme;', '']) {
    t.not(textOf(spelling), textOf('acme'), spelling)
  }
  t.equal(textOf(['a', 'b']), textOf('a, b'), 'lines are one value, RFC 9110 §5.3')
})

t.test('the host is case-insensitive', async (t) => {
  t.equal(keyedValue('host', 'A.Example:80'), 'a.example:80')
})

t.test('several Vary fields are merged without duplicates, and * replaces all names', async (t) => {
  const cases: { name: string; fields: (FieldLines | undefined)[]; expected: string }[] = [
    { name: 'none', fields: [], expected: '' },
    { name: 'missing and empty fields', fields: [undefined, ''], expected: '' },
    { name: 'names in their order', fields: ['cookie', ['x-a', 'accept']], expected: 'cookie, x-a, accept' },
    { name: 'a name once, in any case', fields: ['Accept, x-a', 'accept', 'ACCEPT'], expected: 'ACCEPT, x-a' },
    { name: '* alone', fields: ['*'], expected: '*' },
    { name: '* before', fields: ['*', 'accept'], expected: '*' },
    { name: '* after', fields: ['accept', ['cookie', 'x-a, *']], expected: '*' },
  ]
  for (const { name, fields, expected } of cases) t.equal(mergeVary(...fields), expected, name)
})

t.test('a list that is too long to be parsed is compared as it is', async (t) => {
  const long = 'fr,'.repeat(400)
  t.equal(keyedValue('accept-language', long), long)
})

t.test('each field of a request is normalised once, however often it is compared', async (t) => {
  const calls: (string | undefined)[] = []
  const normalise = (value: string | undefined) => {
    calls.push(value)
    return value?.slice(0, 1)
  }
  const fields = { 'x-a': 'abc' }
  const normalisers = new Map([
    ['x-a', normalise],
    ['x-b', normalise],
  ])
  const keyedField = fieldValues(fields, normalisers)
  t.strictSame(
    [keyedField('x-a'), keyedField('x-b'), keyedField('x-a'), keyedField('x-b')],
    ['a', undefined, 'a', undefined],
  )
  t.strictSame(keyedFields(fields, normalisers, keyedField), { 'x-a': 'a' })
  t.strictSame(calls, ['abc', undefined])
})
