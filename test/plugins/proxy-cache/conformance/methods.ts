import type { Answer, FieldValue } from '../../../harness/scripted-origin.js'
import { bodyOf, cacheControl, type Exchange, type Rule, under } from './row.js'

const hour = cacheControl('max-age=3600')
const entityTag = ['ETag', '"a"'] as const
const stored: Exchange = { origin: { fields: [hour] } }
const fromStore: Exchange = { after: 1, expect: { by: 'store' } }
const fromOrigin: Exchange = { after: 1 }
const otherKept: Exchange = { path: '/other', after: 1, expect: { by: 'store' } }
const otherGone: Exchange = { path: '/other', after: 1 }

/** Methods that change things, or may, as nothing says that they do not. */
const unsafeMethods = ['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH', 'LOCK', 'PURGE']
const safeMethods = ['OPTIONS', 'TRACE', 'PROPFIND', 'REPORT']

/** An exchange whose method changes something, or may. */
function unsafe(method: string, origin: Answer = {}, path = ''): Exchange {
  return { method, path, body: 'x', origin }
}

/** Two targets of one origin: the second changes, and its response points to the first. */
function pointing(field: string, value: FieldValue = 'other', method = 'POST', status = 201): Exchange[] {
  return [
    { path: '/other', origin: { fields: [hour] } },
    { ...unsafe(method, { status, fields: [[field, value]] }, '/target') },
  ]
}

