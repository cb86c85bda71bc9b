import { httpDate } from '../../../harness/scripted-origin.js'
import { cacheControl, doesNotReuse, reuses, under, validates } from './row.js'

const cdn = (value: string) => ['CDN-Cache-Control', value] as const
const noStore = cacheControl('no-store')
const hour = cacheControl('max-age=3600')

/** Dictionaries that parse, whose freshness is that of CDN-Cache-Control. */
const valid = [
  'max-age=60',
  'public, max-age=60',
  'foobar, max-age=60',
  'foo=1.5, bar="x, no-store", baz=?0, qux=:aGk=:, list=(a b), max-age=60',
  'max-age=60;foo=bar',
  'max-age=60; foo;bar=1',
  'max-age=0060',
  'max-age=10,   max-age=60',
  'max-age=60 , foo',
  'max-age=60\t,\tfoo',
  'max-age=999999999999999',
  's-maxage=60',
  'max-age=60, s-maxage=600',
]

/** Values that are no dictionary: the field is as if it were not there. RFC 8941 §3.2. */
const invalid = [
  'max-age=60, &&&&&',
  'max-age=60,',
  ', max-age=60',
  'max-age=60,, foo',
  'MAX-AGE=60',
  'max-age=60, Foo',
  'max-age =60',
  'max-age= 60',
  'max-age=',
  'max-age=60 foo',
  'max-age=60a=b c',
  'max-age=60, foo="bar',
  "max-age=60, foo='bar'",
  'max-age=60, foo=(a b',
  'max-age=1000000000000000',
  'max-age=60.',
  'max-age=60, 1foo',
  'max-age=60; Foo',
  '',
  ' ',
]

/** Dictionaries in which max-age has a value of another type than it is to have. */
const wrongType = ['max-age="60"', 'max-age=60.5', 'max-age', 'max-age=?1', 'max-age=sixty', 'max-age=(60)']

