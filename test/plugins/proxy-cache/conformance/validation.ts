import { type FieldLines, httpDate } from '../../../harness/scripted-origin.js'
import { bodyOf, cacheControl, type Exchange, type Expectation, type Row, under } from './row.js'

const minute = cacheControl('max-age=60')
const hour = cacheControl('max-age=3600')
const strong = ['ETag', '"a"'] as const
const longAgo = 'Mon, 09 Mar 2026 12:00:00 GMT'
const modified = ['Last-Modified', longAgo] as const

/** A response is stored, becomes stale, and the origin says 304 with these fields when it is asked. */
function freshened(
  stored: FieldLines,
  fresher: FieldLines,
  { first, later }: { readonly first?: Expectation; readonly later?: Expectation } = {},
): Exchange[] {
  return [
    { origin: { fields: [minute, ...stored] } },
    {
      after: 61,
      origin: { status: 304, fields: [hour, ...fresher] },
      expect: { by: 'validation', ...first },
    },
    { after: 10, expect: { by: 'store', ...later } },
  ]
}

const updated: readonly [name: string, before: string, after: string][] = [
  ['Test-Header', 'a', 'b'],
  ['X-Test-Header', 'a', 'b'],
  ['Content-Foo', 'a', 'b'],
  ['X-Content-Foo', 'a', 'b'],
  ['Content-Location', '/a', '/b'],
  ['Content-Security-Policy', "default-src 'self'", "default-src 'none'"],
  ['Content-Language', 'en', 'fr'],
  ['Content-Type', 'text/plain', 'text/html'],
  ['Content-Disposition', 'inline', 'attachment'],
  ['X-Frame-Options', 'deny', 'sameorigin'],
  ['X-XSS-Protection', '1', '1; mode=block'],
  ['Clear-Site-Data', '"cache"', '"cookies"'],
  ['Link', '</a>; rel=next', '</b>; rel=next'],
  ['CDN-Cache-Control', 'max-age=60', 'max-age=3600'],
]

const notUpdated: readonly [name: string, before: string, after: string][] = [
  ['Content-Encoding', 'identity', 'gzip'],
  ['Content-Range', 'bytes 0-7/8', 'bytes 0-3/8'],
]

