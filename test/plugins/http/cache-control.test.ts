import t from 'tap'
import {
  deltaSeconds,
  fieldsListedBy,
  parseDirectives,
  parseTargeted,
  secondsOf,
} from '../../../plugins/http/cache-control.js'
import type { FieldLines } from '../../../plugins/http/fields.js'

interface Case {
  readonly name: string
  readonly field: FieldLines | undefined
  /** Names, with their arguments. */
  readonly expected: readonly (readonly [string, string | undefined])[]
}

/** A directive without an argument. */
const bare = (name: string) => [name, undefined] as const

t.test('Cache-Control is a list of names with optional arguments (RFC 9111 §5.2)', async (t) => {
  const cases: Case[] = [
    { name: 'no field', field: undefined, expected: [] },
    { name: 'an empty field', field: '', expected: [] },
    { name: 'a name', field: 'no-store', expected: [bare('no-store')] },
    { name: 'a name and an argument', field: 'max-age=3600', expected: [['max-age', '3600']] },
    { name: 'several, separated by commas', field: 'public,max-age=1', expected: [bare('public'), ['max-age', '1']] },
    { name: 'on several lines', field: ['public', 'max-age=1'], expected: [bare('public'), ['max-age', '1']] },
    { name: 'names in any case', field: 'No-Store, MAX-AGE=1', expected: [bare('no-store'), ['max-age', '1']] },
    { name: 'an argument keeps its case', field: 'community=UCI', expected: [['community', 'UCI']] },
    { name: 'empty members', field: ', no-store,,', expected: [bare('no-store')] },
    { name: 'an empty argument is an argument', field: 'max-age=', expected: [['max-age', '']] },
    { name: 'a longer name with the same start', field: 'no-stores', expected: [bare('no-stores')] },
    { name: 'a second = is part of the argument', field: 'x=y=z', expected: [['x', 'y=z']] },
    { name: 'a semicolon is not a separator', field: 'max-age=5; no-store', expected: [['max-age', '5; no-store']] },
    { name: 'invalid names are ignored', field: '"no-store", =1, no store, public', expected: [bare('public')] },
    { name: 'white space before = is invalid', field: 'max-age =5', expected: [] },
    { name: 'white space after = is part of the argument', field: 'max-age= 5', expected: [['max-age', ' 5']] },
    { name: 'names of object properties are names', field: '__proto__=1', expected: [['__proto__', '1']] },
  ]
  for (const { name, field, expected } of cases) t.strictSame([...parseDirectives(field)], expected, name)
})

t.test('an argument means the same in quotes as without them (RFC 9111 §5.2)', async (t) => {
  const cases: Case[] = [
    { name: 'in quotes', field: 'max-age="3600"', expected: [['max-age', '3600']] },
    { name: 'empty quotes', field: 'max-age=""', expected: [['max-age', '']] },
    { name: 'an escaped character is itself', field: 'x="a\\"b\\\\c\\d"', expected: [['x', 'a"b\\cd']] },
    { name: 'single quotes are part of it', field: "max-age='3600'", expected: [['max-age', "'3600'"]] },
    { name: 'a lone quote is part of it', field: 'max-age="3600', expected: [['max-age', '"3600']] },
    {
      name: 'quotes followed by more text are part of it',
      field: 'max-age="3600"0',
      expected: [['max-age', '"3600"0']],
    },
    { name: 'quotes inside are part of it', field: 'max-age=36"00"', expected: [['max-age', '36"00"']] },
  ]
  for (const { name, field, expected } of cases) t.strictSame([...parseDirectives(field)], expected, name)
})

t.test('text inside the quotes of another directive is not a directive (RFC 9111 §5.2)', async (t) => {
  const cases: Case[] = [
    {
      name: 'max-age',
      field: 'x="a, max-age=9", max-age=1',
      expected: [
        ['x', 'a, max-age=9'],
        ['max-age', '1'],
      ],
    },
    { name: 'no-store alone', field: 'x="no-store"', expected: [['x', 'no-store']] },
    { name: 'private, after an escaped quote', field: 'x="\\", private"', expected: [['x', '", private']] },
    {
      name: 'in single quotes it is a directive',
      field: "x='a, no-store'",
      expected: [['x', "'a"], bare("no-store'")],
    },
    {
      name: 'in single quotes, separated',
      field: "x='a, no-store, b'",
      expected: [['x', "'a"], bare('no-store'), bare("b'")],
    },
  ]
  for (const { name, field, expected } of cases) t.strictSame([...parseDirectives(field)], expected, name)
})

