import { type FieldLines, type FieldValue, httpDate } from '../../../harness/scripted-origin.js'
import { cacheControl, doesNotReuse, reuses, under, validates } from './row.js'

/** Seconds. */
const year = 365.25 * 86_400

const dates = {
  valid: [
    ['in the preferred form', httpDate(60)],
    ['in the form of RFC 850', httpDate(60, 'rfc850-date')],
    ['in the form of asctime', httpDate(60, 'asctime-date')],
    ['in the form of asctime with a day of one digit', 'Sat May  1 02:01:18 2049'],
    ['with the day of the week in capitals', 'THU, 18 Aug 2050 02:01:18 GMT'],
    ['with the month in capitals', 'Thu, 18 AUG 2050 02:01:18 GMT'],
    ['with the zone in small letters', 'Thu, 18 Aug 2050 02:01:18 gmt'],
    ['beyond the year 2038', 'Tue, 19 Jan 2038 03:14:08 GMT'],
    ['in the year 9999', 'Fri, 31 Dec 9999 23:59:59 GMT'],
    ['in the form of RFC 850, 49 years ahead', httpDate(49 * year, 'rfc850-date')],
  ],
  invalid: [
    ['zero', '0'],
    ['minus one', '-1'],
    ['empty', ''],
    ['a number of seconds', '3600'],
    ['an instant in seconds', '4102444800'],
    ['a word', 'tomorrow'],
    ['in ISO 8601', '2050-08-18T02:01:18Z'],
    ['with the zone UTC', 'Thu, 18 Aug 2050 02:01:18 UTC'],
    ['with the zone Z', 'Thu, 18 Aug 2050 02:01:18 Z'],
    ['with the zone EST', 'Thu, 18 Aug 2050 02:01:18 EST'],
    ['with a numeric zone', 'Thu, 18 Aug 2050 02:01:18 +0000'],
    ['with a numeric zone after GMT', 'Thu, 18 Aug 2050 02:01:18 GMT+0100'],
    ['without a zone', 'Thu, 18 Aug 2050 02:01:18'],
    ['with a year of two digits', 'Thu, 18 Aug 50 02:01:18 GMT'],
    ['with a year of three digits', 'Thu, 18 Aug 205 02:01:18 GMT'],
    ['with a year of five digits', 'Thu, 18 Aug 20500 02:01:18 GMT'],
    ['without a comma', 'Thu 18 Aug 2050 02:01:18 GMT'],
    ['without a day of the week', '18 Aug 2050 02:01:18 GMT'],
    ['with several spaces', 'Thu, 18  Aug  2050 02:01:18 GMT'],
    ['with a dash for a space', 'Thu, 18-Aug-2050 02:01:18 GMT'],
    ['with a long day of the week in the preferred form', 'Thursday, 18 Aug 2050 02:01:18 GMT'],
    ['with a short day of the week in the form of RFC 850', 'Thu, 18-Aug-50 02:01:18 GMT'],
    ['with a year of four digits in the form of RFC 850', 'Thursday, 18-Aug-2050 02:01:18 GMT'],
    ['with dots in the time', 'Thu, 18 Aug 2050 02.01.18 GMT'],
    ['with an hour of one digit', 'Thu, 18 Aug 2050 2:01:18 GMT'],
    ['with a day of one digit', 'Thu, 8 Aug 2050 02:01:18 GMT'],
    ['without seconds', 'Thu, 18 Aug 2050 02:01 GMT'],
    ['with a fraction of a second', 'Thu, 18 Aug 2050 02:01:18.5 GMT'],
    ['with an hour of 24', 'Thu, 18 Aug 2050 24:01:18 GMT'],
    ['with a minute of 60', 'Thu, 18 Aug 2050 02:60:18 GMT'],
    ['with a day of 32', 'Thu, 32 Aug 2050 02:01:18 GMT'],
    ['with a day of 00', 'Thu, 00 Aug 2050 02:01:18 GMT'],
    ['on 30 February', 'Wed, 30 Feb 2050 02:01:18 GMT'],
    ['with the month in full', 'Thu, 18 August 2050 02:01:18 GMT'],
    ['with a month that is none', 'Thu, 18 Foo 2050 02:01:18 GMT'],
    ['with something behind it', 'Thu, 18 Aug 2050 02:01:18 GMT; foo'],
    ['in quotes', '"Thu, 18 Aug 2050 02:01:18 GMT"'],
    ['in the form of asctime with a zone', 'Thu Aug 18 02:01:18 2050 GMT'],
  ],
} satisfies Record<string, [title: string, value: FieldValue][]>

