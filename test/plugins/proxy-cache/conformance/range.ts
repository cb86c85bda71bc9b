import { type FieldLines, httpDate } from '../../../harness/scripted-origin.js'
import { cacheControl, type Exchange, type Expectation, type Row, under } from './row.js'

const hour = cacheControl('max-age=3600')
const strong = ['ETag', '"a"'] as const
const body = '0123456789A'
/** A date that is a strong validator: a minute and more before the response. RFC 9110 §8.8.2.2. */
const modified = ['Last-Modified', httpDate(-1_000)] as const

/** A whole response is stored, and a range of it is asked for. */
function ranged(asking: FieldLines, expect: Expectation, stored: FieldLines = [strong], status = 200): Exchange[] {
  return [
    { origin: { status, body, fields: [hour, ['Content-Type', 'text/plain'], ...stored] } },
    { fields: asking, expect: { by: 'store', ...expect } },
  ]
}

const range = (value: string) => ['Range', value] as const
const part = (text: string, from: number): Expectation => ({
  status: 206,
  body: text,
  fields: {
    'content-range': `bytes ${from}-${from + text.length - 1}/${body.length}`,
    'content-length': String(text.length),
    'content-type': 'text/plain',
  },
})
const whole: Expectation = { status: 200, body, fields: { 'content-range': null } }
const unsatisfiable: Expectation = { status: 416, body: '', fields: { 'content-range': `bytes */${body.length}` } }

const ranges: readonly [title: string, value: string, Expectation][] = [
  ['the first bytes', 'bytes=0-1', part('01', 0)],
  ['one byte', 'bytes=3-3', part('3', 3)],
  ['bytes in the middle', 'bytes=4-6', part('456', 4)],
  ['everything from a byte on', 'bytes=1-', part('123456789A', 1)],
  ['everything from the first byte on', 'bytes=0-', part(body, 0)],
  ['the last bytes', 'bytes=-1', part('A', 10)],
  ['the last bytes, more than there are', 'bytes=-99', part(body, 0)],
  ['bytes up to beyond the end', 'bytes=8-99', part('89A', 8)],
  ['bytes up to beyond what a number holds', 'bytes=8-99999999999999999999', part('89A', 8)],
  ['a range with its unit in capitals', 'BYTES=0-1', part('01', 0)],
]

const several = ['bytes=0-1,4-5', 'bytes=0-1, -1', 'bytes=0-,0-,0-,0-', 'bytes=0-1,5-99,-3']

/** What is no range of bytes is ignored. RFC 9110 §14.2. */
const ignored = [
  'bytes=5-2',
  'bytes=a-b',
  'bytes=',
  'bytes=-',
  'bytes',
  'bytes 0-1',
  'lines=0-1',
  'bytes=0-1-2',
  'bytes=1.5-2',
]