t.test('of contradictory directives the first applies (RFC 9111 §4.2.1)', async (t) => {
  const cases: Case[] = [
    { name: 'two ages', field: 'max-age=1, max-age=3600', expected: [['max-age', '1']] },
    { name: 'the larger first', field: 'max-age=3600, max-age=1', expected: [['max-age', '3600']] },
    { name: 'in another case', field: 'max-age=1, Max-Age=2', expected: [['max-age', '1']] },
    { name: 'on another line', field: ['max-age=1', 'max-age=2'], expected: [['max-age', '1']] },
    { name: 'an invalid one first', field: 'max-age=x, max-age=2', expected: [['max-age', 'x']] },
    { name: 'one without an argument first', field: 'max-age, max-age=2', expected: [bare('max-age')] },
    { name: 'the same twice', field: 'no-store, no-store', expected: [bare('no-store')] },
  ]
  for (const { name, field, expected } of cases) t.strictSame([...parseDirectives(field)], expected, name)
})

t.test('private and no-cache apply to the listed fields, or to all fields (RFC 9111 §5.2.2.4, §5.2.2.7)', async (t) => {
  const cases: { name: string; field: FieldLines; expected: string[] | undefined }[] = [
    { name: 'no list', field: 'private', expected: undefined },
    { name: 'a field', field: 'private="set-cookie"', expected: ['set-cookie'] },
    { name: 'names in any case', field: 'private="Set-Cookie"', expected: ['set-cookie'] },
    { name: 'a list', field: 'private="set-cookie , x-user,,"', expected: ['set-cookie', 'x-user'] },
    { name: 'a token, which senders should not generate', field: 'private=set-cookie', expected: ['set-cookie'] },
    { name: 'two lists are one', field: 'private="x-a", private="x-b"', expected: ['x-a', 'x-b'] },
    { name: 'a list, and all', field: 'private="x-a", private', expected: undefined },
    { name: 'all, and a list', field: 'private, private="x-a"', expected: undefined },
    { name: 'all, and a list, on two lines', field: ['private', 'private="x-a"'], expected: undefined },
    { name: 'an empty list applies to all fields', field: 'private=""', expected: undefined },
    { name: 'a list of commas', field: 'private=" , "', expected: undefined },
    { name: 'no argument after =', field: 'private=', expected: undefined },
    { name: 'a single quote character', field: 'private="', expected: undefined },
    { name: 'an invalid field name', field: 'private="set cookie"', expected: undefined },
    { name: 'a list with an invalid name', field: 'private="x-a, (x-b)"', expected: undefined },
    { name: 'an invalid list after a valid one', field: 'private="x-a", private="', expected: undefined },
  ]
  for (const { name, field, expected } of cases) {
    const directives = parseDirectives(field)
    t.ok(directives.has('private'), `${name}: is private`)
    t.strictSame(fieldsListedBy(directives, 'private'), expected, name)
  }
  t.strictSame(fieldsListedBy(parseDirectives('no-cache="x-a"'), 'no-cache'), ['x-a'])
  t.equal(fieldsListedBy(parseDirectives('no-cache=""'), 'no-cache'), undefined)
  t.equal(fieldsListedBy(parseDirectives('public'), 'private'), undefined, 'a missing directive lists no fields')
})

t.test('seconds are digits, limited to 2^31 (RFC 9111 §1.2.2)', async (t) => {
  const cases: { name: string; text: string | undefined; expected: number | undefined }[] = [
    { name: 'none', text: undefined, expected: undefined },
    { name: 'an empty text', text: '', expected: undefined },
    { name: '0', text: '0', expected: 0 },
    { name: 'a number', text: '3600', expected: 3_600 },
    { name: 'leading zeros are ignored', text: '003600', expected: 3_600 },
    { name: 'one less than 2^31', text: '2147483647', expected: 2_147_483_647 },
    { name: '2^31', text: '2147483648', expected: 2_147_483_648 },
    { name: 'one more', text: '2147483649', expected: 2_147_483_648 },
    { name: '2^32, which must not overflow to 0', text: '4294967296', expected: 2_147_483_648 },
    { name: 'beyond the safe integers', text: '99999999999999999999', expected: 2_147_483_648 },
    { name: 'beyond the range of a double', text: '9'.repeat(400), expected: 2_147_483_648 },
    { name: 'a negative one', text: '-1', expected: undefined },
    { name: 'a sign', text: '+1', expected: undefined },
    { name: 'a fraction', text: '1.5', expected: undefined },
    { name: 'an exponent', text: '1e3', expected: undefined },
    { name: 'another base', text: '0x10', expected: undefined },
    { name: 'a unit', text: '60s', expected: undefined },
    { name: 'white space', text: ' 60', expected: undefined },
    { name: 'a line feed', text: '60\n', expected: undefined },
    { name: 'two numbers', text: '60, 60', expected: undefined },
    { name: 'single quotes', text: "'60'", expected: undefined },
    { name: 'digits of another script', text: '٦٠', expected: undefined },
  ]
  for (const { name, text, expected } of cases) t.equal(deltaSeconds(text), expected, name)
})