export const methods = [
  ...under('RFC 9111 §4.4', [
    ...unsafeMethods.flatMap((method) => [
      {
        title: `invalidates a response when ${method} of its target succeeds`,
        exchanges: [stored, unsafe(method), fromOrigin],
      },
      ...[400, 404, 409, 500, 503].map((status) => ({
        title: `does not invalidate a response when ${method} of its target fails with ${status}`,
        exchanges: [stored, unsafe(method, { status }), fromStore],
      })),
    ]),
    ...[200, 201, 202, 203, 204, 205, 207, 299, 300, 301, 302, 303, 307, 308].map((status) => ({
      title: `treats ${status} as the success of an unsafe method`,
      exchanges: [stored, unsafe('POST', { status }), fromOrigin],
    })),
    ...safeMethods.map((method) => ({
      title: `does not invalidate a response when ${method}, which is safe, asks for its target`,
      exchanges: [stored, { method }, fromStore],
    })),
    {
      title: 'does not invalidate a response when an unsafe request breaks off',
      exchanges: [stored, { ...unsafe('POST', { fault: 'cut' }), expect: { by: 'none' } }, fromStore],
    },
    {
      title: 'removes a response whose target changed though the response to the change must not be stored',
      exchanges: [stored, unsafe('PUT', { fields: [cacheControl('no-store')] }), fromOrigin],
    },
    {
      title: 'invalidates all variants of a target that changed',
      exchanges: [
        { fields: [['Foo', '1']], origin: { fields: [hour, ['Vary', 'Foo']] } },
        { fields: [['Foo', '2']], origin: { fields: [hour, ['Vary', 'Foo']] } },
        { ...unsafe('POST'), fields: [['Foo', '3']] },
        { fields: [['Foo', '1']], after: 1 },
        { fields: [['Foo', '2']] },
      ],
    },
    {
      title: 'does not invalidate a response when a target with another query changed',
      exchanges: [
        { path: '?a=1', origin: { fields: [hour] } },
        unsafe('POST', {}, '?a=2'),
        { path: '?a=1', after: 1, expect: { by: 'store' } },
      ],
    },
    {
      title: 'does not invalidate a response when a target of another host changed',
      exchanges: [stored, { ...unsafe('POST'), host: 'other.test' }, fromStore],
    },
    {
      title: 'stores a response received after its target changed',
      exchanges: [
        stored,
        unsafe('POST'),
        { after: 1, origin: { fields: [hour] } },
        { after: 1, expect: { by: 'store', of: 3 } },
      ],
    },
    {
      title: 'stores a response received in the same moment after its target changed',
      exchanges: [stored, unsafe('POST'), { origin: { fields: [hour] } }, { expect: { by: 'store', of: 3 } }],
    },
    {
      title: 'does not store a response requested before its target changed and received after it',
      exchanges: [{ ...stored, meanwhile: 'POST' }, fromOrigin],
    },
    {
      title: 'does not store a response requested before its target changed, which comes in chunks after it',
      exchanges: [{ origin: { fields: [hour], chunked: true }, meanwhile: 'PUT' }, fromOrigin],
    },
    {
      title: 'does not reuse what was validated while its target changed',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60'), entityTag] } },
        { after: 61, origin: { fields: [hour, entityTag] }, meanwhile: 'POST', expect: { by: 'validation' } },
        { after: 1, origin: { fields: [hour, ['ETag', '"b"']] } },
      ],
    },
    {
      title: 'stores a response requested before a safe request for its target',
      exchanges: [{ ...stored, meanwhile: 'OPTIONS' }, fromStore],
    },
    {
      title: 'does not serve stale, for an error, an invalidated response',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60, stale-if-error=600')] } },
        unsafe('POST'),
        { after: 1, origin: { status: 503 }, expect: { status: 503 } },
      ],
    },
    {
      title: 'does not serve stale, while it asks, an invalidated response',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60, stale-while-revalidate=600')] } },
        unsafe('POST'),
        { after: 1 },
      ],
    },
    {
      title: 'does not serve an invalidated response to a request with max-stale',
      exchanges: [stored, unsafe('POST'), { after: 1, fields: [cacheControl('max-stale')] }],
    },
    {
      title: 'does not answer an unsafe request from the store',
      exchanges: [{ ...unsafe('POST'), origin: { fields: [hour] } }, unsafe('POST'), stored, unsafe('POST')],
    },
    {
      title: 'forwards the body of an unsafe request to the origin',
      exchanges: [
        {
          method: 'PUT',
          body: 'twelve bytes',
          fields: [['Content-Type', 'application/octet-stream']],
          expect: { sent: { 'content-length': '12' } },
        },
      ],
    },
    ...['Location', 'Content-Location'].flatMap((field): Rule[] => [
      ...['POST', 'PUT', 'DELETE'].map((method) => ({
        title: `invalidates the target of the ${field} of the response to ${method}`,
        exchanges: [...pointing(field, 'other', method), otherGone],
      })),
      {
        title: `invalidates the target of a ${field} with a scheme and the same host`,
        exchanges: [...pointingAbsolutely(field, 'http://edge.test'), otherGone],
      },
      ...['http://other.test', 'http://edge.test:8080', 'https://other.test', '//other.test'].map((origin) => ({
        title: `does not invalidate the target of a ${field} of the origin ${origin}`,
        exchanges: [...pointingAbsolutely(field, origin), otherKept],
      })),
      {
        title: `does not invalidate the target of the ${field} of an error`,
        exchanges: [...pointing(field, 'other', 'POST', 500), otherKept],
      },
      {
        title: `does not invalidate the target of the ${field} of a response to GET`,
        exchanges: [
          { path: '/other', origin: { fields: [hour] } },
          { path: '/target', origin: { fields: [hour, [field, 'other']] } },
          otherKept,
        ],
      },
      {
        title: `is not disturbed by a ${field} that is no reference`,
        exchanges: [
          { path: '/target', origin: { fields: [hour] } },
          unsafe('POST', { fields: [[field, 'http://[']] }, '/target'),
          { path: '/target', after: 1 },
        ],
      },
    ]),
  ]),

  ...under('RFC 9110 §9.3.2', [
    {
      title: 'answers HEAD from the stored response to GET, with its length',
      exchanges: [
        stored,
        { method: 'HEAD', after: 1, expect: { by: 'store', fields: { 'content-length': String(bodyOf(1).length) } } },
      ],
    },
    {
      title: 'answers HEAD from a stored response that came in chunks',
      exchanges: [{ origin: { fields: [hour], chunked: true } }, { method: 'HEAD', after: 1, expect: { by: 'store' } }],
    },
    {
      title: 'answers HEAD with the status that is stored',
      exchanges: [
        { origin: { status: 404, fields: [hour] } },
        { method: 'HEAD', after: 1, expect: { by: 'store', status: 404 } },
      ],
    },
    {
      title: 'answers HEAD that has a matching condition with 304',
      exchanges: [
        { origin: { fields: [hour, entityTag] } },
        { method: 'HEAD', fields: [['If-None-Match', '"a"']], after: 1, expect: { by: 'store', status: 304 } },
      ],
    },
    {
      title: 'does not store a response to HEAD for GET',
      exchanges: [{ method: 'HEAD', origin: { fields: [hour] } }, { after: 1 }],
    },
    {
      title: 'asks the origin with HEAD, not GET, when nothing is stored',
      exchanges: [{ method: 'HEAD', origin: { fields: [hour] }, expect: { sentMethod: 'HEAD' } }],
    },
    {
      title: 'does not invalidate a response when HEAD is answered with an error',
      exchanges: [stored, { method: 'HEAD', fields: [cacheControl('no-cache')], origin: { status: 404 } }, fromStore],
    },
  ]),

  ...under('RFC 9111 §4.3.5', [
    {
      title: 'does not reuse a stored response when HEAD shows another entity-tag',
      exchanges: [
        { origin: { fields: [hour, entityTag] } },
        head({ fields: [hour, ['ETag', '"b"']] }),
        { after: 1, origin: { fields: [hour, ['ETag', '"b"']] } },
      ],
    },
    {
      title: 'does not reuse a stored response when HEAD shows another Last-Modified',
      exchanges: [
        { origin: { fields: [hour, ['Last-Modified', 'Mon, 09 Mar 2026 12:00:00 GMT']] } },
        head({ fields: [hour, ['Last-Modified', 'Mon, 09 Mar 2026 13:00:00 GMT']] }),
        { after: 1, origin: { fields: [hour, ['Last-Modified', 'Mon, 09 Mar 2026 13:00:00 GMT']] } },
      ],
    },
    {
      title: 'does not reuse a stored response when HEAD shows another length',
      exchanges: [stored, head({ fields: [hour], body: 'another length' }), fromOrigin],
    },
    {
      title: 'reuses a stored response when HEAD shows the same validators and length',
      exchanges: [
        { origin: { fields: [hour, entityTag] } },
        head({ fields: [hour, entityTag], body: bodyOf(1) }),
        fromStore,
      ],
    },
    {
      title: 'updates a stored response from a HEAD response for the same representation',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60'), entityTag, ['X-Turn', '1']] } },
        { ...head({ fields: [hour, entityTag, ['X-Turn', '2']], body: bodyOf(1) }), after: 30 },
        { after: 10, expect: { by: 'store', fields: { 'x-turn': '2', age: '10' } } },
        { after: 60, expect: { by: 'store' } },
      ],
    },
  ]),
]

/** A HEAD that the origin answers in full although a response is stored. */
function head(origin: Answer): Exchange {
  return {
    method: 'HEAD',
    fields: [cacheControl('no-cache')],
    after: 1,
    origin: { ...origin, ignoresConditions: true },
  }
}

/** As `pointing`, by an absolute reference to the path of the first target under the origin. */
function pointingAbsolutely(field: string, origin: string): Exchange[] {
  return pointing(field, (_now, prefix) => `${origin}${prefix}/other`)
}
