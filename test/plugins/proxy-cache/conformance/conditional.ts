import { type FieldLines, httpDate } from '../../../harness/scripted-origin.js'
import { cacheControl, type Exchange, type Expectation, type Rule, under } from './row.js'

const hour = cacheControl('max-age=3600')
const minute = cacheControl('max-age=60')
const strong = ['ETag', '"a"'] as const
const modified = ['Last-Modified', httpDate(-1_000)] as const

interface Condition {
  readonly stored: FieldLines
  readonly asking: FieldLines
  readonly status?: number
  readonly after?: number
}

/** A response is stored, and a request with a condition is answered from the store. */
function conditionally(
  title: string,
  { stored, asking, status = 200, after = 0 }: Condition,
  expect: Expectation = {},
) {
  const exchanges: Exchange[] = [
    { origin: { status, fields: [hour, ...stored] } },
    { fields: asking, after, expect: { by: 'store', ...expect } },
  ]
  return { title, exchanges } satisfies Rule
}

function notModified(title: string, condition: Condition, expect: Expectation = {}) {
  return conditionally(title, condition, { status: 304, ...expect })
}

const inm = (value: string) => ['If-None-Match', value] as const
const ims = (value: string | ReturnType<typeof httpDate>) => ['If-Modified-Since', value] as const

