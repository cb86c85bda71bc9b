import { type FieldLines, httpDate } from '../../../harness/scripted-origin.js'
import { bodyOf, cacheControl, type Exchange, type Expectation, type Row, reuses, under } from './row.js'

const hour = cacheControl('max-age=3600')

const stored: readonly [name: string, value: string][] = [
  ['Test-Header', 'a'],
  ['X-Test-Header', 'a'],
  ['Content-Foo', 'a'],
  ['X-Content-Foo', 'a'],
  ['Content-Type', 'text/plain; charset=utf-8'],
  ['Content-Encoding', 'x-unknown'],
  ['Content-Language', 'en'],
  ['Content-Location', '/foo'],
  ['Content-MD5', 'rL0Y20zC+Fzt72VPzMSk2A=='],
  ['Content-Security-Policy', "default-src 'self'"],
  ['Content-Disposition', 'attachment; filename="a.txt"'],
  ['Clear-Site-Data', '"cache"'],
  ['ETag', '"a"'],
  ['Expires', 'Fri, 01 Jan 2038 01:01:01 GMT'],
  ['Last-Modified', 'Mon, 09 Mar 2026 12:00:00 GMT'],
  ['Link', '</a>; rel=next'],
  ['Public-Key-Pins', 'pin-sha256="a"'],
  ['Set-Cookie2', 'a=b'],
  ['Strict-Transport-Security', 'max-age=1'],
  ['Server', 'origin'],
  ['Server-Timing', 'db;dur=53'],
  ['Surrogate-Key', 'a b'],
  ['Via', '1.1 somewhere'],
  ['Warning', '110 - "Response is stale"'],
  ['WWW-Authenticate', 'Basic realm="a"'],
  ['X-Frame-Options', 'deny'],
  ['X-XSS-Protection', '1'],
  ['Access-Control-Allow-Origin', '*'],
  ['Accept-Ranges', 'bytes'],
  ['Allow', 'GET, HEAD'],
  ['Retry-After', '120'],
  ['Pragma', 'no-cache'],
]

/** Fields of one connection, or of the proxy by which the response came. */
const notStored: readonly [name: string, value: string][] = [
  ['Keep-Alive', 'timeout=77'],
  ['Proxy-Authenticate', 'Basic realm="a"'],
  ['Proxy-Authentication-Info', 'a'],
  ['Proxy-Authorization', 'a'],
  ['Proxy-Connection', 'keep-alive'],
  ['TE', 'trailers'],
  ['Upgrade', 'h2c'],
]

/** What the response from the store looks like. */
function from(fields: FieldLines, expect: Expectation['fields'] = {}, after = 1): Exchange[] {
  return [{ origin: { fields: [hour, ...fields] } }, { after, expect: { by: 'store', fields: expect } }]
}

/** Our member of Cache-Status, of memory or of Redis, after whatever the origin said. */
const ours = (parameters: string, before = '') => new RegExp(`^${before}.*Vitrine(-Redis)?; ?${parameters}`)