export const range9110 = [
  ...under('RFC 9110 §14.2', [
    ...ranges.map(([title, value, expect]) => ({
      title: `serves from the complete stored response a request for ${title}`,
      exchanges: ranged([range(value)], expect),
    })),
    ...several.map((value) => ({
      title: `serves the complete stored response to a request for several ranges: ${value}`,
      exchanges: ranged([range(value)], whole),
    })),
    ...ignored.map((value) => ({
      title: `ignores what is no range of bytes: ${value}`,
      exchanges: ranged([range(value)], whole),
    })),
    {
      title: 'ignores a range that HEAD asks for',
      exchanges: [
        { origin: { body, fields: [hour] } },
        {
          method: 'HEAD',
          fields: [range('bytes=0-1')],
          expect: { by: 'store', status: 200, fields: { 'content-length': '11', 'content-range': null } },
        },
      ] satisfies Exchange[],
    },
    {
      title: 'answers a range of a stored 404 with the 404',
      exchanges: ranged([range('bytes=0-1')], { status: 404, body, fields: { 'content-range': null } }, [], 404),
    },
    {
      title: 'answers a range from a stored response that came in chunks',
      exchanges: [
        { origin: { body, chunked: true, fields: [hour, ['Content-Type', 'text/plain']] } },
        { fields: [range('bytes=4-6')], expect: { by: 'store', ...part('456', 4) } },
      ] satisfies Exchange[],
    },
    {
      title: 'forwards a range without a stored response, and its result',
      exchanges: [
        {
          fields: [range('bytes=0-1')],
          origin: { status: 206, body: '01', fields: [['Content-Range', 'bytes 0-1/11']] },
          expect: { sent: { range: 'bytes=0-1' }, fields: { 'content-range': 'bytes 0-1/11' } },
        },
      ] satisfies Exchange[],
    },
  ]),

  ...under('RFC 9110 §15.5.17', [
    ...['bytes=11-', 'bytes=11-20', 'bytes=99-100', 'bytes=-0', 'bytes=99999999999999999999-'].map((value) => ({
      title: `answers 416 to a range outside the stored representation: ${value}`,
      exchanges: ranged([range(value)], unsatisfiable),
    })),
  ]),

  ...under('RFC 9110 §15.3.7', [
    {
      title: 'sends the stored fields with a 206',
      exchanges: ranged(
        [range('bytes=0-1')],
        {
          ...part('01', 0),
          fields: {
            etag: '"a"',
            'cache-control': 'max-age=3600',
            expires: httpDate(7_200),
            'content-location': '/there',
            vary: 'Foo',
            date: httpDate(0),
            age: '0',
          },
        },
        [strong, ['Expires', httpDate(7_200)], ['Content-Location', '/there'], ['Vary', 'Foo']],
      ),
    },
  ]),

  ...under('RFC 9110 §13.1.5', [
    {
      title: 'answers a range whose If-Range names the stored entity-tag',
      exchanges: ranged([range('bytes=0-1'), ['If-Range', '"a"']], part('01', 0)),
    },
    {
      title: 'answers with the whole a range whose If-Range names another entity-tag',
      exchanges: ranged([range('bytes=0-1'), ['If-Range', '"b"']], whole),
    },
    {
      title: 'sends the complete response to a range with a weak If-Range',
      exchanges: ranged([range('bytes=0-1'), ['If-Range', 'W/"a"']], whole, [['ETag', 'W/"a"']]),
    },
    {
      title: 'answers with the whole a range whose If-Range is strong where the stored entity-tag is weak',
      exchanges: ranged([range('bytes=0-1'), ['If-Range', '"a"']], whole, [['ETag', 'W/"a"']]),
    },
    {
      title: 'answers a range whose If-Range names the stored Last-Modified',
      exchanges: ranged([range('bytes=0-1'), ['If-Range', httpDate(-1_000)]], part('01', 0), [modified]),
    },
    {
      title: 'answers with the whole a range whose If-Range names an earlier date',
      exchanges: ranged([range('bytes=0-1'), ['If-Range', httpDate(-2_000)]], whole, [modified]),
    },
    {
      title: 'answers with the whole a range whose If-Range names a later date',
      exchanges: ranged([range('bytes=0-1'), ['If-Range', httpDate(-500)]], whole, [modified]),
    },
    {
      title: 'answers with the whole a range whose If-Range names a date too close to the response to be strong',
      exchanges: ranged([range('bytes=0-1'), ['If-Range', httpDate(0)]], whole, [['Last-Modified', httpDate(0)]]),
    },
    {
      title: 'answers with the whole a range whose If-Range is neither',
      exchanges: ranged([range('bytes=0-1'), ['If-Range', 'a']], whole),
    },
    {
      title: 'answers with the whole a range with an If-Range when nothing stored has a validator',
      exchanges: ranged([range('bytes=0-1'), ['If-Range', '"a"']], whole, []),
    },
    {
      title: 'ignores an If-Range without a range',
      exchanges: ranged([['If-Range', '"b"']], whole),
    },
    {
      title: 'answers with the whole a range outside of it when If-Range does not match',
      exchanges: ranged([range('bytes=99-'), ['If-Range', '"b"']], whole),
    },
  ]),

  ...under('RFC 9110 §13.2.2', [
    {
      title: 'answers 304 to a range of a client that has the stored representation',
      exchanges: ranged([range('bytes=0-1'), ['If-None-Match', '"a"']], { status: 304 }),
    },
    {
      title: 'answers 304 to a range when nothing has changed since the client asked',
      exchanges: ranged([range('bytes=0-1'), ['If-Modified-Since', httpDate(-500)]], { status: 304 }, [modified]),
    },
    {
      title: 'answers a range whose client has something else than what is stored',
      exchanges: ranged([range('bytes=0-1'), ['If-None-Match', '"b"']], part('01', 0)),
    },
  ]),
] satisfies readonly Row[]
