import fc from 'fast-check'

// Requests as sent by scanners and attackers. All are valid HTTP, few are meaningful.

/** A request template: `{S}` is replaced by the secret of the client, `{ETAG}` by an entity-tag of an earlier response. */
export interface HostileRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Sent after the head, only over a socket. */
  readonly payload?: string | undefined
}

export const requestsInBatch = 16

const parameters = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('page=1', 'page=2', 'name=a', 'name=b', 'sort=a', 'utm_source={S}', 'x=1') },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...[
        'page=01',
        'page=+1',
        'page=1.0',
        'page=1e0',
        'page=',
        'page',
        'page=abc',
        'page=101',
        'page[]=2',
        'page%00=2',
      ],
      ...[
        '%70age=2',
        'page%5B%5D=3',
        'Page=9',
        ' page=4'.trim(),
        ';page=3',
        'a;page=3',
        'page=1;page=2',
        '#page=4',
        'page=%31',
      ],
      ...['sort=a,b', 'sort=a%2Cb', 'sort=b', 'sort=', 'sort[0]=z', 'sort=a&sort=b&sort=c&sort=d&sort=e'],
      ...['name=A', 'name=%61', 'name=a%20b', 'name=a+b', 'name=', 'name=%E9', 'name=%C3%A9', 'name=%', 'name=%zz'],
      ...[
        'name=a%0d%0aX-Injected:%201',
        'name=%0aX-Injected:1',
        'name=%00',
        'name=%F0%9F%98%80',
        'name=%22%3E%3Cscript%3E',
      ],
      ...['name=*', 'name=a%20X-Injected', 'name={S}', `name=${'n'.repeat(61)}`, `x=${'x'.repeat(3_000)}`],
      ...['__proto__=1', '__proto__[page]=5', '__proto__.page=5', 'constructor=1', 'constructor[prototype][page]=7'],
      ...[
        'toString=1',
        'hasOwnProperty=1',
        'utm_content=1',
        'fbclid={S}',
        'callback={S}',
        '&',
        '=',
        '?',
        '/',
        '..',
        '%2e%2e%2f',
      ],
    ),
  },
)
const query = fc
  .array(parameters, { maxLength: 4 })
  .map((several) => (several.length === 0 ? '' : `?${several.join('&')}`))

const ownPaths = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('/own/query', '/own/plain/a', '/own/negotiated', '/own/personal') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...['/own/%71uery', '/own/query/', '/own//query', '//own/query', '/OWN/query', '/own/./query', '/own/x/../query'],
      ...[
        '/own/query;a=b',
        '/own/query%3Fpage=2',
        '/own%2Fquery',
        'http://evil.example/own/query',
        'HTTP://a.example/own/query',
      ],
      ...[
        '/own/plain/',
        '/own/plain//a',
        '/own/plain/%2e%2e/query',
        '/own/plain/a%2Fb',
        '/own/plain/a/b',
        '/own/plain/A',
      ],
      ...['/own/plain/%61', '/own/plain/a;b', '/own/plain/a%3Bb', '/own/plain/%', '/own/plain/{S}', '/own/plain/%00'],
      ...['//evil.example/own/plain/a', 'http://evil.example/own/plain/a', 'http://evil.example:99/own/plain/a?x=1'],
      ...['/own/plain/a#b', '/own/plain/a#b?c', '/own/plain/__proto__', '/own/plain/%E9', '/own/plain/"<>|^`{}'],
      ...[`/own/plain/${'p'.repeat(400)}`, '/own/plain/..%5c..%5c', '/own/plain/a\\b', '*', '/own/plain/..;/a'],
    ),
  },
)
const kinds = fc.constantFrom(
  ...[
    'public',
    'public',
    'public',
    'swr',
    'check',
    'vary',
    'vary',
    'odd',
    'cookie',
    'auth',
    'private',
    'nostore',
    'star',
  ],
  ...['silent', 'qualified', 'hop', 'gone'],
)
const forwardedPaths = fc
  .tuple(
    kinds,
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'b') },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          ...[
            '/a',
            'a/',
            'a/../b',
            '%2e%2e/b',
            'a%2Fb',
            'a/b',
            'a;x',
            'a%3bx',
            '%61',
            'A',
            'a#b',
            '{S}',
            '.',
            './a',
            '...',
          ],
          ...[
            '__proto__',
            '%',
            '%zz',
            '%00',
            '%C3%A9',
            'http://evil.example/',
            '\\a',
            'a%5cb',
            'q'.repeat(2_000),
            'a%20b',
          ],
        ),
      },
    ),
  )
  .map(([kind, rest]) => `/fwd/${kind}/${rest}`)
const forwardedTargets = fc.oneof(
  { weight: 12, arbitrary: forwardedPaths },
  { weight: 1, arbitrary: forwardedPaths.map((path) => `http://evil.example${path}`) },
  { weight: 1, arbitrary: forwardedPaths.map((path) => `/${path}`) },
)
const target = fc
  .tuple(fc.oneof(ownPaths, forwardedTargets), fc.oneof({ weight: 2, arbitrary: fc.constant('') }, query))
  .map(([path, rest]) => path + rest)