export const fields = [
  ...under('RFC 9111 §3.1', [
    ...stored.map(([name, value]) => ({
      title: `serves the stored ${name}`,
      exchanges: from([[name, value]], { [name.toLowerCase()]: value }),
    })),
    ...notStored.map(([name, value]) => ({
      title: `does not store ${name}`,
      exchanges: from([[name, value]], { [name.toLowerCase()]: { without: value } }),
    })),
    {
      title: 'does not store Connection, nor the fields that it names',
      exchanges: from(
        [
          ['Connection', 'X-A, x-b'],
          ['X-A', '1'],
          ['X-B', '2'],
          ['X-C', '3'],
        ],
        {
          'x-a': null,
          'x-b': null,
          'x-c': '3',
          connection: { without: 'X-A' },
        },
      ),
    },
    {
      title: 'stores lines of the same name separately, in their order',
      exchanges: from(
        [
          ['X-Bar', 'a=1'],
          ['X-Foo', 'x'],
          ['X-Bar', 'b=2'],
          ['X-Bar', 'c=3'],
        ],
        {
          'x-bar': ['a=1', 'b=2', 'c=3'],
        },
      ),
    },
    {
      title: 'keeps Transfer-Encoding to the connection that it came by',
      exchanges: [
        { origin: { fields: [hour], chunked: true } },
        {
          after: 1,
          expect: {
            by: 'store',
            fields: { 'transfer-encoding': null, 'content-length': String(bodyOf(1).length) },
          },
        },
      ],
    },
    {
      title: 'does not make fields of trailers',
      exchanges: [
        { origin: { fields: [hour, ['Trailer', 'X-Sum']], chunked: true, trailers: [['X-Sum', '1']] } },
        { after: 1, expect: { by: 'store', fields: { 'x-sum': null, trailer: null } } },
      ],
    },
    {
      title: 'stores a field with an empty value',
      exchanges: from([['X-Empty', '']], { 'x-empty': [''] }),
    },
    {
      title: 'stores a field as long as a server accepts',
      exchanges: from([['X-Long', 'x'.repeat(8_000)]], { 'x-long': 'x'.repeat(8_000) }),
    },
  ]),

  ...under('RFC 9111 §4', [
    {
      title: 'sends the Age of a stored response',
      exchanges: from([], { age: ['100'] }, 100),
    },
    {
      title: 'sends an Age of 0 for a response just stored',
      exchanges: from([], { age: ['0'] }, 0),
    },
    {
      title: 'sends Age in whole seconds',
      exchanges: from([], { age: ['1'] }, 1.9),
    },
    {
      title: 'does not change the lifetime that the response came with',
      exchanges: from(
        [['Expires', httpDate(3_600)]],
        { 'cache-control': 'max-age=3600', expires: httpDate(3_500) },
        100,
      ),
    },
  ]),

  ...under('RFC 9110 §6.6.1', [
    {
      title: 'does not change the Date of a response',
      exchanges: from([['Date', httpDate(-5)]], { date: httpDate(-5) }, 0),
    },
    {
      title: 'does not change the Date over time',
      exchanges: from([], { date: httpDate(-100) }, 100),
    },
    reuses('adds the time of receipt as Date to a response without one', {
      fields: [hour],
      answer: { date: false },
      after: 100,
      expect: { fields: { date: httpDate(-100) } },
    }),
  ]),

  ...under('RFC 9211 §2', [
    {
      title: 'reports a hit and the remaining lifetime in Cache-Status',
      exchanges: from([], { 'cache-status': ours('hit; ttl=3500') }, 100),
    },
    {
      title: 'reports a miss, the storing and the lifetime in Cache-Status',
      exchanges: [
        {
          origin: { fields: [hour] },
          expect: { fields: { 'cache-status': ours('fwd=uri-miss; fwd-status=200;( ttl=3600;)? stored') } },
        },
      ],
    },
    {
      title: 'does not report storing a response that it does not store',
      exchanges: [
        {
          origin: { fields: [cacheControl('no-store')] },
          expect: { fields: { 'cache-status': /^(?!.*stored).*Vitrine; fwd=uri-miss; fwd-status=200/ } },
        },
      ],
    },
    {
      title: 'reports in Cache-Status that another variant is stored',
      exchanges: [
        { fields: [['Foo', '1']], origin: { fields: [hour, ['Vary', 'Foo']] } },
        { fields: [['Foo', '2']], expect: { fields: { 'cache-status': ours('fwd=vary-miss') } } },
      ],
    },
    {
      title: 'reports in Cache-Status that the stored response was stale, and the status of the origin',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60'), ['ETag', '"a"']] } },
        {
          after: 61,
          origin: { fields: [cacheControl('max-age=60'), ['ETag', '"a"']] },
          expect: { by: 'validation', fields: { 'cache-status': ours('fwd=stale; fwd-status=304') } },
        },
      ],
    },
    {
      title: 'reports in Cache-Status that the method requires forwarding',
      exchanges: [{ method: 'POST', body: 'x', expect: { fields: { 'cache-status': ours('fwd=method') } } }],
    },
    {
      title: 'reports in Cache-Status that the request requires forwarding',
      exchanges: [
        { origin: { fields: [hour] } },
        { fields: [cacheControl('no-cache')], expect: { fields: { 'cache-status': ours('fwd=request') } } },
      ],
    },
    {
      title: 'reports a stale response by a negative lifetime in Cache-Status',
      exchanges: [
        { origin: { fields: [cacheControl('max-age=60, stale-if-error=600')] } },
        {
          after: 100,
          origin: { status: 503 },
          expect: { by: 'store', reached: 1, fields: { 'cache-status': /Vitrine(-Redis)?;.*ttl=-40/ } },
        },
      ],
    },
    {
      title: 'appends to the Cache-Status of caches before it',
      exchanges: [
        {
          origin: { fields: [hour, ['Cache-Status', 'OriginCache; hit; ttl=1100']] },
          expect: { fields: { 'cache-status': ours('fwd=uri-miss', 'OriginCache; hit; ttl=1100, ') } },
        },
        { after: 1, expect: { by: 'store', fields: { 'cache-status': ours('hit', 'OriginCache; hit; ttl=1100, ') } } },
      ],
    },
    {
      title: 'appends to several lines of Cache-Status',
      exchanges: [
        {
          origin: { fields: [hour, ['Cache-Status', 'A; hit'], ['Cache-Status', 'B; fwd=miss']] },
          expect: { fields: { 'cache-status': ours('fwd=uri-miss', 'A; hit, B; fwd=miss, ') } },
        },
      ],
    },
  ]),
] satisfies readonly Row[]
