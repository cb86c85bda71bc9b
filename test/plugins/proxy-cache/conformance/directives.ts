import { httpDate } from '../../../harness/scripted-origin.js'
import { cacheControl, doesNotReuse, reuses, under } from './row.js'

/** Values that say how long the response is fresh, however they are written. */
const fresh: readonly [title: string, ...lines: string[]][] = [
  ['in capitals', 'MAX-AGE=60'],
  ['in mixed case', 'Max-aGe=60'],
  ['as a quoted string', 'max-age="60"'],
  ['with leading zeros', 'max-age=00060'],
  ['after unknown directives', 'foobar, baz=1, qux="a, b", max-age=60'],
  ['before unknown directives', 'max-age=60, foobar, baz=1'],
  ['between empty members', ', ,max-age=60,, ,'],
  ['amid spaces', '   max-age=60   ,   public   '],
  ['amid tabs', '\tmax-age=60\t,\tpublic\t'],
  ['without a space after the comma', 'public,max-age=60,foo'],
  ['on a second line', 'public', 'max-age=60'],
  ['on a line after an empty one', '', 'max-age=60'],
  ['as 2147483647', 'max-age=2147483647'],
  ['as 2147483648', 'max-age=2147483648'],
  ['as 99999999999', 'max-age=99999999999'],
  ['with more digits than a double holds', 'max-age=999999999999999999999999999999'],
  ['beside a no-store in a quoted string', 'max-age=60, foo="no-store"'],
  ['beside a list with no-store and private in a quoted string', 'foo="a, no-store, private", max-age=60'],
  ['beside a quoted string with escaped quotes', 'foo="a\\", no-store, \\"b", max-age=60'],
  ['beside a name that begins like no-store', 'no-stored, max-age=60'],
  ['beside a name that ends like private', 'x-private, max-age=60'],
  ['beside a value that reads like no-store', 'foo=no-store, max-age=60'],
]

/** Values that are no freshness, or say that there is none. */
const notFresh: readonly [title: string, ...lines: string[]][] = [
  ['max-age of 0', 'max-age=0'],
  ['max-age that is negative', 'max-age=-60'],
  ['max-age with a plus', 'max-age=+60'],
  ['max-age in single quotes', "max-age='3600'"],
  ['max-age with a letter in front', 'max-age=a60'],
  ['max-age with a letter behind', 'max-age=60a'],
  ['max-age with a decimal of zero', 'max-age=60.0'],
  ['max-age with a decimal', 'max-age=60.5'],
  ['max-age with an exponent', 'max-age=6e1'],
  ['max-age in hexadecimal', 'max-age=0x60'],
  ['max-age with a unit', 'max-age=60s'],
  ['max-age with a semicolon', 'max-age=60; foo'],
  ['max-age with a space before the sign', 'max-age =60'],
  ['max-age with a space after the sign', 'max-age= 60'],
  ['max-age with a space inside', 'max-age=6 0'],
  ['max-age without a value', 'max-age'],
  ['max-age with an empty value', 'max-age='],
  ['max-age with an empty quoted string', 'max-age=""'],
  ['max-age with a colon', 'max-age: 60'],
  ['max-age inside a quoted string', 'foo="max-age=60"'],
  ['max-age inside a list in a quoted string', 'foo="a, max-age=60, b"'],
  ['max-age after a quoted string that does not end', 'foo="bar, max-age=60'],
  ['name that begins like max-age', 'max-ages=60'],
  ['name that ends like max-age', 'x-max-age=60'],
  ['s-maxage that is no number, before a max-age', 's-maxage=abc, max-age=60'],
  ['s-maxage without a value, before a max-age', 's-maxage, max-age=60'],
  ['s-maxage of 0, before a max-age', 's-maxage=0, max-age=60'],
]

