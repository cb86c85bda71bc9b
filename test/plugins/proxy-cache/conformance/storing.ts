import { httpDate } from '../../../harness/scripted-origin.js'
import { bodyOf, cacheControl, doesNotReuse, type Exchange, reuses, under, validates } from './row.js'

const fresh = cacheControl('max-age=60')
const bearer = ['Authorization', 'Bearer one'] as const

/** Final status codes other than 206 and 304, whose rules are their own, registered or not. */
const statuses = [
  200, 201, 202, 203, 204, 205, 207, 226, 299, 300, 301, 302, 303, 307, 308, 399, 400, 401, 402, 403, 404, 405, 406,
  408, 409, 410, 411, 413, 414, 415, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504,
  505, 511, 599,
]

export const storing = [
  ...under('RFC 9111 §3', [
    reuses('reuses a response that says max-age', { fields: [fresh] }),
    reuses('reuses a response that says s-maxage', { fields: [cacheControl('s-maxage=60')] }),
    reuses('reuses a response that says Expires', { fields: [['Expires', httpDate(60)]] }),
    reuses('reuses a response that says public beside its freshness', { fields: [cacheControl('public, max-age=60')] }),
    doesNotReuse('does not keep a response that says nothing about freshness', {}),
    doesNotReuse('does not keep a response that has an entity-tag and nothing about freshness', {
      fields: [['ETag', '"a"']],
      expect: { sent: { 'if-none-match': null } },
    }),
    doesNotReuse('does not keep a response that says public and nothing about freshness', {
      fields: [cacheControl('public')],
    }),
    reuses('keeps a response without freshness for the lifetime that the route gives it', {
      route: 'defaultLifetime',
      after: 59,
    }),
    doesNotReuse('keeps it no longer than the route says', { route: 'defaultLifetime', after: 60 }),
    ...[404, 500, 503].map((status) =>
      doesNotReuse(`does not give a lifetime of its own to a ${status}`, {
        route: 'defaultLifetime',
        answer: { status },
      }),
    ),
    doesNotReuse('does not give a lifetime of its own to what sets a cookie', {
      route: 'defaultLifetime',
      fields: [['Set-Cookie', 'a=b']],
    }),
    doesNotReuse('does not give a lifetime of its own to what answered Authorization', {
      route: 'defaultLifetime',
      asked: [bearer],
    }),
    doesNotReuse('does not give a lifetime to a response that states its own', {
      route: 'defaultLifetime',
      fields: [cacheControl('max-age=10')],
      after: 11,
    }),
    ...statuses.map((status) =>
      reuses(`reuses a ${status} that says how long it is fresh`, { fields: [fresh], answer: { status } }),
    ),
    ...statuses.map((status) =>
      doesNotReuse(`does not reuse a ${status} beyond its freshness`, {
        fields: [fresh],
        answer: { status },
        after: 61,
      }),
    ),
    {
      title: 'does not keep a 304 that answers the condition of a client',
      exchanges: [
        { fields: [['If-None-Match', '"a"']], origin: { status: 304, fields: [fresh, ['ETag', '"a"']] } },
        { after: 1 },
      ],
    },
    {
      title: 'does not use a 412 for a request without the condition that failed',
      exchanges: [{ fields: [['If-Match', '"b"']], origin: { status: 412, fields: [fresh] } }, { after: 1 }],
    },
    {
      title: 'does not use a 416 for a request without the range that failed',
      exchanges: [
        { fields: [['Range', 'bytes=900-']], origin: { status: 416, fields: [fresh, ['Content-Range', 'bytes */8']] } },
        { after: 1 },
      ],
    },
    reuses('keeps the final response after an interim one', { fields: [fresh], answer: { interim: [103] } }),
    reuses('keeps the final response after several interim ones', {
      fields: [fresh],
      answer: { interim: [102, 103, 103] },
    }),
    ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT'].map((method) => ({
      title: `does not keep a response to ${method} for another ${method}, nor for GET`,
      exchanges: [{ method, body: 'x', origin: { fields: [fresh] } }, { method, body: 'x' }, {}] satisfies Exchange[],
    })),
    {
      title: 'does not keep a response to POST for GET, even with a Content-Location that names its own target',
      supported: false,
      exchanges: [
        { method: 'POST', path: '?a', body: 'x', origin: { fields: [fresh, ['Content-Location', '?a']] } },
        { path: '?a' },
      ],
    },
    {
      title: 'does not let the content of a GET into what others get',
      exchanges: [
        { body: 'poison', origin: { fields: [fresh] }, expect: { sent: { 'transfer-encoding': null } } },
        { after: 1, expect: { by: 'store' } },
      ],
    },
    reuses('reuses a response though the request has cookies', {
      fields: [fresh],
      asked: [['Cookie', 'a=1']],
      asking: [['Cookie', 'a=2']],
    }),
    doesNotReuse('does not store a response that sets a cookie, however long it is fresh', {
      fields: [fresh, ['Set-Cookie', 'a=b']],
    }),
    doesNotReuse('does not store a response that sets a cookie, though it says public and s-maxage', {
      fields: [cacheControl('public, s-maxage=60'), ['Set-Cookie', 'a=b']],
    }),
    reuses('stores a response without the cookie that it withholds from caches', {
      fields: [cacheControl('max-age=60, private="set-cookie"'), ['Set-Cookie', 'a=b'], ['X-A', '1']],
      expect: { fields: { 'set-cookie': null, 'x-a': '1' } },
    }),
    reuses('reuses a response that is to be saved as a file', {
      fields: [fresh, ['Content-Disposition', 'attachment; filename=a.txt']],
    }),
    reuses('reuses a response without content', { fields: [fresh], answer: { body: '' } }),
    doesNotReuse('passes on whole, and does not keep, what is larger than the route allows', {
      route: 'smallBodies',
      fields: [fresh],
      answer: { body: 'x'.repeat(101) },
    }),
    doesNotReuse('passes on whole, and does not keep, what turns out larger than the route allows', {
      route: 'smallBodies',
      fields: [fresh],
      answer: { body: 'x'.repeat(101), chunked: true },
    }),
    reuses('keeps what is as large as the route allows', {
      route: 'smallBodies',
      fields: [fresh],
      answer: { body: 'x'.repeat(100) },
    }),
  ]),

  ...under('RFC 9111 §5.2.2.5', [
    doesNotReuse('does not keep a response that says no-store', { fields: [cacheControl('no-store')] }),
    doesNotReuse('does not keep a response that says no-store beside max-age and Expires', {
      fields: [cacheControl('max-age=60, no-store'), ['Expires', httpDate(60)]],
    }),
    doesNotReuse('does not keep a response that says no-store beside public', {
      fields: [cacheControl('public, s-maxage=60, no-store')],
    }),
    doesNotReuse('does not keep for validation a response that says no-store', {
      fields: [cacheControl('no-store'), ['ETag', '"a"']],
      expect: { sent: { 'if-none-match': null } },
    }),
  ]),

  ...under('RFC 9111 §5.2.2.7', [
    doesNotReuse('does not keep a private response', { fields: [cacheControl('private, max-age=60')] }),
    doesNotReuse('does not keep a private response that says public as well', {
      fields: [cacheControl('public, private, max-age=60')],
    }),
    doesNotReuse('does not keep a private response for its s-maxage', {
      fields: [cacheControl('private, s-maxage=60')],
    }),
    doesNotReuse('does not keep for validation a private response', {
      fields: [cacheControl('private, no-cache'), ['ETag', '"a"']],
      expect: { sent: { 'if-none-match': null } },
    }),
  ]),

  ...under('RFC 9111 §5.2.2.3', [
    reuses('keeps a must-understand response whose status it understands, whatever no-store says', {
      fields: [cacheControl('must-understand, no-store, max-age=60')],
    }),
    doesNotReuse('does not keep a must-understand response whose status it does not understand', {
      fields: [cacheControl('must-understand, max-age=60')],
      answer: { status: 299 },
    }),
    doesNotReuse('does not let must-understand lift the no-store of a status that it does not understand', {
      fields: [cacheControl('must-understand, no-store, max-age=60')],
      answer: { status: 599 },
    }),
    doesNotReuse('does not let must-understand lift private', {
      fields: [cacheControl('must-understand, no-store, private, max-age=60')],
    }),
  ]),

  ...under('RFC 9111 §3.5', [
    ...['max-age=60', 'max-age=60, proxy-revalidate', 'max-age=60, immutable', 'max-age=60, stale-if-error=60'].map(
      (value) =>
        doesNotReuse(`does not reuse a response to Authorization that says ${value}`, {
          asked: [bearer],
          fields: [cacheControl(value)],
        }),
    ),
    doesNotReuse('does not reuse a response to Authorization that says Expires', {
      asked: [bearer],
      fields: [['Expires', httpDate(60)]],
    }),
    doesNotReuse('does not reuse for other credentials what answered Authorization', {
      asked: [bearer],
      fields: [fresh],
      asking: [['Authorization', 'Bearer two']],
    }),
    doesNotReuse('does not reuse for the same credentials what answered Authorization', {
      asked: [bearer],
      fields: [fresh],
      asking: [bearer],
    }),
    ...['public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60'].flatMap((value) => [
      reuses(`reuses what answered Authorization and says ${value}`, {
        asked: [bearer],
        fields: [cacheControl(value)],
      }),
      reuses(`reuses for other credentials what answered Authorization and says ${value}`, {
        asked: [bearer],
        fields: [cacheControl(value)],
        asking: [['Authorization', 'Bearer two']],
      }),
      doesNotReuse(`does not reuse stale what answered Authorization and says ${value}`, {
        asked: [bearer],
        fields: [cacheControl(value)],
        after: 61,
      }),
    ]),
    doesNotReuse('does not reuse a private response to Authorization even when it says must-revalidate', {
      asked: [bearer],
      fields: [cacheControl('private, must-revalidate, max-age=60')],
    }),
    reuses('reuses a response for all clients for a request with Authorization', { fields: [fresh], asking: [bearer] }),
    {
      title: 'passes the credentials on to the origin',
      exchanges: [{ fields: [bearer], expect: { sent: { authorization: 'Bearer one' } } }],
    },
  ]),

  ...under('RFC 9111 §3.3', [
    {
      title: 'does not keep a body that broke off before the length it announced',
      exchanges: [{ origin: { fields: [fresh], fault: 'cut half way' }, expect: { status: 'broken' } }, { after: 1 }],
    },
    {
      title: 'does not keep a chunked body that broke off before its last chunk',
      exchanges: [
        { origin: { fields: [fresh], chunked: true, fault: 'cut half way' }, expect: { status: 'broken' } },
        { after: 1 },
      ],
    },
    reuses('keeps a chunked body that is whole', { fields: [fresh], answer: { chunked: true } }),
    {
      title: 'keeps nothing of a 206, and asks the origin for the same range again',
      supported: false,
      exchanges: [
        partial('bytes=0-3', 'answ', 'bytes 0-3/8'),
        { ...partial('bytes=0-3', 'ANSW', 'bytes 0-3/8'), expect: { status: 206, body: 'ANSW' } },
      ],
    },
    {
      title: 'keeps nothing of a 206, and asks the origin for a range within it again',
      supported: false,
      exchanges: [
        partial('bytes=0-3', 'answ', 'bytes 0-3/8'),
        { ...partial('bytes=1-2', 'NS', 'bytes 1-2/8'), expect: { status: 206, body: 'NS' } },
      ],
    },
    {
      title: 'does not answer a request for the whole with a part',
      exchanges: [partial('bytes=0-3', 'answ', 'bytes 0-3/8'), { after: 1, expect: { sent: { range: null } } }],
    },
    {
      title: 'keeps a 200 that came although a range was asked for',
      exchanges: [
        { fields: [['Range', 'bytes=0-1']], origin: { fields: [fresh] } },
        { after: 1, expect: { by: 'store' } },
      ],
    },
  ]),

  ...under('RFC 9111 §3.4', [
    {
      title: 'does not put parts together to a whole',
      supported: false,
      exchanges: [
        partial('bytes=0-3', 'answ', 'bytes 0-3/8'),
        partial('bytes=4-7', 'er 1', 'bytes 4-7/8'),
        { after: 1, expect: { sent: { range: null, 'if-range': null } } },
      ],
    },
  ]),

  ...under('RFC 9111 §4', [
    {
      title: 'answers requests that come together with one answer of the origin when that may be reused',
      exchanges: [{ together: 5, origin: { fields: [fresh] }, expect: { reached: 1 } }],
    },
    {
      title: 'forwards each of the requests that come together when the answer is not to be shared',
      exchanges: [{ together: 3, origin: { fields: [cacheControl('private')] }, expect: { reached: 3 } }],
    },
    {
      title: 'forwards each of several concurrent requests when the response must not be stored',
      exchanges: [{ together: 3, origin: { fields: [cacheControl('no-store')] }, expect: { reached: 3 } }],
    },
    {
      title: 'forwards each of the unsafe requests that come together',
      exchanges: [{ method: 'POST', body: 'x', together: 3, origin: { fields: [fresh] }, expect: { reached: 3 } }],
    },
    {
      title: 'validates once for requests that come together',
      exchanges: [
        { origin: { fields: [fresh, ['ETag', '"a"']] } },
        {
          after: 61,
          together: 4,
          origin: { fields: [fresh, ['ETag', '"a"']] },
          expect: { by: 'validation', body: bodyOf(1) },
        },
      ],
    },
  ]),

  ...under('RFC 9111 §5.2.2.4', [
    validates('keeps a response that says no-cache, and validates it before each use', {
      fields: [cacheControl('no-cache'), ['ETag', '"a"']],
    }),
    validates('validates a response that says no-cache however fresh it is', {
      fields: [cacheControl('max-age=60, no-cache'), ['Expires', httpDate(60)], ['ETag', '"a"']],
    }),
    doesNotReuse('does not reuse without an answer of the origin what says no-cache', {
      fields: [cacheControl('no-cache, max-age=60')],
    }),
    {
      title: 'validates a response that says no-cache again after it was validated',
      exchanges: [
        { origin: { fields: [cacheControl('no-cache, max-age=60'), ['ETag', '"a"']] } },
        { origin: { fields: [cacheControl('no-cache, max-age=60'), ['ETag', '"a"']] }, expect: { by: 'validation' } },
        { origin: { fields: [cacheControl('no-cache, max-age=60'), ['ETag', '"a"']] }, expect: { by: 'validation' } },
      ],
    },
  ]),
]

/** A part of the eight bytes that a whole answer has. */
function partial(range: string, body: string, contentRange: string): Exchange {
  const fields = [fresh, ['ETag', '"a"'], ['Content-Range', contentRange]] as const
  return { fields: [['Range', range]], origin: { status: 206, body, fields } }
}
