import t from 'tap'
import { fieldsNamedBy, parseDirectives, parseTargeted, secondsOf } from '../../../plugins/edge/directives.js'

t.test('max-age is read wherever it is one, and nowhere else, RFC 9111 §5.2', async (t) => {
  const cases = [
    { field: 'max-age=60', seconds: 60 },
    { field: 'MAX-AGE=60', seconds: 60 },
    { field: 'max-age="60"', seconds: 60 },
    { field: 'max-age=0060', seconds: 60 },
    { field: 'foo="bar, max-age=1", max-age=60', seconds: 60 },
    { field: ['public', 'max-age=60'], seconds: 60 },
    { field: 'max-age=60, max-age=1', seconds: 60 },
    { field: 'max-age=4294967296', seconds: 2 ** 31 },
    { field: "max-age='60'", seconds: 'invalid' },
    { field: 'max-age=', seconds: 'invalid' },
    { field: 'max-age', seconds: 'invalid' },
    { field: 'max-age=-1', seconds: 'invalid' },
    { field: 'max-age=1.5', seconds: 'invalid' },
    { field: 'max-age=60s', seconds: 'invalid' },
    { field: 'max-age= 60', seconds: 'invalid' },
    { field: 'max-age =60', seconds: undefined },
    { field: 'foo="max-age=60"', seconds: undefined },
    { field: 'x-max-age=60', seconds: undefined },
    { field: 'foo="max-age=60', seconds: undefined },
    { field: '', seconds: undefined },
    { field: undefined, seconds: undefined },
  ] as const
  for (const { field, seconds } of cases) t.equal(secondsOf(parseDirectives(field), 'max-age'), seconds, String(field))
})

t.test('no-cache and private are about the whole response as soon as they say so once, RFC 9111 §5.2.2', async (t) => {
  t.strictSame(fieldsNamedBy(parseDirectives('no-cache="X-A, x-b"'), 'no-cache'), ['x-a', 'x-b'])
  t.strictSame(fieldsNamedBy(parseDirectives('private="a", private="b"'), 'private'), ['a', 'b'])
  for (const field of ['no-cache', 'no-cache="x-a", no-cache', 'no-cache, no-cache="x-a"']) {
    const directives = parseDirectives(field)
    t.ok(directives.has('no-cache'))
    t.equal(fieldsNamedBy(directives, 'no-cache'), undefined, field)
  }
})

t.test('a targeted field is a structured dictionary or nothing, RFC 9213 §2.1', async (t) => {
  const secondsIn = (field: string) => {
    const directives = parseTargeted(field)
    return directives && secondsOf(directives, 'max-age')
  }
  t.equal(secondsIn('max-age=60'), 60)
  t.equal(secondsIn('max-age=60;a=b, foo="x"'), 60)
  t.equal(secondsIn('max-age=1, max-age=60'), 60, 'of two members the last one')
  t.equal(secondsIn('max-age="60"'), 'invalid', 'seconds are an integer')
  t.equal(secondsIn('max-age=60.5'), 'invalid')
  for (const field of ['', 'max-age=60,', 'Max-Age=60', 'max-age=60 foo', 'max age']) {
    t.equal(parseTargeted(field), undefined, `“${field}”`)
  }
  t.equal(parseTargeted('no-store')?.has('no-store'), true)
  t.equal(parseTargeted('no-store=?0')?.has('no-store'), false, 'what says no is not meant')
})
