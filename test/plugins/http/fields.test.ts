import t from 'tap'
import {
  type FieldLines,
  headerValues,
  hopByHopFilter,
  listMembers,
  ownField,
  singleValue,
  trim,
} from '../../../plugins/http/fields.js'

t.test('a field has the lines in which it was received, and a missing field has none (RFC 9110 §5.3)', async (t) => {
  t.strictSame(headerValues(undefined), [])
  t.strictSame(headerValues(''), [''], 'an empty field has a line')
  t.strictSame(headerValues('a, b'), ['a, b'], 'a line is not split')
  t.strictSame(headerValues(['a', 'b']), ['a', 'b'])
})

t.test('names of object properties are not fields unless sent', async (t) => {
  const fields = { host: 'a', 'x-empty': '' }
  t.equal(ownField(fields, 'host'), 'a')
  t.equal(ownField(fields, 'x-empty'), '')
  for (const name of ['accept', 'constructor', '__proto__']) t.equal(ownField(fields, name), undefined, name)
  t.equal(ownField({ constructor: 'a' }, 'constructor'), 'a', 'sent under that name')
})

t.test('a field that is not a list has a value only in a single line (RFC 9110 §5.3)', async (t) => {
  t.equal(singleValue('a'), 'a')
  t.equal(singleValue(['a']), 'a')
  t.equal(singleValue(''), '', 'an empty value is a value')
  t.equal(singleValue(undefined), undefined)
  t.equal(singleValue([]), undefined)
  t.equal(singleValue(['a', 'b']), undefined, 'two lines have no value')
  t.equal(singleValue(['a', 'a']), undefined, 'even if they are equal')
})

t.test('the members of a list are separated by commas and lines (RFC 9110 §5.6.1)', async (t) => {
  const cases: { name: string; field: FieldLines | undefined; expected: string[] }[] = [
    { name: 'no field has none', field: undefined, expected: [] },
    { name: 'an empty one has none', field: '', expected: [] },
    { name: 'one member', field: 'a', expected: ['a'] },
    { name: 'surrounding white space is not part of a member', field: ' a ,\tb\t,  c', expected: ['a', 'b', 'c'] },
    { name: 'white space inside is part of it', field: 'a b, c', expected: ['a b', 'c'] },
    { name: 'empty members are ignored (§5.6.1.2)', field: ',a,, ,\t,b,', expected: ['a', 'b'] },
    { name: 'commas alone', field: ', ,', expected: [] },
    { name: 'several lines', field: ['a, b', 'c'], expected: ['a', 'b', 'c'] },
    { name: 'an empty line between', field: ['a', '', 'b'], expected: ['a', 'b'] },
    { name: 'case and repetition are preserved', field: 'A, a, a', expected: ['A', 'a', 'a'] },
    {
      name: 'only the white space of HTTP is trimmed',
      field: '\u00a0a\u00a0, \u000bb',
      expected: ['\u00a0a\u00a0', '\u000bb'],
    },
  ]
  for (const { name, field, expected } of cases) t.strictSame(listMembers(field), expected, name)
})

t.test('a comma inside a quoted string is not a separator (RFC 9110 §5.6.4)', async (t) => {
  const cases: { name: string; field: FieldLines; expected: string[] }[] = [
    { name: 'a comma in quotes', field: '"a,b", c', expected: ['"a,b"', 'c'] },
    { name: 'quotes and white space inside them are preserved', field: '" a "', expected: ['" a "'] },
    { name: 'a quoted argument', field: 'x="a, b", y', expected: ['x="a, b"', 'y'] },
    { name: 'an escaped quote does not end the string', field: '"a\\",b", c', expected: ['"a\\",b"', 'c'] },
    { name: 'an escaped backslash does not escape', field: '"a\\\\", b', expected: ['"a\\\\"', 'b'] },
    { name: 'a backslash outside quotes does not escape a comma', field: 'a\\, b', expected: ['a\\', 'b'] },
    { name: 'a backslash outside quotes does not escape a quote', field: '\\"a, b", c', expected: ['\\"a, b"', 'c'] },
    { name: 'single quotes are not quotes', field: "'a, b'", expected: ["'a", "b'"] },
    { name: 'empty quotes are a member', field: '"", a', expected: ['""', 'a'] },
    { name: 'quotes end with the line', field: ['"a', 'b", c'], expected: ['"a', 'b", c'] },
  ]
  for (const { name, field, expected } of cases) t.strictSame(listMembers(field), expected, name)
})

t.test('hop-by-hop fields and those that Connection names are not forwarded (RFC 9110 §7.6.1)', async (t) => {
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
    { name: 'any other field is forwarded', field: 'x-trace', connection: undefined, is: false },
    { name: 'authorization is forwarded', field: 'authorization', connection: 'close', is: false },
    { name: 'content-length is forwarded', field: 'content-length', connection: 'keep-alive', is: false },
    { name: 'a named field', field: 'x-trace', connection: 'x-trace', is: true },
    { name: 'in any case', field: 'x-trace', connection: 'Close, X-Trace', is: true },
    { name: 'on a second line', field: 'x-trace', connection: ['close', 'x-trace'], is: true },
    { name: 'a prefix of a named field', field: 'x-trace', connection: 'x-trace-id', is: false },
    { name: 'a name in quotes', field: 'x-trace', connection: '"a, x-trace"', is: false },
  ]
  for (const { name, field, connection, is } of cases) t.equal(hopByHopFilter(connection)(field), is, name)
})

t.test('a long run of blanks is trimmed in linear time', async (t) => {
  const text = `a${' '.repeat(2 ** 21)}b` // quadratic time would exceed the time limit of the test by far
  t.equal(trim(` ${text}\t`), text)
})

t.test('a Connection that is too long to be parsed lists nothing', async (t) => {
  const isHopByHop = hopByHopFilter(`x-a, ${'x-b, '.repeat(300)}`)
  t.strictSame(['x-a', 'connection', 'te'].map(isHopByHop), [false, true, true])
})