const hour: FieldLines = [cacheControl('max-age=3600')]

/** Statuses whose responses are heuristically cacheable. RFC 9110 §15.1. */
const heuristicallyCacheable = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]
const notHeuristicallyCacheable = [201, 202, 299, 302, 303, 307, 400, 401, 403, 406, 409, 422, 500, 502, 503, 504, 599]
const tenDaysOld = ['Last-Modified', httpDate(-864_000)] as const

export const freshness = [
  ...under('RFC 9111 §4.2', [
    reuses('treats a response as fresh while its age is less than its lifetime', {
      fields: [cacheControl('max-age=60')],
      after: 59,
      expect: { fields: { age: '59' } },
    }),
    doesNotReuse('treats a response as stale once its age is its lifetime', {
      fields: [cacheControl('max-age=60')],
      after: 60,
    }),
    reuses('treats a response as fresh until its Expires', { fields: [['Expires', httpDate(60)]], after: 59 }),
    doesNotReuse('treats a response as stale from its Expires on', { fields: [['Expires', httpDate(60)]], after: 60 }),
    reuses('reuses a response as long as its lifetime says, however long', {
      fields: [cacheControl('max-age=31536000')],
      after: 31_535_000,
    }),
    ...dates.valid.map(([title, value]) => reuses(`understands an Expires ${title}`, { fields: [['Expires', value]] })),
  ]),

  ...under('RFC 9110 §5.6.7', [
    doesNotReuse('treats a two-digit year more than 50 years ahead as past', {
      fields: [['Expires', httpDate(51.1 * year, 'rfc850-date')]],
    }),
    doesNotReuse('treats a two-digit year in the recent past as past', {
      fields: [['Expires', httpDate(-year, 'rfc850-date')]],
    }),
  ]),

  ...under('RFC 9111 §5.3', [
    doesNotReuse('does not reuse a response whose Expires is past', { fields: [['Expires', httpDate(-60)]] }),
    doesNotReuse('does not reuse a response whose Expires is its Date', {
      fields: [['Expires', httpDate(0)]],
      after: 0,
    }),
    ...dates.invalid.map(([title, value]) =>
      doesNotReuse(`treats as past an Expires that is ${title}`, { fields: [['Expires', value]] }),
    ),
    doesNotReuse('treats two Expires as past', {
      fields: [
        ['Expires', httpDate(60)],
        ['Expires', httpDate(120)],
      ],
    }),
    doesNotReuse('treats two equal Expires as past', {
      fields: [
        ['Expires', httpDate(60)],
        ['Expires', httpDate(60)],
      ],
    }),
    doesNotReuse('treats two Expires of which one is invalid as past', {
      fields: [
        ['Expires', httpDate(60)],
        ['Expires', '0'],
      ],
    }),
    validates('stores for validation a response whose Expires is past', {
      fields: [
        ['Expires', httpDate(-60)],
        ['ETag', '"a"'],
      ],
    }),
  ]),

  ...under('RFC 9111 §4.2.1', [
    reuses('counts the lifetime of Expires from a Date that is slow', {
      fields: [
        ['Date', httpDate(-10)],
        ['Expires', httpDate(20)],
      ],
      after: 19,
    }),
    reuses('counts the lifetime of Expires from a Date that is fast', {
      fields: [
        ['Date', httpDate(100)],
        ['Expires', httpDate(130)],
      ],
      after: 29,
    }),
    doesNotReuse('does not treat as fresh an Expires in the future but before its Date', {
      fields: [
        ['Date', httpDate(400)],
        ['Expires', httpDate(300)],
      ],
    }),
    reuses('counts the lifetime of Expires from now when there is no Date', {
      fields: [['Expires', httpDate(60)]],
      answer: { date: false },
      after: 59,
    }),
    doesNotReuse('ends that lifetime at the Expires', {
      fields: [['Expires', httpDate(60)]],
      answer: { date: false },
      after: 60,
    }),
    reuses('counts the lifetime of Expires from now when the Date is invalid', {
      fields: [
        ['Date', 'today'],
        ['Expires', httpDate(60)],
      ],
      after: 30,
    }),
    reuses('uses max-age when there is no Date', {
      fields: hour,
      answer: { date: false },
      after: 3_599,
    }),
    reuses('uses max-age when the Date is invalid', { fields: [...hour, ['Date', '0']], after: 3_599 }),
  ]),

  ...under('RFC 9111 §4.2.3', [
    reuses('adds the age that a response came with to its own', {
      fields: [...hour, ['Age', '30']],
      after: 10,
      expect: { fields: { age: '40' } },
    }),
    reuses('adds the age that a response came with when Expires says how long it is fresh', {
      fields: [
        ['Expires', httpDate(3_600)],
        ['Age', '30'],
      ],
      after: 10,
      expect: { fields: { age: '40' } },
    }),
    doesNotReuse('does not reuse a response that came with an age beyond its lifetime', {
      fields: [...hour, ['Age', '7200']],
    }),
    doesNotReuse('treats a response as stale once its Age and the time in the cache are its lifetime', {
      fields: [...hour, ['Age', '3590']],
      after: 10,
    }),
    reuses('counts the time since Date as the age of a response', {
      fields: [...hour, ['Date', httpDate(-100)]],
      after: 10,
      expect: { fields: { age: '110' } },
    }),
    doesNotReuse('treats a response as stale whose Date is further back than its lifetime', {
      fields: [...hour, ['Date', httpDate(-3_601)]],
    }),
    reuses('uses the greater of Age and the time since Date', {
      fields: [...hour, ['Date', httpDate(-100)], ['Age', '30']],
      after: 10,
      expect: { fields: { age: '110' } },
    }),
    reuses('uses Age when the time since Date is less', {
      fields: [...hour, ['Date', httpDate(-10)], ['Age', '30']],
      after: 10,
      expect: { fields: { age: '40' } },
    }),
    reuses('does not make a response younger for a Date in the future', {
      fields: [...hour, ['Date', httpDate(1_000)]],
      after: 10,
      expect: { fields: { age: '10' } },
    }),
    doesNotReuse('treats a response as stale whose age exceeds Expires less a slow Date', {
      fields: [
        ['Date', httpDate(-10)],
        ['Expires', httpDate(10)],
        ['Age', '25'],
      ],
    }),
    doesNotReuse('treats a response as stale whose age exceeds Expires less a fast Date', {
      fields: [
        ['Date', httpDate(10)],
        ['Expires', httpDate(20)],
        ['Age', '15'],
      ],
    }),
    reuses('adds the time that the answer took to the age that it came with', {
      fields: [...hour, ['Age', '30']],
      answer: { takesSeconds: 5 },
      after: 10,
      expect: { fields: { age: '45' } },
    }),
    {
      title: 'forwards the age of a response',
      exchanges: [{ origin: { fields: [...hour, ['Age', '30']] }, expect: { fields: { age: ['30'] } } }],
    },
    doesNotReuse('treats as stale a response that took longer than its lifetime', {
      fields: [cacheControl('max-age=10'), ['Age', '0']],
      answer: { takesSeconds: 11 },
    }),
  ]),

  ...under('RFC 9111 §5.1', [
    ...[
      ['a word', 'abc'],
      ['negative', '-7200'],
      ['a decimal', '7200.0'],
      ['a number with a plus', '+7200'],
      ['a number with a letter behind', '7200s'],
      ['in quotes', '"7200"'],
      ['a number with a parameter', '7200;foo=bar'],
      ['empty', ''],
      ['a list that begins with a word', 'abc, 7200'],
    ].map(([title, value = '']) =>
      reuses(`ignores an Age that is ${title}`, {
        fields: [...hour, ['Age', value]],
        expect: { fields: { age: '1' } },
      }),
    ),
    ...[
      ['a list', '0, 7200'],
      ['a list without spaces', '0,7200'],
      ['a list of the same', '0, 0'],
    ].map(([title, value = '']) =>
      reuses(`uses the first member of an Age that is ${title}: ${value}`, {
        fields: [...hour, ['Age', value]],
        expect: { fields: { age: '1' } },
      }),
    ),
    ...['7200, 0', '7200,0', '7200, 7200', '7200, abc'].map((value) =>
      doesNotReuse(`uses the first member of an Age beyond the lifetime: ${value}`, {
        fields: [...hour, ['Age', value]],
      }),
    ),
    reuses('uses the first of several lines of Age', {
      fields: [...hour, ['Age', '0'], ['Age', '7200']],
      expect: { fields: { age: ['1'] } },
    }),
    doesNotReuse('uses the first of several lines of Age when it is beyond the lifetime', {
      fields: [...hour, ['Age', '7200'], ['Age', '0']],
    }),
    reuses('understands an Age with leading zeros', {
      fields: [...hour, ['Age', '0030']],
      expect: { fields: { age: '31' } },
    }),
    ...['2147483647', '2147483648', '99999999999', '99999999999999999999999999'].map((value) =>
      doesNotReuse(`treats a response as stale whose Age is ${value}`, { fields: [...hour, ['Age', value]] }),
    ),
    reuses('sends one Age, its own', {
      fields: [...hour, ['Age', '5'], ['Age', '5']],
      expect: { fields: { age: ['6'] } },
    }),
  ]),

  ...under('RFC 9111 §4.2.2', [
    doesNotReuse('uses no heuristic lifetime unless the route says so', { fields: [tenDaysOld] }),
    ...heuristicallyCacheable.map((status) =>
      reuses(`uses a heuristic lifetime for a ${status} if the route says so`, {
        route: 'heuristic',
        fields: [tenDaysOld],
        answer: { status },
      }),
    ),
    ...notHeuristicallyCacheable.map((status) =>
      doesNotReuse(`uses no heuristic lifetime for a ${status}`, {
        route: 'heuristic',
        fields: [tenDaysOld],
        answer: { status },
      }),
    ),
    ...notHeuristicallyCacheable.map((status) =>
      reuses(`uses a heuristic lifetime for a ${status} with public`, {
        route: 'heuristic',
        fields: [tenDaysOld, cacheControl('public')],
        answer: { status },
      }),
    ),
    reuses('uses a tenth of the time since Last-Modified', {
      route: 'heuristic',
      fields: [['Last-Modified', httpDate(-1_000)]],
      after: 99,
    }),
    doesNotReuse('uses no more than a tenth of the time since Last-Modified', {
      route: 'heuristic',
      fields: [['Last-Modified', httpDate(-1_000)]],
      after: 100,
      expect: { sent: { 'if-modified-since': httpDate(-1_100) } },
    }),
    {
      title: 'uses a heuristic lifetime for a target with a query, too',
      route: 'heuristic',
      exchanges: [
        { path: '?a=1', origin: { fields: [tenDaysOld] } },
        { path: '?a=1', after: 1, expect: { by: 'store' } },
      ],
    },
    doesNotReuse('uses no heuristic lifetime without a Last-Modified', {
      route: 'heuristic',
      fields: [['ETag', '"a"']],
    }),
    doesNotReuse('uses no heuristic with a Last-Modified in the future', {
      route: 'heuristic',
      fields: [['Last-Modified', httpDate(1_000)]],
    }),
    doesNotReuse('uses no heuristic lifetime with an invalid Last-Modified', {
      route: 'heuristic',
      fields: [['Last-Modified', 'yesterday']],
    }),
    doesNotReuse('uses no heuristic lifetime with max-age', {
      route: 'heuristic',
      fields: [tenDaysOld, cacheControl('max-age=10')],
      after: 11,
    }),
    doesNotReuse('uses no heuristic lifetime with Expires', {
      route: 'heuristic',
      fields: [tenDaysOld, ['Expires', httpDate(10)]],
      after: 11,
    }),
    doesNotReuse('uses no heuristic lifetime with an invalid Expires', {
      route: 'heuristic',
      fields: [tenDaysOld, ['Expires', '0']],
    }),
    doesNotReuse('uses no heuristic lifetime with an invalid max-age', {
      route: 'heuristic',
      fields: [tenDaysOld, cacheControl('max-age=a')],
    }),
    doesNotReuse('uses no heuristic lifetime for a response that sets a cookie', {
      route: 'heuristic',
      fields: [tenDaysOld, ['Set-Cookie', 'a=b']],
    }),
    doesNotReuse('uses no heuristic lifetime for a response with no-cache', {
      route: 'heuristic',
      fields: [tenDaysOld, cacheControl('no-cache')],
    }),
    doesNotReuse('uses no heuristic lifetime for a response with no-store', {
      route: 'heuristic',
      fields: [tenDaysOld, cacheControl('no-store')],
    }),
    doesNotReuse('uses no heuristic lifetime for a response with private', {
      route: 'heuristic',
      fields: [tenDaysOld, cacheControl('private')],
    }),
    doesNotReuse('uses no heuristic lifetime for a response to Authorization', {
      route: 'heuristic',
      asked: [['Authorization', 'Bearer one']],
      fields: [tenDaysOld],
    }),
  ]),
]