export const directives = [
  ...under('RFC 9111 §5.2', [
    ...fresh.map(([title, ...lines]) => reuses(`understands freshness ${title}`, { fields: lines.map(cacheControl) })),
    ...notFresh.map(([title, ...lines]) =>
      doesNotReuse(`does not treat as fresh a ${title}`, { fields: lines.map(cacheControl) }),
    ),
    ...['NO-STORE', 'No-StOrE', 'no-store=1', 'no-store="x"', 'foo, no-store', ',no-store,', 'no-store ,foo'].map(
      (value) =>
        doesNotReuse(`understands no-store written ${value}`, { fields: [cacheControl(`max-age=60, ${value}`)] }),
    ),
    ...['PRIVATE', 'pRiVaTe', ' private ', ', private'].map((value) =>
      doesNotReuse(`understands private written ${JSON.stringify(value)}`, {
        fields: [cacheControl(`max-age=60, ${value}`)],
      }),
    ),
    ...['NO-CACHE', 'No-CaChE'].map((value) =>
      doesNotReuse(`understands no-cache written ${value}`, { fields: [cacheControl(`max-age=60, ${value}`)] }),
    ),
    doesNotReuse('understands no-store on a line of its own', {
      fields: [cacheControl('max-age=60'), cacheControl('no-store')],
    }),
    doesNotReuse('understands private on a line before others', {
      fields: [cacheControl('private'), cacheControl('max-age=60'), cacheControl('public')],
    }),
    doesNotReuse('does not read freshness from a field of another name', {
      fields: [
        ['X-Cache-Control', 'max-age=60'],
        ['Surrogate-Control', 'max-age=60'],
      ],
    }),
    reuses('does not read a prohibition from a field of another name', {
      fields: [cacheControl('max-age=60'), ['X-Cache-Control', 'no-store'], ['Surrogate-Control', 'no-store']],
    }),
  ]),

  ...under('RFC 9111 §4.2.1', [
    reuses('uses the first of two different max-age, when only the first allows reuse', {
      fields: [cacheControl('max-age=30, max-age=60')],
      after: 29,
    }),
    ...[
      ['one line', 'max-age=10, max-age=60'],
      ['two lines', 'max-age=10', 'max-age=60'],
    ].map(([where, ...lines]) =>
      doesNotReuse(`does not let a later, longer max-age on ${where} make the first one longer`, {
        fields: lines.map(cacheControl),
        after: 11,
      }),
    ),
    doesNotReuse('does not let a later, longer s-maxage make the first one longer', {
      fields: [cacheControl('s-maxage=10, s-maxage=60')],
      after: 11,
    }),
    reuses('uses a max-age that is repeated with the same value', { fields: [cacheControl('max-age=60, max-age=60')] }),
    doesNotReuse('honours the more restrictive of max-age and no-cache', {
      fields: [cacheControl('max-age=60'), cacheControl('no-cache')],
    }),
    doesNotReuse('treats an invalid max-age as stale, whatever Expires is', {
      fields: [cacheControl('max-age=soon'), ['Expires', httpDate(60)]],
    }),
    doesNotReuse('treats an invalid s-maxage as stale, whatever Expires is', {
      fields: [cacheControl('s-maxage=-1'), ['Expires', httpDate(60)]],
    }),
    reuses('prefers a longer s-maxage to max-age', { fields: [cacheControl('max-age=10, s-maxage=60')], after: 30 }),
    doesNotReuse('prefers a shorter s-maxage to max-age', {
      fields: [cacheControl('max-age=60, s-maxage=10')],
      after: 30,
    }),
    doesNotReuse('prefers a shorter s-maxage that comes first', {
      fields: [cacheControl('s-maxage=10, max-age=60')],
      after: 30,
    }),
    doesNotReuse('prefers a shorter s-maxage on a line of its own', {
      fields: [cacheControl('max-age=60'), cacheControl('s-maxage=10')],
      after: 30,
    }),
    reuses('prefers a longer s-maxage to Expires', {
      fields: [cacheControl('s-maxage=60'), ['Expires', httpDate(10)]],
      after: 30,
    }),
    doesNotReuse('prefers a shorter s-maxage to Expires', {
      fields: [cacheControl('s-maxage=10'), ['Expires', httpDate(60)]],
      after: 30,
    }),
    reuses('prefers a longer max-age to Expires', {
      fields: [cacheControl('max-age=60'), ['Expires', httpDate(10)]],
      after: 30,
    }),
    reuses('prefers max-age to an Expires in the past', {
      fields: [cacheControl('max-age=60'), ['Expires', httpDate(-3_600)]],
      after: 30,
    }),
    reuses('prefers max-age to an Expires that is invalid', {
      fields: [cacheControl('max-age=60'), ['Expires', '0']],
      after: 30,
    }),
    doesNotReuse('prefers a shorter max-age to Expires', {
      fields: [cacheControl('max-age=10'), ['Expires', httpDate(60)]],
      after: 30,
    }),
    doesNotReuse('prefers a max-age of 0 to Expires', {
      fields: [cacheControl('max-age=0'), ['Expires', httpDate(60)]],
    }),
    reuses('counts Expires where Cache-Control says nothing about freshness', {
      fields: [cacheControl('public'), ['Expires', httpDate(60)]],
      after: 59,
    }),
  ]),

  ...under('RFC 9111 §5.2.2.7', [
    ...['private="x-secret"', 'PRIVATE="X-Secret"', 'private=x-secret', 'private="x-other, X-SECRET"'].map((value) =>
      reuses(`keeps, without the field that it names, what says ${value}`, {
        fields: [cacheControl(`max-age=60, ${value}`), ['X-Secret', '1'], ['X-Open', '2']],
        expect: { fields: { 'x-secret': null, 'x-open': '2' } },
      }),
    ),
    {
      title: 'sends to the client the fields that private names',
      exchanges: [
        {
          origin: { fields: [cacheControl('max-age=60, private="x-secret"'), ['X-Secret', '1']] },
          expect: { fields: { 'x-secret': '1' } },
        },
      ],
    },
    reuses('stores it without the fields that private names in two places', {
      fields: [
        cacheControl('private="x-a", max-age=60'),
        cacheControl('private="x-b"'),
        ['X-A', '1'],
        ['X-B', '2'],
        ['X-C', '3'],
      ],
      expect: { fields: { 'x-a': null, 'x-b': null, 'x-c': '3' } },
    }),
    doesNotReuse('does not store a response with private both with and without fields', {
      fields: [cacheControl('private="x-a", max-age=60, private')],
    }),
    {
      title: 'does not update from a 304 the fields that private names',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60, private="x-secret"'), ['ETag', '"a"']] } },
        {
          after: 61,
          origin: {
            status: 304,
            fields: [cacheControl('max-age=60, private="x-secret"'), ['ETag', '"a"'], ['X-Secret', '1']],
          },
          expect: { by: 'validation' },
        },
        { after: 1, expect: { by: 'store', fields: { 'x-secret': null } } },
      ],
    },
  ]),

  ...under('RFC 9111 §5.2.2.4', [
    ...['no-cache="x-secret"', 'NO-CACHE="X-Secret"', 'no-cache="x-other, X-SECRET"'].map((value) =>
      reuses(`reuses, without the field that it names, what says ${value}`, {
        fields: [cacheControl(`max-age=60, ${value}`), ['X-Secret', '1'], ['X-Open', '2']],
        expect: { fields: { 'x-secret': null, 'x-open': '2' } },
      }),
    ),
    doesNotReuse('does not reuse a response with no-cache both with and without fields', {
      fields: [cacheControl('no-cache="x-a", max-age=60, no-cache')],
    }),
  ]),
]