const languages = [
  'fr',
  'fr',
  'en',
  'fr-FR',
  'fr, en',
  'fr,en',
  ' fr',
  'FR',
  '',
  ',',
  'fr;q=0.5',
  'fr\xe9',
  '*',
  '"fr, en"',
  '{S}',
]
const cacheControls = [
  ...['no-cache', 'no-store', 'max-age=0', 'max-age=5', 'only-if-cached', 'max-stale', 'max-stale=abc', 'min-fresh=29'],
  ...[
    'max-age=99999999999999999999',
    'max-age="5"',
    'max-age=-1',
    'max-age=1.5',
    '=,=,',
    ',,,,',
    'no-cache="x',
    'MAX-AGE=0',
  ],
  ...[
    'private',
    's-maxage=0',
    'max-age=0, max-age=60',
    'no-cache, only-if-cached',
    '\xe9',
    'x'.repeat(2_000),
    '{S}',
    '"\\',
  ],
]
const ranges = [
  ...[
    'bytes=0-0',
    'bytes=0-',
    'bytes=-1',
    'bytes=-0',
    'bytes=5-2',
    'bytes=2-5',
    'bytes=0-1,3-4',
    'bytes=0-1, bogus',
    'bytes=',
  ],
  ...[
    'bytes=99999999999999999999-',
    'bytes=0-99999999999999999999',
    'items=0-1',
    'bytes=abc',
    'bytes=--1',
    'bytes = 0 - 1',
  ],
  ...['bytes=0-18446744073709551615', 'Bytes=1-2', `bytes=${'0-,'.repeat(500)}0-`, '', 'bytes=-99999', 'bytes=1-{S}'],
]
const tags = [
  ...[
    '*',
    '"x"',
    'W/"x"',
    '{ETAG}',
    'W/{ETAG}',
    '"x", {ETAG}',
    ', ,',
    '"unclosed',
    '*, "a"',
    'x',
    '""',
    '"same"',
    '"\xe9"',
  ],
  ...['"a,b"', '{ETAG},', `${'"a",'.repeat(600)}"b"`, '"{S}"', '"x-gzip"', '"x" , "y"'],
]
const dates = [
  ...[
    'Mon, 02 Feb 2026 10:00:00 GMT',
    'Mon, 02 Feb 2026 09:59:59 GMT',
    'Fri, 31 Dec 9999 23:59:59 GMT',
    '0',
    '-1',
    'now',
    '',
  ],
  ...[
    'Monday, 02-Feb-26 10:00:00 GMT',
    'Mon Feb  2 10:00:00 2026',
    'Sun, 99 Foo 2026 99:99:99 GMT',
    '2026-02-02',
    '{S}',
  ],
]
const personal = [
  '{S}',
  'sid={S}',
  'sid={S}; a=b',
  'a={S}\xe9',
  '',
  ';',
  `sid=${'c'.repeat(3_000)}{S}`,
  '__proto__={S}',
  'a=b',
]
const addresses = [
  '{S}',
  '127.0.0.1',
  '{S}, 127.0.0.1',
  'evil.example',
  'evil.example:{S}',
  '',
  '[::1]',
  ',,',
  '\xe9{S}',
  'unknown',
]

function field(name: string, values: readonly string[]) {
  return fc.tuple(fc.constant(name), fc.constantFrom(...values))
}