export const conditional = [
  ...under('RFC 9111 §4.3.2', [
    notModified('answers 304 to a client that has the stored representation', {
      stored: [strong],
      asking: [inm('"a"')],
    }),
    conditionally('sends the full response to a client that has another representation', {
      stored: [strong],
      asking: [inm('"b"')],
    }),
    {
      title: 'forwards a condition without a stored response, and its result',
      exchanges: [
        {
          fields: [inm('"a"')],
          origin: { fields: [hour, strong] },
          expect: { status: 304, body: '', sent: { 'if-none-match': '"a"' } },
        },
        { after: 1 },
      ],
    },
    {
      title: 'forwards If-Modified-Since without a stored response',
      exchanges: [
        {
          fields: [ims(httpDate(-10))],
          origin: { fields: [hour, modified] },
          expect: { status: 304, body: '', sent: { 'if-modified-since': httpDate(-10) } },
        },
      ],
    },
    {
      title: 'stores the full response to a condition that fails',
      exchanges: [
        { fields: [inm('"old"')], origin: { fields: [hour, strong] } },
        { after: 1, expect: { by: 'store' } },
      ],
    },
    {
      title: 'does not evaluate If-Match against the stored response',
      exchanges: [
        { origin: { fields: [hour, strong] } },
        { fields: [['If-Match', '"b"']], origin: { status: 412 }, expect: { sent: { 'if-match': '"b"' } } },
      ],
    },
    {
      title: 'does not evaluate If-Unmodified-Since against the stored response',
      exchanges: [
        { origin: { fields: [hour, modified] } },
        { fields: [['If-Unmodified-Since', httpDate(-2_000)]], origin: { status: 412 } },
      ],
    },
    {
      title: 'answers the condition of a client once a stale response is validated',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        {
          after: 61,
          fields: [inm('"a"')],
          origin: { fields: [minute, strong] },
          expect: { by: 'validation', status: 304 },
        },
        { after: 1, expect: { by: 'store' } },
      ],
    },
    {
      title: 'sends the full response to a client that has another representation once a stale response is validated',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        {
          after: 61,
          fields: [inm('"b"')],
          origin: { fields: [minute, strong] },
          expect: { by: 'validation', status: 200, sent: { 'if-none-match': /"a"/ } },
        },
      ],
    },
    {
      title: 'answers 304 to a client that already has the full response with which a validation ends',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        {
          after: 61,
          fields: [inm('"b"')],
          origin: { fields: [minute, ['ETag', '"b"']] },
          expect: { status: 304, body: '', reached: 1 },
        },
      ],
    },
    {
      title: 'answers If-Modified-Since of a client once a stale response is validated by its entity-tag',
      exchanges: [
        { origin: { fields: [minute, strong, modified] } },
        {
          after: 61,
          fields: [ims(httpDate(-61))],
          origin: { fields: [minute, strong, ['Last-Modified', httpDate(-1_061)]] },
          expect: { by: 'validation', status: 304 },
        },
      ],
    },
    conditionally('sends the full response to a condition on a stored 404', {
      stored: [strong],
      asking: [inm('"a"')],
      status: 404,
    }),
    conditionally('sends the full response to a condition on a stored 301', {
      stored: [strong],
      asking: [inm('"a"')],
      status: 301,
    }),
    conditionally('sends the full response to If-Modified-Since on a stored 404', {
      stored: [modified],
      asking: [ims(httpDate(0))],
      status: 404,
    }),
  ]),

  ...under('RFC 9110 §13.1.2', [
    ...[
      ['strong for strong', '"a"', '"a"'],
      ['weak for weak', 'W/"a"', 'W/"a"'],
      ['weak for strong', '"a"', 'W/"a"'],
      ['strong for weak', 'W/"a"', '"a"'],
      ['the first of a list', '"a"', '"a", "b", "c"'],
      ['one in the middle of a list', '"a"', '"b", "a", "c"'],
      ['the last of a list', '"a"', '"b", "c", "a"'],
      ['one of a list without spaces', '"a"', '"b","a"'],
      ['one of a list with empty members', '"a"', ', "b",, "a",'],
      ['one of a list of weak ones', '"a"', 'W/"b", W/"a"'],
      ['whatever there is', '"a"', '*'],
      ['one with a comma in it', '"a,b"', '"c", "a,b"'],
      ['an empty one', '""', '""'],
      ['one with every other character', '"!#$%&\'()*+-./:;<=>?@[\\]^_`{|}~"', '"!#$%&\'()*+-./:;<=>?@[\\]^_`{|}~"'],
    ].map(([title, stored = '', asking = '']) =>
      notModified(`answers 304 to If-None-Match with ${title}`, { stored: [['ETag', stored]], asking: [inm(asking)] }),
    ),
    notModified('answers 304 to If-None-Match on several lines', {
      stored: [strong],
      asking: [inm('"b"'), inm('"a"')],
    }),
    notModified('answers 304 to If-None-Match: * on a response without an entity-tag', {
      stored: [],
      asking: [inm('*')],
    }),
    ...[
      ['without quotes', '"a"', 'a'],
      ['in another case', '"a"', '"A"'],
      ['that only begins the same', '"a"', '"ab"'],
      ['that only ends the same', '"a"', '"ba"'],
      ['of which it is a part', '"a,b"', '"a", "b"'],
      ['that is none', '"a"', '""'],
      ['in single quotes', '"a"', "'a'"],
      ['with a quote that does not end', '"a"', '"a'],
    ].map(([title, stored = '', asking = '']) =>
      conditionally(`sends the full response to If-None-Match with an entity-tag ${title}`, {
        stored: [['ETag', stored]],
        asking: [inm(asking)],
      }),
    ),
    conditionally('sends the full response to If-None-Match on a response without an entity-tag', {
      stored: [],
      asking: [inm('"a"')],
    }),
  ]),

  ...under('RFC 9110 §13.1.3', [
    notModified('answers 304 to If-Modified-Since with the stored Last-Modified', {
      stored: [modified],
      asking: [ims(httpDate(-1_000))],
    }),
    notModified('answers 304 to If-Modified-Since later than Last-Modified', {
      stored: [modified],
      asking: [ims(httpDate(-500))],
    }),
    conditionally('sends the full response to If-Modified-Since before Last-Modified', {
      stored: [modified],
      asking: [ims(httpDate(-1_001))],
    }),
    notModified('understands If-Modified-Since in the form of RFC 850', {
      stored: [modified],
      asking: [ims(httpDate(-1_000, 'rfc850-date'))],
    }),
    notModified('understands If-Modified-Since in the form of asctime', {
      stored: [modified],
      asking: [ims(httpDate(-1_000, 'asctime-date'))],
    }),
    notModified('understands Last-Modified in the form of RFC 850', {
      stored: [['Last-Modified', httpDate(-1_000, 'rfc850-date')]],
      asking: [ims(httpDate(-1_000))],
    }),
    notModified('uses the Date of a response without Last-Modified', {
      stored: [],
      asking: [ims(httpDate(0))],
    }),
    conditionally('sends the full response when the Date of a response without Last-Modified is later', {
      stored: [],
      asking: [ims(httpDate(-3_000))],
    }),
    ...[
      ['a word', 'yesterday'],
      ['in ISO 8601', '2050-08-18T02:01:18Z'],
      ['a number', '4102444800'],
      ['with the zone UTC', 'Thu, 18 Aug 2050 02:01:18 UTC'],
      ['two dates', 'Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT'],
      ['empty', ''],
    ].map(([title, value = '']) =>
      conditionally(`ignores an If-Modified-Since that is ${title}`, { stored: [modified], asking: [ims(value)] }),
    ),
    conditionally('ignores If-Modified-Since with an If-None-Match that does not match', {
      stored: [strong, modified],
      asking: [inm('"b"'), ims(httpDate(0))],
    }),
    notModified('ignores If-Modified-Since with an If-None-Match that matches', {
      stored: [strong, modified],
      asking: [inm('"a"'), ims(httpDate(-5_000))],
    }),
    conditionally('ignores If-Modified-Since with an If-None-Match on a response without an entity-tag', {
      stored: [modified],
      asking: [inm('"a"'), ims(httpDate(0))],
    }),
  ]),

  ...under('RFC 9110 §15.4.5', [
    notModified(
      'sends with a 304 the fields that a client needs for an update',
      {
        stored: [
          strong,
          ['Expires', httpDate(7_200)],
          ['Content-Location', '/there'],
          ['Vary', 'Foo'],
          ['Date', httpDate(-5)],
        ],
        asking: [inm('"a"')],
        after: 10,
      },
      {
        fields: {
          'cache-control': 'max-age=3600',
          etag: '"a"',
          expires: httpDate(7_190),
          'content-location': '/there',
          vary: 'Foo',
          date: httpDate(-15),
          age: '15',
        },
      },
    ),
    notModified(
      'sends no fields about content with a 304',
      { stored: [strong, ['Content-Type', 'text/plain'], ['Content-Language', 'en']], asking: [inm('"a"')] },
      { fields: { 'content-type': null, 'content-length': null, 'transfer-encoding': null } },
    ),
    notModified(
      'sends the stored CDN-Cache-Control with a 304',
      { stored: [strong, ['CDN-Cache-Control', 'max-age=7200']], asking: [inm('"a"')] },
      { fields: { 'cdn-cache-control': 'max-age=7200' } },
    ),
    notModified(
      'sends with a 304 the Last-Modified that the client used',
      { stored: [modified], asking: [ims(httpDate(-500))] },
      { fields: { 'last-modified': httpDate(-1_000) } },
    ),
  ]),
]
