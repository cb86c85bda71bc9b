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

/** "Responses with the 429 status code MUST NOT be stored by a cache": RFC 6585 §3 to §6. */
const neverStored = [428, 429, 431, 511]

export const storing = [
  ...under('RFC 9111 §3', [
    reuses('reuses a response with max-age', { fields: [fresh] }),
    reuses('reuses a response with s-maxage', { fields: [cacheControl('s-maxage=60')] }),
    reuses('reuses a response with Expires', { fields: [['Expires', httpDate(60)]] }),
    reuses('reuses a response with public with its freshness', { fields: [cacheControl('public, max-age=60')] }),
    doesNotReuse('does not store a response without explicit freshness', {}),
    doesNotReuse('does not store a response with an entity-tag and without explicit freshness', {
      fields: [['ETag', '"a"']],
      expect: { sent: { 'if-none-match': null } },
    }),
    doesNotReuse('does not store a response with public and without explicit freshness', {
      fields: [cacheControl('public')],
    }),
    reuses('stores a response without freshness for the lifetime of the route', {
      route: 'defaultLifetime',
      after: 59,
    }),
    doesNotReuse('stores it no longer than the lifetime of the route', { route: 'defaultLifetime', after: 60 }),
    ...[404, 500, 503].map((status) =>
      doesNotReuse(`does not give a lifetime of its own to a ${status}`, {
        route: 'defaultLifetime',
        answer: { status },
      }),
    ),
    doesNotReuse('does not give a lifetime of its own to a response that sets a cookie', {
      route: 'defaultLifetime',
      fields: [['Set-Cookie', 'a=b']],
    }),
    doesNotReuse('does not give a lifetime of its own to a response to Authorization', {
      route: 'defaultLifetime',
      asked: [bearer],
    }),
    doesNotReuse('does not give a lifetime to a response that states its own', {
      route: 'defaultLifetime',
      fields: [cacheControl('max-age=10')],
      after: 11,
    }),
    ...statuses.map((status) =>
      neverStored.includes(status)
        ? doesNotReuse(`does not store a ${status} with explicit freshness`, { fields: [fresh], answer: { status } })
        : reuses(`reuses a ${status} with explicit freshness`, { fields: [fresh], answer: { status } }),
    ),
    ...statuses.map((status) =>
      doesNotReuse(`does not reuse a ${status} beyond its freshness`, {
        fields: [fresh],
        answer: { status },
        after: 61,
      }),
    ),
    {
      title: 'does not store a 304 that answers the condition of a client',
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
    reuses('stores the final response after an interim one', { fields: [fresh], answer: { interim: [103] } }),
    reuses('stores the final response after several interim ones', {
      fields: [fresh],
      answer: { interim: [102, 103, 103] },
    }),
    ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT'].map((method) => ({
      title: `does not store a response to ${method} for another ${method}, nor for GET`,
      exchanges: [{ method, body: 'x', origin: { fields: [fresh] } }, { method, body: 'x' }, {}] satisfies Exchange[],
    })),
    {
      title: 'does not store a response to POST for GET, even with a Content-Location that names its own target',
      supported: false,
      exchanges: [
        { method: 'POST', path: '?a', body: 'x', origin: { fields: [fresh, ['Content-Location', '?a']] } },
        { path: '?a' },
      ],
    },
    {
      title: 'does not let the content of a GET request change the response to others',
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
    doesNotReuse('forwards completely, and does not store, a response larger than the route allows', {
      route: 'smallBodies',
      fields: [fresh],
      answer: { body: 'x'.repeat(101) },
    }),
    doesNotReuse('forwards completely, and does not store, a response that turns out larger than the route allows', {
      route: 'smallBodies',
      fields: [fresh],
      answer: { body: 'x'.repeat(101), chunked: true },
    }),
    reuses('stores a response as large as the route allows', {
      route: 'smallBodies',
      fields: [fresh],
      answer: { body: 'x'.repeat(100) },
    }),
  ]),

  ...under('RFC 9111 §5.2.2.5', [
    doesNotReuse('does not store a response with no-store', { fields: [cacheControl('no-store')] }),
    doesNotReuse('does not store a response with no-store, max-age and Expires', {
      fields: [cacheControl('max-age=60, no-store'), ['Expires', httpDate(60)]],
    }),
    doesNotReuse('does not store a response with no-store and public', {
      fields: [cacheControl('public, s-maxage=60, no-store')],
    }),
    doesNotReuse('does not store for validation a response with no-store', {
      fields: [cacheControl('no-store'), ['ETag', '"a"']],
      expect: { sent: { 'if-none-match': null } },
    }),
  ]),

  ...under('RFC 9111 §5.2.2.7', [
    doesNotReuse('does not store a private response', { fields: [cacheControl('private, max-age=60')] }),
    doesNotReuse('does not store a private response with public, too', {
      fields: [cacheControl('public, private, max-age=60')],
    }),
    doesNotReuse('does not store a private response for its s-maxage', {
      fields: [cacheControl('private, s-maxage=60')],
    }),
    doesNotReuse('does not store for validation a private response', {
      fields: [cacheControl('private, no-cache'), ['ETag', '"a"']],
      expect: { sent: { 'if-none-match': null } },
    }),
  ]),

  ...under('RFC 9111 §5.2.2.3', [
    reuses('stores a must-understand response with an understood status in spite of no-store', {
      fields: [cacheControl('must-understand, no-store, max-age=60')],
    }),
    doesNotReuse('does not store a must-understand response whose status it does not understand', {
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
        doesNotReuse(`does not reuse a response to Authorization with ${value}`, {
          asked: [bearer],
          fields: [cacheControl(value)],
        }),
    ),
    doesNotReuse('does not reuse a response to Authorization with Expires', {
      asked: [bearer],
      fields: [['Expires', httpDate(60)]],
    }),
    doesNotReuse('does not reuse for other credentials a response to Authorization', {
      asked: [bearer],
      fields: [fresh],
      asking: [['Authorization', 'Bearer two']],
    }),
    doesNotReuse('does not reuse for the same credentials a response to Authorization', {
      asked: [bearer],
      fields: [fresh],
      asking: [bearer],
    }),
    ...['public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60'].flatMap((value) => [
      reuses(`reuses a response to Authorization with ${value}`, {
        asked: [bearer],
        fields: [cacheControl(value)],
      }),
      reuses(`reuses for other credentials a response to Authorization with ${value}`, {
        asked: [bearer],
        fields: [cacheControl(value)],
        asking: [['Authorization', 'Bearer two']],
      }),
      doesNotReuse(`does not reuse stale a response to Authorization with ${value}`, {
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
      title: 'forwards the credentials to the origin',
      exchanges: [{ fields: [bearer], expect: { sent: { authorization: 'Bearer one' } } }],
    },
  ]),

  ...under('RFC 9111 §3.3', [
    {
      title: 'does not store a body that broke off before the length it announced',
      exchanges: [{ origin: { fields: [fresh], fault: 'cut half way' }, expect: { status: 'broken' } }, { after: 1 }],
    },
    {
      title: 'does not store a chunked body that broke off before its last chunk',
      exchanges: [
        { origin: { fields: [fresh], chunked: true, fault: 'cut half way' }, expect: { status: 'broken' } },
        { after: 1 },
      ],
    },
    reuses('stores a complete chunked body', { fields: [fresh], answer: { chunked: true } }),
    {
      title: 'does not store a 206, and forwards the same range again',
      supported: false,
      exchanges: [
        partial('bytes=0-3', 'answ', 'bytes 0-3/8'),
        { ...partial('bytes=0-3', 'ANSW', 'bytes 0-3/8'), expect: { status: 206, body: 'ANSW' } },
      ],
    },
    {
      title: 'does not store a 206, and forwards a range within it again',
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
      title: 'stores a 200 sent for a range request',
      exchanges: [
        { fields: [['Range', 'bytes=0-1']], origin: { fields: [fresh] } },
        { after: 1, expect: { by: 'store' } },
      ],
    },
  ]),

  ...under('RFC 9111 §3.4', [
    {
      title: 'does not combine partial responses',
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
      title: 'answers concurrent requests with one response of the origin if it may be reused',
      exchanges: [{ together: 5, origin: { fields: [fresh] }, expect: { reached: 1 } }],
    },
    {
      title: 'forwards each of several concurrent requests when the answer is not to be shared',
      exchanges: [{ together: 3, origin: { fields: [cacheControl('private')] }, expect: { reached: 3 } }],
    },
    {
      title: 'forwards each of several concurrent requests when the response must not be stored',
      exchanges: [{ together: 3, origin: { fields: [cacheControl('no-store')] }, expect: { reached: 3 } }],
    },
    {
      title: 'forwards each of several concurrent unsafe requests',
      exchanges: [{ method: 'POST', body: 'x', together: 3, origin: { fields: [fresh] }, expect: { reached: 3 } }],
    },
    {
      title: 'validates once for concurrent requests',
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
    validates('stores a response with no-cache, and validates it before each use', {
      fields: [cacheControl('no-cache'), ['ETag', '"a"']],
    }),
    validates('validates a response with no-cache even if it is fresh', {
      fields: [cacheControl('max-age=60, no-cache'), ['Expires', httpDate(60)], ['ETag', '"a"']],
    }),
    doesNotReuse('does not reuse without validation a response with no-cache', {
      fields: [cacheControl('no-cache, max-age=60')],
    }),
    {
      title: 'validates a response with no-cache again after it was validated',
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