const anyValue = fc.oneof(
  fc.constantFrom(
    '{S}',
    '',
    '1',
    '*',
    'true',
    '\t{S}\t',
    '%0d%0aX-Injected: 1',
    '\\r\\nX-Injected: 1',
    `${'v'.repeat(4_000)}{S}`,
  ),
  fc
    .array(
      fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f),
      { maxLength: 30 },
    )
    .map((codes) => `${String.fromCharCode(...codes)}{S}`),
)
const header = fc.oneof(
  { weight: 3, arbitrary: field('X-Lang', languages) },
  { weight: 2, arbitrary: field('X-Tier', ['gold', 'GOLD member', 'basic', '{S}', 'gold {S}', '', 'undefined']) },
  {
    weight: 2,
    arbitrary: field('Accept-Encoding', [
      'gzip',
      'br',
      'gzip, br',
      'br;q=0, gzip',
      '*',
      'identity;q=0',
      'gzip;q=x',
      '',
      'x'.repeat(900),
    ]),
  },
  { weight: 1, arbitrary: field('Accept-Language', languages) },
  {
    weight: 1,
    arbitrary: field('Accept', ['text/html', 'application/json', '*/*', 'text/html, */*;q=0.1', '', '{S}', ',']),
  },
  { weight: 3, arbitrary: field('Cache-Control', cacheControls) },
  { weight: 1, arbitrary: field('Pragma', ['no-cache', 'No-Cache', '{S}', '']) },
  { weight: 2, arbitrary: field('Range', ranges) },
  { weight: 2, arbitrary: field('If-None-Match', tags) },
  { weight: 1, arbitrary: field('If-Match', tags) },
  { weight: 1, arbitrary: field('If-Range', [...tags, ...dates]) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('If-Modified-Since', 'If-Unmodified-Since'), fc.constantFrom(...dates)),
  },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('Cookie', 'Authorization'), fc.constantFrom(...personal)) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom(
        ...[
          'X-Forwarded-For',
          'X-Forwarded-Host',
          'X-Forwarded-Proto',
          'X-Forwarded-Port',
          'X-Forwarded-Prefix',
          'Forwarded',
        ],
        ...['X-Real-IP', 'X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override', 'X-Host', 'Via', 'Max-Forwards'],
      ),
      fc.constantFrom(...addresses, 'POST', '/fwd/private/a'),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom(
        ...[
          'Cache-Status',
          'Surrogate-Key',
          'Surrogate-Control',
          'CDN-Cache-Control',
          'Cache-Tag',
          'Age',
          'ETag',
          'Vary',
          'Expires',
        ],
        ...[
          'Set-Cookie',
          'Location',
          'Content-Encoding',
          'Content-Range',
          'Server-Timing',
          'Warning',
          'Last-Modified',
          'Date',
        ],
      ),
      fc.constantFrom('{S}', '*', '1', 'Vitrine; hit; ttl=9', 'max-age=9', 'gzip', '"x"', 'x-lang', 'no-store'),
    ),
  },
  {
    weight: 2,
    arbitrary: field('Connection', [
      ...[
        'keep-alive',
        'x-lang',
        'cookie, authorization',
        'if-none-match, range',
        'host',
        'x-target',
        'cache-control',
        ',,',
        'TE',
      ],
      ...['x-forwarded-host, accept-language', 'keep-alive, x-lang', '{S}', 'content-length', 'te', 'X-LANG', '\xe9'],
    ]),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom(
        'TE',
        'Trailer',
        'Upgrade',
        'Keep-Alive',
        'Proxy-Connection',
        'HTTP2-Settings',
        'Proxy-Authorization',
      ),
      fc.constantFrom('trailers', 'x-lang', 'h2c', 'timeout=5', 'keep-alive', '{S}', 'chunked', ''),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom(
        ...[
          '__proto__',
          'constructor',
          'toString',
          'x_under',
          '0',
          "!#$%&'*+.^`|~",
          'X-Long',
          'User-Agent',
          'Referer',
          'Origin',
        ],
        ...[
          'traceparent',
          'X-Request-Id',
          'Request-Id',
          'From',
          'DNT',
          'Sec-Fetch-Site',
          'HX-Request',
          'Content-Type',
          'x-target',
        ],
      ),
      anyValue,
    ),
  },
)

const hosts = fc.oneof(
  { weight: 12, arbitrary: fc.constant('a.example') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[
        'A.EXAMPLE',
        'a.example:80',
        'b.example',
        'evil.example',
        'a.example.',
        '',
        '127.0.0.1',
        'a.example/x?',
        'a.example {S}',
      ],
      ...['{S}.example', '["/own/query",{}] /own/query', 'a.example\xe9', 'a.example, b.example', '__proto__'],
    ),
  },
)
const methods = fc.oneof(
  { weight: 16, arbitrary: fc.constant('GET') },
  { weight: 2, arbitrary: fc.constant('HEAD') },
  { weight: 1, arbitrary: fc.constantFrom('POST', 'DELETE') },
)
const payloads = fc.oneof(
  { weight: 16, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<{ header: readonly [string, string]; payload: string }>(
      { header: ['Content-Length', '0'], payload: '' },
      { header: ['Content-Length', '26'], payload: 'GET /own/query HTTP/1.1\r\n\r' },
      { header: ['Transfer-Encoding', 'chunked'], payload: '0\r\n\r\n' },
      { header: ['Transfer-Encoding', 'chunked'], payload: '5;a=b\r\nhello\r\n0\r\n\r\n' },
    ),
  },
)
const shape: fc.Arbitrary<HostileRequest> = fc
  .record({ method: methods, target, host: hosts, headers: fc.array(header, { maxLength: 8 }), body: payloads })
  .map(({ method, target, host, headers, body }) => ({
    method,
    target,
    headers: [['Host', host], ...(body === undefined ? [] : [body.header]), ...headers] as const,
    payload: body?.payload,
  }))
/** Similar requests, so that later ones may match responses stored for earlier ones. */
export const hostileBatch = fc.record({
  shapes: fc
    .tuple(fc.array(shape, { minLength: 2, maxLength: 5 }), fc.infiniteStream(fc.tuple(fc.nat(), fc.boolean(), header)))
    .map(([basis, changes]) => {
      const shapes: HostileRequest[] = []
      for (const [at, isChanged, more] of changes) {
        if (shapes.length === requestsInBatch) break
        const base = basis[at % basis.length] as HostileRequest // the remainder is less than the length
        shapes.push(isChanged ? { ...base, headers: [...base.headers, more] } : base)
      }
      return shapes
    }),
  isConcurrent: fc.boolean(),
  overSockets: fc.boolean(),
  seconds: fc.constantFrom(0, 0, 0, 1, 5, 31, 61),
})