export const validation = [
  ...under('RFC 9111 §4.3.1', [
    {
      title: 'validates a stale response by its entity-tag',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        {
          after: 61,
          origin: { fields: [minute, strong] },
          expect: { by: 'validation', sent: { 'if-none-match': '"a"', 'if-modified-since': null } },
        },
      ],
    },
    {
      title: 'asks with a weak entity-tag as it is',
      exchanges: [
        { origin: { fields: [minute, ['ETag', 'W/"a"']] } },
        {
          after: 61,
          origin: { fields: [minute, ['ETag', 'W/"a"']] },
          expect: { by: 'validation', sent: { 'if-none-match': 'W/"a"' } },
        },
      ],
    },
    {
      title: 'asks the origin whether anything changed since the Last-Modified of a stale response',
      exchanges: [
        { origin: { fields: [minute, modified] } },
        {
          after: 61,
          origin: { fields: [minute, modified] },
          expect: { by: 'validation', sent: { 'if-modified-since': longAgo, 'if-none-match': null } },
        },
      ],
    },
    {
      title: 'asks with both validators where there are both',
      exchanges: [
        { origin: { fields: [minute, strong, modified] } },
        {
          after: 61,
          origin: { fields: [minute, strong, modified] },
          expect: { by: 'validation', sent: { 'if-none-match': '"a"', 'if-modified-since': longAgo } },
        },
      ],
    },
    {
      title: 'asks without a condition where there is no validator',
      exchanges: [
        { origin: { fields: [minute] } },
        { after: 61, expect: { sent: { 'if-none-match': null, 'if-modified-since': null } } },
      ],
    },
    {
      title: 'asks with HEAD, and without a condition, for a client that asks with HEAD',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        {
          method: 'HEAD',
          after: 61,
          origin: { fields: [minute, strong] },
          expect: { sent: { 'if-none-match': null } },
        },
      ],
    },
    {
      title: 'asks with the fields of the client that the response varies by',
      exchanges: [
        { fields: [['Foo', '1']], origin: { fields: [minute, strong, ['Vary', 'Foo']] } },
        {
          fields: [
            ['Foo', '1'],
            ['Bar', '2'],
          ],
          after: 61,
          origin: { fields: [minute, strong, ['Vary', 'Foo']] },
          expect: { by: 'validation', sent: { foo: '1', bar: '2' } },
        },
      ],
    },
    {
      title: 'does not validate for a range request, and forwards it',
      supported: false,
      exchanges: [
        { origin: { fields: [minute, strong] } },
        {
          after: 61,
          fields: [['Range', 'bytes=0-3']],
          origin: { status: 206, body: 'ANSW', fields: [['Content-Range', 'bytes 0-3/8']] },
          expect: { sent: { range: 'bytes=0-3', 'if-none-match': null } },
        },
        { after: 1, origin: { fields: [minute, strong] }, expect: { by: 'validation' } },
      ],
    },
  ]),

  ...under('RFC 9111 §4.3.4', [
    {
      title: 'reuses a validated response as long as the 304 says',
      exchanges: freshened([strong], [strong], { later: { fields: { age: '10', 'cache-control': 'max-age=3600' } } }),
    },
    {
      title: 'reuses a response validated by Last-Modified as long as the 304 says',
      exchanges: freshened([modified], [modified], { later: { fields: { age: '10' } } }),
    },
    {
      title: 'counts the age of a validated response from the 304',
      exchanges: freshened([strong, ['Age', '50']], [strong], {
        first: { fields: { age: /^0$/ } },
        later: { fields: { age: '10' } },
      }),
    },
    {
      title: 'counts the age that a 304 comes with',
      exchanges: freshened([strong], [strong, ['Age', '100']], { later: { fields: { age: ['110'] } } }),
    },
    {
      title: 'counts the time that a 304 took to come',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        {
          after: 61,
          origin: { status: 304, takesSeconds: 5, fields: [hour, strong, ['Age', '10']] },
          expect: { by: 'validation' },
        },
        { after: 10, expect: { by: 'store', fields: { age: '25' } } },
      ],
    },
    {
      title: 'does not count an age that the response came with and the 304 does not',
      exchanges: freshened([strong, ['Age', '59']], [strong], { later: { fields: { age: ['10'] } } }),
    },
    {
      title: 'counts the age of a validated response from the coming of a 304 that has no date',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        { after: 61, origin: { status: 304, date: false, fields: [strong] }, expect: { by: 'validation' } },
        { after: 59, expect: { by: 'store', fields: { age: '59', date: httpDate(-59) } } },
      ],
    },
    {
      title: 'uses the stored lifetime for a 304 without one',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        { after: 61, origin: { status: 304, fields: [strong] }, expect: { by: 'validation' } },
        { after: 59, expect: { by: 'store', fields: { age: '59' } } },
        { after: 2, origin: { fields: [minute, strong] }, expect: { by: 'validation' } },
      ],
    },
    {
      title: 'sends the date of the 304 to the client',
      exchanges: freshened([strong], [strong], {
        first: { fields: { date: httpDate(0) } },
        later: { fields: { date: httpDate(-10) } },
      }),
    },
    {
      title: 'reuses a response with a weak entity-tag that a 304 confirms',
      exchanges: freshened([['ETag', 'W/"a"']], [['ETag', 'W/"a"']]),
    },
    {
      title: 'reuses a response that a 304 without any validator confirms',
      exchanges: freshened([strong], []),
    },
    {
      title: 'updates nothing from a 304 with another entity-tag, serves the stored response and invalidates it',
      exchanges: [
        { origin: { fields: [minute, strong, ['X-Turn', '1']] } },
        {
          after: 61,
          origin: { status: 304, fields: [hour, ['ETag', '"b"'], ['X-Turn', '2']] },
          expect: { by: 'validation', fields: { 'x-turn': '1', etag: '"a"', age: '61' } },
        },
        { after: 1, origin: { fields: [minute, ['ETag', '"b"']] }, expect: { sent: { 'if-none-match': null } } },
      ],
    },
    {
      title: 'updates nothing from a 304 with another Last-Modified and no entity-tag',
      exchanges: [
        { origin: { fields: [minute, modified, ['X-Turn', '1']] } },
        {
          after: 61,
          origin: {
            status: 304,
            fields: [hour, ['Last-Modified', 'Mon, 09 Mar 2026 13:00:00 GMT'], ['X-Turn', '2']],
          },
          expect: { by: 'validation', fields: { 'x-turn': '1', 'last-modified': longAgo, age: '61' } },
        },
        { after: 1, expect: { sent: { 'if-modified-since': null } } },
      ],
    },
    {
      title: 'uses the entity-tag of a 304 whose Last-Modified is another one',
      exchanges: freshened([strong, modified], [strong, ['Last-Modified', 'Mon, 09 Mar 2026 13:00:00 GMT']], {
        later: { fields: { 'last-modified': 'Mon, 09 Mar 2026 13:00:00 GMT' } },
      }),
    },
    {
      title: 'updates only the variant that a 304 names',
      exchanges: [
        { fields: [['Foo', '1']], origin: { fields: [minute, ['Vary', 'Foo'], ['ETag', '"1"']] } },
        { fields: [['Foo', '2']], origin: { fields: [minute, ['Vary', 'Foo'], ['ETag', '"2"']] } },
        {
          fields: [['Foo', '1']],
          after: 61,
          origin: { status: 304, fields: [hour, ['Vary', 'Foo'], ['ETag', '"1"']] },
          expect: { by: 'validation' },
        },
        { fields: [['Foo', '1']], after: 1, expect: { by: 'store' } },
        { fields: [['Foo', '2']], after: 1 },
      ],
    },
    {
      title: 'does not go on with what a 304 says must not be stored',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        {
          after: 61,
          origin: { status: 304, fields: [cacheControl('no-store'), strong] },
          expect: { by: 'validation' },
        },
        { after: 1, origin: { fields: [strong] }, expect: { sent: { 'if-none-match': null } } },
      ],
    },
    {
      title: 'does not go on with what a 304 says is private',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        {
          after: 61,
          origin: { status: 304, fields: [cacheControl('private, max-age=60'), strong] },
          expect: { by: 'validation' },
        },
        { after: 1, origin: { fields: [strong] }, expect: { sent: { 'if-none-match': null } } },
      ],
    },
    {
      title: 'forwards a 304 to the condition of a client',
      exchanges: [
        { fields: [['If-None-Match', '"a"']], origin: { fields: [minute, strong] }, expect: { status: 304, body: '' } },
        { origin: { fields: [minute, strong] } },
        { after: 1, expect: { by: 'store', of: 2 } },
      ],
    },
  ]),

  ...under('RFC 9111 §3.2', [
    ...updated.map(([name, before, after]) => ({
      title: `updates ${name} from a 304`,
      exchanges: freshened([strong, [name, before]], [strong, [name, after]], {
        first: { fields: { [name.toLowerCase()]: after } },
        later: { fields: { [name.toLowerCase()]: after } },
      }),
    })),
    ...updated.map(([name, before, after]) => ({
      title: `updates ${name} from a 304 that was asked for by Last-Modified`,
      exchanges: freshened([modified, [name, before]], [modified, [name, after]], {
        first: { fields: { [name.toLowerCase()]: after } },
        later: { fields: { [name.toLowerCase()]: after } },
      }),
    })),
    ...updated.map(([name, before]) => ({
      title: `keeps the ${name} that a 304 does not mention`,
      exchanges: freshened([strong, [name, before]], [strong], {
        first: { fields: { [name.toLowerCase()]: before } },
        later: { fields: { [name.toLowerCase()]: before } },
      }),
    })),
    ...notUpdated.map(([name, before, after]) => ({
      title: `does not update ${name}, which belongs to the stored content, from a 304`,
      exchanges: freshened([strong, [name, before]], [strong, [name, after]], {
        first: { fields: { [name.toLowerCase()]: before } },
        later: { fields: { [name.toLowerCase()]: before } },
      }),
    })),
    {
      title: 'does not update Content-Length, which belongs to the stored content, from a 304',
      exchanges: freshened([strong], [strong, ['Content-Length', '3']], {
        first: { fields: { 'content-length': String(bodyOf(1).length) } },
        later: { fields: { 'content-length': String(bodyOf(1).length) } },
      }),
    },
    ...['Connection', 'Keep-Alive', 'Proxy-Authenticate', 'Proxy-Connection', 'TE', 'Upgrade'].map((name) => ({
      title: `does not update ${name}, which belongs to one connection, from a 304`,
      exchanges: freshened([strong], [strong, [name, 'x-foo']], {
        later: { fields: { [name.toLowerCase()]: { without: 'x-foo' } } },
      }),
    })),
    {
      title: 'adds from a 304 a field that was not stored',
      exchanges: freshened([strong], [strong, ['X-New', '1']], {
        first: { fields: { 'x-new': '1' } },
        later: { fields: { 'x-new': '1' } },
      }),
    },
    {
      title: 'replaces all stored lines of a field by those of a 304',
      exchanges: freshened([strong, ['X-Foo', '1'], ['X-Foo', '2']], [strong, ['X-Foo', '3']], {
        first: { fields: { 'x-foo': ['3'] } },
        later: { fields: { 'x-foo': ['3'] } },
      }),
    },
    {
      title: 'updates all lines of a field from a 304',
      exchanges: freshened([strong, ['X-Foo', '1']], [strong, ['X-Foo', '2'], ['X-Foo', '3']], {
        later: { fields: { 'x-foo': ['2', '3'] } },
      }),
    },
    {
      title: 'sends a cookie that comes with a 304 to its client, and does not store it',
      exchanges: freshened([strong], [strong, ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']], {
        first: { fields: { 'set-cookie': ['a=1', 'b=2'] } },
        later: { fields: { 'set-cookie': null } },
      }),
    },
    {
      title: 'updates Expires from a 304 when it is the freshness of the response',
      exchanges: [
        { origin: { fields: [['Expires', httpDate(60)], strong] } },
        {
          after: 61,
          origin: { status: 304, fields: [['Expires', httpDate(600)], strong] },
          expect: { by: 'validation' },
        },
        { after: 500, expect: { by: 'store', fields: { expires: httpDate(100) } } },
      ],
    },
    {
      title: 'updates from a 304 the fields that the response varies by',
      exchanges: [
        { fields: [['Foo', '1']], origin: { fields: [minute, strong] } },
        {
          fields: [['Foo', '1']],
          after: 61,
          origin: { status: 304, fields: [hour, strong, ['Vary', 'Foo']] },
          expect: { by: 'validation', fields: { vary: 'Foo' } },
        },
        { fields: [['Foo', '2']], after: 1, origin: { fields: [hour, ['ETag', '"b"'], ['Vary', 'Foo']] } },
        { fields: [['Foo', '1']], after: 1, expect: { by: 'store', of: 1 } },
        { fields: [['Foo', '2']], after: 1, expect: { by: 'store', of: 3 } },
      ],
    },
    {
      title: 'updates a Cache-Control with no-cache from a 304',
      exchanges: [
        { origin: { fields: [minute, strong] } },
        {
          after: 61,
          origin: { status: 304, fields: [cacheControl('no-cache'), strong] },
          expect: { by: 'validation' },
        },
        { after: 1, origin: { fields: [hour, strong] }, expect: { by: 'validation' } },
      ],
    },
  ]),
] satisfies readonly Row[]