export const targeted = [
  ...under('RFC 9213 §2.1', [
    ...valid.map((value) =>
      reuses(`uses a CDN-Cache-Control that is a dictionary: ${value}`, {
        fields: [noStore, cdn(value)],
        after: 59,
      }),
    ),
    ...invalid.map((value) =>
      doesNotReuse(`ignores a CDN-Cache-Control that is no dictionary: ${JSON.stringify(value)}`, {
        fields: [noStore, cdn(value)],
      }),
    ),
    ...invalid.map((value) =>
      reuses(`uses Cache-Control when CDN-Cache-Control is no dictionary: ${JSON.stringify(value)}`, {
        fields: [hour, cdn(value)],
        after: 3_599,
      }),
    ),
    ...wrongType.map((value) =>
      doesNotReuse(`does not treat as fresh a CDN-Cache-Control whose max-age is no integer: ${value}`, {
        fields: [noStore, cdn(value)],
      }),
    ),
    reuses('treats a CDN-Cache-Control with a decimal max-age of zero as the integer', {
      supported: false,
      fields: [noStore, cdn('max-age=60.0')],
    }),
    doesNotReuse('does not treat as fresh a CDN-Cache-Control whose max-age is negative', {
      fields: [cdn('max-age=-60')],
    }),
    doesNotReuse('uses the last of two directives of the same name', {
      fields: [cdn('max-age=60, max-age=10')],
      after: 11,
    }),
    reuses('joins several lines of CDN-Cache-Control', { fields: [noStore, cdn('foo'), cdn('max-age=60')] }),
    doesNotReuse('ignores several lines of CDN-Cache-Control of which one is no dictionary', {
      fields: [noStore, cdn('max-age=60'), cdn('&&&')],
    }),
    reuses('ignores unknown directives and their parameters', { fields: [cdn('none, max-age=60;foo="no-store"')] }),
  ]),

  ...under('RFC 9213 §2.2', [
    reuses('uses a longer CDN-Cache-Control rather than Cache-Control', {
      fields: [cacheControl('max-age=10'), cdn('max-age=60')],
      after: 30,
    }),
    doesNotReuse('uses a shorter CDN-Cache-Control rather than Cache-Control', {
      fields: [cacheControl('max-age=60'), cdn('max-age=10')],
      after: 30,
    }),
    doesNotReuse('uses a shorter CDN-Cache-Control rather than s-maxage', {
      fields: [cacheControl('s-maxage=60'), cdn('max-age=10')],
      after: 30,
    }),
    reuses('stores by CDN-Cache-Control a response whose Cache-Control is private', {
      fields: [cacheControl('private'), cdn('max-age=60')],
    }),
    reuses('reuses by CDN-Cache-Control a response whose Cache-Control has no-cache', {
      fields: [cacheControl('no-cache'), cdn('max-age=60')],
    }),
    reuses('uses CDN-Cache-Control rather than an Expires in the past', {
      fields: [cdn('max-age=60'), ['Expires', httpDate(-60)]],
    }),
    reuses('uses CDN-Cache-Control rather than an Expires that is invalid', {
      fields: [cdn('max-age=60'), ['Expires', '0']],
    }),
    doesNotReuse('uses a CDN-Cache-Control of 0 rather than an Expires ahead', {
      fields: [cdn('max-age=0'), ['Expires', httpDate(60)]],
    }),
    doesNotReuse('uses neither Cache-Control nor Expires when CDN-Cache-Control has no freshness', {
      fields: [hour, ['Expires', httpDate(60)], cdn('none')],
    }),
    doesNotReuse('does not store a response whose CDN-Cache-Control has no-store', {
      fields: [hour, cdn('no-store'), ['Expires', httpDate(60)]],
    }),
    doesNotReuse('does not store a response whose CDN-Cache-Control is private', { fields: [hour, cdn('private')] }),
    doesNotReuse('does not store a response whose CDN-Cache-Control has no-store and max-age', {
      fields: [hour, cdn('max-age=60, no-store')],
    }),
    validates('validates before each use a response whose CDN-Cache-Control has no-cache', {
      fields: [hour, cdn('no-cache, max-age=60'), ['ETag', '"a"']],
    }),
    validates('does not reuse without validation a response whose CDN-Cache-Control has must-revalidate', {
      fields: [cdn('max-age=60, must-revalidate, stale-while-revalidate=60'), ['ETag', '"a"']],
      after: 61,
    }),
    {
      title: 'serves stale by the stale-while-revalidate of CDN-Cache-Control',
      exchanges: [
        { origin: { fields: [cdn('max-age=60, stale-while-revalidate=60')] } },
        { after: 61, origin: { fields: [cdn('max-age=60')] }, expect: { by: 'store', refreshed: true } },
      ],
    },
    {
      title: 'serves stale by the stale-if-error of CDN-Cache-Control',
      exchanges: [
        { origin: { fields: [cdn('max-age=60, stale-if-error=60')] } },
        { after: 61, origin: { status: 503 }, expect: { by: 'store', reached: 1 } },
      ],
    },
    {
      title: 'does not serve stale by a stale-if-error of Cache-Control that CDN-Cache-Control replaces',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60, stale-if-error=600'), cdn('max-age=60')] } },
        { after: 61, origin: { status: 503 }, expect: { status: 503 } },
      ],
    },
    reuses('reuses a response to Authorization by the public of CDN-Cache-Control', {
      asked: [['Authorization', 'Bearer one']],
      fields: [cdn('public, max-age=60')],
    }),
    doesNotReuse('does not reuse a response to Authorization by the public of a Cache-Control that is replaced', {
      asked: [['Authorization', 'Bearer one']],
      fields: [cacheControl('public, max-age=60'), cdn('max-age=60')],
    }),
    reuses('ignores a field that is targeted at others', {
      fields: [hour, ['Example-Cache-Control', 'no-store'], ['Surrogate-Control', 'no-store']],
    }),
    {
      title: 'does not use Surrogate-Control, and forwards it',
      supported: false,
      exchanges: [
        {
          origin: { fields: [noStore, ['Surrogate-Control', 'max-age=60']] },
          expect: { fields: { 'surrogate-control': 'max-age=60' } },
        },
        { after: 1 },
      ],
    },
  ]),

  ...under('RFC 9213 §2.3', [
    reuses('counts the Age of a response against CDN-Cache-Control', {
      fields: [cdn('max-age=3600'), ['Age', '30']],
      expect: { fields: { age: '31' } },
    }),
    doesNotReuse('does not reuse by CDN-Cache-Control what came older than that', {
      fields: [cdn('max-age=3600'), ['Age', '7200']],
    }),
  ]),

  ...under('RFC 9213 §3', [
    {
      title: 'forwards CDN-Cache-Control unchanged',
      exchanges: [
        {
          origin: { fields: [hour, cdn('max-age=60;x=1, foo')] },
          expect: { fields: { 'cdn-cache-control': 'max-age=60;x=1, foo' } },
        },
        {
          after: 1,
          expect: {
            by: 'store',
            fields: { 'cdn-cache-control': 'max-age=60;x=1, foo', 'cache-control': 'max-age=3600' },
          },
        },
      ],
    },
    {
      title: 'forwards an invalid CDN-Cache-Control unchanged',
      exchanges: [
        { origin: { fields: [hour, cdn('&&&')] }, expect: { fields: { 'cdn-cache-control': '&&&' } } },
        { after: 1, expect: { by: 'store', fields: { 'cdn-cache-control': '&&&' } } },
      ],
    },
    {
      title: 'uses the CDN-Cache-Control that a 304 brings',
      exchanges: [
        { origin: { fields: [cdn('max-age=60'), ['ETag', '"a"']] } },
        {
          after: 61,
          origin: { status: 304, fields: [cdn('max-age=600'), ['ETag', '"a"']] },
          expect: { by: 'validation' },
        },
        { after: 500, expect: { by: 'store', fields: { 'cdn-cache-control': 'max-age=600' } } },
      ],
    },
  ]),
]
