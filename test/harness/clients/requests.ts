import fc from 'fast-check'
import type { ClientRequest } from './answers.js'

// Pairs of requests that often have the same key: the second is the first with a few changes.

/** Two clients ask the same application. */
export interface Pair {
  readonly first: ClientRequest
  readonly second: ClientRequest
  /** Seconds between them. */
  readonly gapSeconds: number
  /** Whether both are in flight at the same time. */
  readonly isConcurrent: boolean
  /** Whether the handler fails at the second request. */
  readonly isDown: boolean
}

type Line = readonly [name: string, value: string]

/** Values of request fields by name. Values that differ in spelling only are there to be confused. */
export interface RequestPools {
  readonly paths: readonly string[]
  readonly parameters: readonly string[]
  readonly headers: Readonly<Record<string, readonly string[]>>
}

export const commonHeaders = {
  'x-tenant': ['acme', 'acme,', 'Acme', ' acme', ''],
  'x-region': ['eu', 'EU', 'us'],
  accept: ['text/html', 'application/json', 'text/html,', 'text/html ,application/json'],
  'accept-language': ['fr', 'en', 'fr, en', 'fr,en', 'fr;q=0.5', ''],
  'accept-encoding': ['gzip', 'br', 'br, gzip', 'identity', 'gzip;q=0'],
  authorization: ['Bearer key-alice', 'Bearer key-bob', 'Basic YTpi', ''],
  origin: ['https://a.example', 'https://b.example', 'https://a.example,'],
  host: ['a.example', 'b.example', 'A.EXAMPLE', '["/x",{"version":"1.0.0"}]'],
  'accept-version': ['1.0.0', '2.0.0', '1.x'],
  'x-forwarded-for': ['203.0.113.1', '203.0.113.2, 127.0.0.1'],
  'x-forwarded-host': ['evil.example', 'a.example'],
  'x-forwarded-proto': ['https', 'http'],
  'x-forwarded-port': ['444'],
  'x-forwarded-prefix': ['/evil'],
  forwarded: ['for=203.0.113.1;host=evil.example;proto=https'],
  'x-http-method-override': ['POST', 'DELETE'],
  'x-original-url': ['/x/2', '/admin'],
  'x-rewrite-url': ['/x/2'],
  traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  'x-request-id': ['client-id-a', 'client-id-b'],
  'hx-request': ['true', 'false'],
  'x-office': ['no', 'yes'],
  'x-preview': ['1'],
  'x-client': ['a', 'b'],
  'x-page': ['1', '2', '01'],
  'user-agent': ['one', 'two'],
  referer: ['https://a.example/secret'],
  via: ['1.1 proxy'],
  'x-long': ['l'.repeat(8_192)],
  'content-type': ['application/json'],
  constructor: ['1'],
  range: ['bytes=0-3', 'bytes=5-', 'bytes=999999-'],
  'if-none-match': ['*', '"none"'],
  'if-modified-since': ['Tue, 10 Mar 2026 12:00:00 GMT'],
  'if-range': ['"none"'],
  'cache-control': ['no-cache', 'max-age=0', 'no-store', 'max-stale'],
  pragma: ['no-cache'],
  connection: ['close', 'x-tenant', 'accept-language'],
  upgrade: ['websocket'],
} as const

export const commonPaths = [
  ...[
    '/x',
    '/x',
    '/x',
    '/x',
    '/x',
    '/x',
    '/x',
    '/x/1',
    '/x/2',
    '/x/1',
    '/x/1',
    '/x/',
    '/X',
    '/%78',
    '/x/%31',
    '/x/1.css',
    '/x/1%2Fa',
    '/x/1;a',
  ],
  ...['/w/a', '/w/a/b', '/w/a.css', '/w/%61', '/w/a;b', '/w/a%2Fb', '/t/a/x', '/t/b/x', '/t/a/w/a', '/missing'],
]

export const commonParameters = [
  ...['page=1', 'page=1', 'page=2', 'page=01', 'page=0x1', 'page=1.0', 'page=%31', 'page=', 'page=bad', 'Page=9'],
  ...['tag=a', 'tag=b', 'tag=a,b', 'tag[]=a', 'tag=a&tag=b', 'q=a', 'q=A', 'q=%61', 'q=a+', 'q=a%20', 'q=%zz', 'q'],
  ...['utm_source=a', 'utm_source=b', '__proto__=1', 'constructor=1', 'fail=1', 'gone=1', 'x-tenant=acme'],
]

/** Requests that are often of one key. */
export function arbitraryPair({ paths, parameters, headers }: RequestPools): fc.Arbitrary<Pair> {
  const lines = Object.entries(headers).flatMap(([name, values]) => values.map((value): Line => [name, value]))
  const line = fc.constantFrom(...lines)
  const path = fc.constantFrom(...paths)
  const query = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 4, arbitrary: fc.array(fc.constantFrom(...parameters), { minLength: 1, maxLength: 3 }) },
  )
  const method = fc.constantFrom<'GET' | 'HEAD'>('GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'HEAD')
  const first = fc
    .record({ method, path, query, lines: fc.array(line, { maxLength: 2 }) })
    .map(({ lines, ...target }) => ({ ...target, headers: new Map(lines) }))
  const change = fc.oneof(
    { weight: 8, arbitrary: line.map((one) => ({ line: one })) },
    { weight: 2, arbitrary: fc.constantFrom(...Object.keys(headers)).map((name) => ({ without: name })) },
    { weight: 1, arbitrary: query.map((other) => ({ query: other })) },
    { weight: 1, arbitrary: path.map((other) => ({ path: other })) },
    { weight: 1, arbitrary: method.map((other) => ({ method: other })) },
  )
  return fc
    .record({
      first,
      changes: fc.array(change, { maxLength: 3 }),
      gapSeconds: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 12, 35, 100),
      isConcurrent: fc.constantFrom(false, false, false, false, true),
      isDown: fc.constantFrom(false, false, false, false, false, false, true),
    })
    .map(({ first, changes, ...how }) => {
      const second = changes.reduce(changed, { ...first, headers: new Map(first.headers) })
      return { ...how, first: toRequest(first), second: toRequest(second) }
    })
}

interface Draft {
  readonly method: 'GET' | 'HEAD'
  readonly path: string
  readonly query: readonly string[]
  readonly headers: ReadonlyMap<string, string>
}

interface DraftChange extends Partial<Omit<Draft, 'headers'>> {
  readonly line?: Line
  readonly without?: string
}

function changed(draft: Draft, { line, without, ...others }: DraftChange): Draft {
  const headers = new Map(draft.headers)
  if (line !== undefined) headers.set(...line)
  if (without !== undefined) headers.delete(without)
  return { ...draft, ...others, headers }
}

function toRequest({ method, path, query, headers }: Draft): ClientRequest {
  const target = query.length === 0 ? path : `${path}?${query.join('&')}`
  return { method, target, headers: Object.fromEntries(headers) }
}
