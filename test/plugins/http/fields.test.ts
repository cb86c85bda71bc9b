import t from 'tap'
import {
  type FieldLines,
  headerValues,
  isHopByHop,
  listMembers,
  ownField,
  singleValue,
} from '../../../plugins/http/fields.js'

t.test('a field has as many lines as it came in, and a missing one has none (RFC 9110 §5.3)', async (t) => {
  t.strictSame(headerValues(undefined), [])
  t.strictSame(headerValues(''), [''], 'an empty field is there')
  t.strictSame(headerValues('a, b'), ['a, b'], 'a line is not taken apart')
  t.strictSame(headerValues(['a', 'b']), ['a', 'b'])
})

t.test('a field is there only where it was sent, whatever its name is', async (t) => {
  const fields = { host: 'a', 'x-empty': '' }
  t.equal(ownField(fields, 'host'), 'a')
  t.equal(ownField(fields, 'x-empty'), '')
  for (const name of ['accept', 'constructor', '__proto__']) t.equal(ownField(fields, name), undefined, name)
  t.equal(ownField({ constructor: 'a' }, 'constructor'), 'a', 'sent under that name')
})

t.test('a field that is no list has a value only in a single line (RFC 9110 §5.3)', async (t) => {
  t.equal(singleValue('a'), 'a')
  t.equal(singleValue(['a']), 'a')
  t.equal(singleValue(''), '', 'an empty value is one')
  t.equal(singleValue(undefined), undefined)
  t.equal(singleValue([]), undefined)
  t.equal(singleValue(['a', 'b']), undefined, 'of two lines neither is taken')
  t.equal(singleValue(['a', 'a']), undefined, 'though they are the same')
})

t.test('the members of a list are parted by commas, over all lines (RFC 9110 §5.6.1)', async (t) => {
  const cases: { name: string; field: FieldLines | undefined; expected: string[] }[] = [
    { name: 'no field has none', field: undefined, expected: [] },
    { name: 'an empty one has none', field: '', expected: [] },
    { name: 'one member', field: 'a', expected: ['a'] },
    { name: 'white space before and after is no part of a member', field: ' a ,\tb\t,  c', expected: ['a', 'b', 'c'] },
    { name: 'white space inside is', field: 'a b, c', expected: ['a b', 'c'] },
    { name: 'empty members are left out (§5.6.1.2)', field: ',a,, ,\t,b,', expected: ['a', 'b'] },
    { name: 'commas alone', field: ', ,', expected: [] },
    { name: 'lines follow one another', field: ['a, b', 'c'], expected: ['a', 'b', 'c'] },
    { name: 'an empty line between', field: ['a', '', 'b'], expected: ['a', 'b'] },
    { name: 'case and repetition are left as they are', field: 'A, a, a', expected: ['A', 'a', 'a'] },
    {
      name: 'white space is that of HTTP alone',
      field: '\u00a0a\u00a0, \u000bb',
      expected: ['\u00a0a\u00a0', '\u000bb'],
    },
  ]
  for (const { name, field, expected } of cases) t.strictSame(listMembers(field), expected, name)
})

t.test('a comma inside a quoted string parts nothing (RFC 9110 §5.6.4)', async (t) => {
  const cases: { name: string; field: FieldLines; expected: string[] }[] = [
    { name: 'a comma in quotes', field: '"a,b", c', expected: ['"a,b"', 'c'] },
    { name: 'the quotes stay, and white space in them', field: '" a "', expected: ['" a "'] },
    { name: 'a quoted argument', field: 'x="a, b", y', expected: ['x="a, b"', 'y'] },
    { name: 'an escaped quote ends nothing', field: '"a\\",b", c', expected: ['"a\\",b"', 'c'] },
    { name: 'an escaped backslash escapes nothing', field: '"a\\\\", b', expected: ['"a\\\\"', 'b'] },
    { name: 'a backslash outside quotes escapes nothing', field: 'a\\, b', expected: ['a\\', 'b'] },
    { name: 'nor does it a quote', field: '\\"a, b", c', expected: ['\\"a, b"', 'c'] },
    { name: 'single quotes are no quotes', field: "'a, b'", expected: ["'a", "b'"] },
    { name: 'empty quotes are a member', field: '"", a', expected: ['""', 'a'] },
    { name: 'quotes do not reach into the next line', field: ['"a', 'b", c'], expected: ['"a', 'b", c'] },
  ]
  for (const { name, field, expected } of cases) t.strictSame(listMembers(field), expected, name)
})

t.test('fields of one connection end here, and those that Connection names (RFC 9110 §7.6.1)', async (t) => {
  const cases: { name: string; field: string; connection: FieldLines | undefined; is: boolean }[] = [
    ...['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade', 'trailer'].map(
      (field) => ({
        name: `${field}, though nothing names it`,
        field,
        connection: undefined,
        is: true,
      }),
    ),
    ...['proxy-authenticate', 'proxy-authentication-info', 'proxy-authorization'].map((field) => ({
      name: `${field} (RFC 9111 §3.1)`,
      field,
      connection: undefined,
      is: true,
    })),
    { name: 'any other goes on', field: 'x-trace', connection: undefined, is: false },
    { name: 'authorization goes on', field: 'authorization', connection: 'close', is: false },
    { name: 'content-length goes on', field: 'content-length', connection: 'keep-alive', is: false },
    { name: 'one that is named', field: 'x-trace', connection: 'x-trace', is: true },
    { name: 'in whatever case', field: 'x-trace', connection: 'Close, X-Trace', is: true },
    { name: 'on a second line', field: 'x-trace', connection: ['close', 'x-trace'], is: true },
    { name: 'not one whose name only begins so', field: 'x-trace', connection: 'x-trace-id', is: false },
    { name: 'not one named in quotes', field: 'x-trace', connection: '"a, x-trace"', is: false },
  ]
  for (const { name, field, connection, is } of cases) t.equal(isHopByHop(field, connection), is, name)
})