t.test('seconds that are missing from a directive are invalid (RFC 9111 §4.2.1)', async (t) => {
  const cases: { name: string; field: string; expected: number | 'invalid' | undefined }[] = [
    { name: 'no directive', field: 'public', expected: undefined },
    { name: 'a number', field: 'max-age=3600', expected: 3_600 },
    { name: 'in quotes', field: 'max-age="3600"', expected: 3_600 },
    { name: 'in single quotes', field: "max-age='3600'", expected: 'invalid' },
    { name: 'no argument', field: 'max-age', expected: 'invalid' },
    { name: 'an empty argument', field: 'max-age=', expected: 'invalid' },
    { name: 'white space after =', field: 'max-age= 3600', expected: 'invalid' },
    { name: 'a negative number', field: 'max-age=-1', expected: 'invalid' },
    { name: 'a word', field: 'max-age=never', expected: 'invalid' },
  ]
  for (const { name, field, expected } of cases) t.equal(secondsOf(parseDirectives(field), 'max-age'), expected, name)
})

t.test('a targeted field is a structured dictionary (RFC 9213 §2.1)', async (t) => {
  const cases: Case[] = [
    { name: 'an integer', field: 'max-age=60', expected: [['max-age', '60']] },
    {
      name: 'true, which is not an argument',
      field: 'no-store, public=?1',
      expected: [bare('no-store'), bare('public')],
    },
    { name: 'false removes the directive', field: 'no-store=?0, max-age=1', expected: [['max-age', '1']] },
    { name: 'false alone leaves no directive', field: 'no-store=?0', expected: [] },
    { name: 'a string', field: 'private="x-a"', expected: [['private', 'x-a']] },
    { name: 'a token', field: 'private=x-a', expected: [['private', 'x-a']] },
    { name: 'parameters are ignored', field: 'max-age=60;a="b";c', expected: [['max-age', '60']] },
    { name: 'of two the last applies (RFC 9651 §4.2.2)', field: 'max-age=1, max-age=2', expected: [['max-age', '2']] },
    { name: 'lines are joined', field: ['max-age=1', 'public'], expected: [['max-age', '1'], bare('public')] },
    { name: 'unknown directives', field: 'x=1', expected: [['x', '1']] },
    {
      name: 'a list of another type applies to all fields',
      field: 'private=("x-a" "x-b")',
      expected: [bare('private')],
    },
    { name: 'an empty string', field: 'no-cache=""', expected: [bare('no-cache')] },
  ]
  for (const { name, field, expected } of cases) t.strictSame([...(parseTargeted(field) ?? [])], expected, name)
})

t.test('seconds in a targeted field are an integer, and any other type is invalid (RFC 9213 §2.1)', async (t) => {
  const cases: { name: string; field: string; expected: number | 'invalid' | undefined }[] = [
    { name: 'an integer', field: 'max-age=60', expected: 60 },
    { name: 'leading zeros', field: 'max-age=0060', expected: 60 },
    { name: 'more than 2^31', field: 'max-age=999999999999999', expected: 2_147_483_648 },
    { name: 'a string of digits', field: 'max-age="60"', expected: 'invalid' },
    { name: 'a token', field: 'max-age=a60', expected: 'invalid' },
    { name: 'a fraction', field: 'max-age=60.5', expected: 'invalid' },
    { name: 'a negative integer', field: 'max-age=-60', expected: 'invalid' },
    { name: 'true', field: 'max-age', expected: 'invalid' },
    { name: 'a list', field: 'max-age=(60)', expected: 'invalid' },
    { name: 'bytes', field: 'max-age=:NjA=:', expected: 'invalid' },
    { name: 'a date', field: 'max-age=@60', expected: 'invalid' },
    { name: 'false: no directive', field: 'max-age=?0', expected: undefined },
  ]
  for (const { name, field, expected } of cases) {
    t.equal(secondsOf(parseTargeted(field) ?? new Map(), 'max-age'), expected, name)
  }
  for (const name of ['s-maxage', 'stale-while-revalidate', 'stale-if-error']) {
    t.equal(secondsOf(parseTargeted(`${name}="60"`) ?? new Map(), name), 'invalid', name)
  }
})

t.test('a missing, empty or malformed targeted field is ignored (RFC 9213 §2.1)', async (t) => {
  const cases: { name: string; field: FieldLines | undefined }[] = [
    { name: 'missing', field: undefined },
    { name: 'empty', field: '' },
    { name: 'white space', field: '  ' },
    { name: 'two empty lines', field: ['', ''] },
    { name: 'a name in upper case', field: 'Max-Age=60' },
    { name: 'nothing after =', field: 'max-age=' },
    { name: 'a comma at the end', field: 'max-age=60,' },
    { name: 'an empty member', field: 'max-age=60,,public' },
    { name: 'a lone quote', field: 'max-age=60, private="x' },
    { name: 'single quotes', field: "max-age='60'" },
    { name: 'white space around =', field: 'max-age = 60' },
    { name: 'an integer of 16 digits', field: 'max-age=9999999999999999' },
    { name: 'letters outside ASCII', field: 'max-age=60, ä' },
    { name: 'one malformed line', field: ['max-age=60', '!'] },
  ]
  for (const { name, field } of cases) t.equal(parseTargeted(field), undefined, name)
})
