import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import t from 'tap'
import edge, { type EdgeOptions, type EdgeRouteOptions } from '../../../plugins/edge/index.js'
import { pluginRules, routeRules } from '../../../plugins/edge/options.js'
import type { ClientRequest } from '../../harness/clients/answers.js'
import { createHandler, type EdgeHandler } from '../../harness/clients/edge-handlers.js'
import { credentialCookies, type EdgePlugin, edgePlugins } from '../../harness/clients/edge-plugins.js'
import { commonHeaders } from '../../harness/clients/requests.js'
import type { World } from '../../harness/clients/run.js'
import { compareClients, type Expected, eachHeader } from '../../harness/clients/table.js'

// One client asks, then another one: the second gets what it would have got from an empty cache. The handler answers with everything
// that it can read of the request.

interface Setup {
  /** Options of the route. */
  readonly route?: EdgeRouteOptions
  /** Options of the registration. */
  readonly plugin?: EdgeOptions
  readonly server?: FastifyServerOptions
  readonly schema?: object
  readonly handler?: Partial<EdgeHandler>
  readonly before?: (app: FastifyInstance) => unknown
  readonly after?: (app: FastifyInstance) => unknown
}

function buildWith(setup: Setup) {
  return async ({ now, isDown, ...bounds }: World): Promise<FastifyInstance> => {
    const app = Fastify(setup.server)
    await setup.before?.(app)
    await app.register(edge, { ttlSeconds: 60, now, ...setup.plugin, ...bounds })
    await setup.after?.(app)
    const handler = { kind: 'returns', negotiates: false, fields: {}, readsIdentity: false, isLong: false } as const
    const { route = {}, schema = {} } = setup
    for (const url of ['/x', '/x/:id', '/w/*']) {
      const context = {
        label: url,
        handler: { ...handler, ...setup.handler },
        unread: [...(route.unkeyedHeaders ?? [])],
        isDown,
      }
      app.get(url, { config: { edge: route }, schema }, createHandler(context))
    }
    await app.ready()
    return app
  }
}

const sessions = await credentialCookies()
const headers = (fields: Record<string, string>): Partial<ClientRequest> => ({ headers: fields })
const [eu, us] = [headers({ 'x-region': 'eu' }), headers({ 'x-region': 'us' })]
const [alice, bob] = [headers({ cookie: 'user=alice' }), headers({ cookie: 'user=bob' })]
const upper = { name: 'x-region', normalise: (value: string | undefined) => value?.toUpperCase() }

interface OptionRow extends Setup {
  readonly first?: Partial<ClientRequest>
  readonly second?: Partial<ClientRequest>
  readonly gapSeconds?: number
  readonly isDown?: boolean
  readonly isConcurrent?: boolean
  readonly expected: Expected
}

/** For each option, of a route or of the registration, what the second client gets. */
const options: Readonly<Record<string, readonly OptionRow[]>> = {
  ttlSeconds: [
    { route: { ttlSeconds: 30 }, first: eu, second: us, gapSeconds: 29, expected: 'hit' },
    { route: { ttlSeconds: 30 }, first: eu, second: us, gapSeconds: 31, expected: 'miss' },
    { route: { ttlSeconds: 0 }, first: eu, second: us, expected: 'miss' },
  ],
  staleWhileRevalidateSeconds: [
    { route: { staleWhileRevalidateSeconds: 60 }, first: eu, second: us, gapSeconds: 70, expected: 'stale' },
    { route: { staleWhileRevalidateSeconds: 60 }, first: eu, second: alice, gapSeconds: 70, expected: 'bypass' },
    { plugin: { staleWhileRevalidateSeconds: 60 }, first: eu, second: us, gapSeconds: 130, expected: 'miss' },
  ],
  staleIfErrorSeconds: [
    { route: { staleIfErrorSeconds: 60 }, first: eu, second: us, gapSeconds: 70, isDown: true, expected: 'any' },
    { route: { staleIfErrorSeconds: 60 }, first: eu, second: alice, gapSeconds: 70, isDown: true, expected: 'bypass' },
  ],
  staleTtlSeconds: [
    { route: { staleTtlSeconds: 60 }, first: eu, second: us, expected: 'hit' },
    { route: { staleTtlSeconds: 60 }, first: eu, second: alice, gapSeconds: 31, expected: 'bypass' },
  ],
  browserTtlSeconds: [{ route: { browserTtlSeconds: 0 }, first: eu, second: us, expected: 'hit' }],
  compress: [true, false].map((compress) => ({
    route: { compress },
    handler: { isLong: true },
    first: headers({ 'accept-encoding': 'br' }),
    second: headers({ 'accept-encoding': 'gzip;q=0' }),
    expected: 'hit' as const,
  })),
  maxBodyBytes: [{ route: { maxBodyBytes: 10 }, first: eu, second: us, expected: 'miss' }],
  maxVariants: [{ route: { maxVariants: 1, vary: ['x-region'] }, first: eu, second: us, expected: 'miss' }],
  tags: [
    { route: { tags: ['a'] }, first: eu, second: us, expected: 'hit' },
    { route: { tags: ({ headers }) => [`region:${headers['x-region']}`] }, first: eu, second: us, expected: 'hit' },
    {
      route: { tags: ({ headers }) => [`region:${headers['x-region']}`], vary: ['x-region'] },
      first: eu,
      second: us,
      expected: 'miss',
    },
  ],
  vary: [
    { route: { vary: ['X-Region'] }, first: eu, second: us, expected: 'miss' },
    { route: { vary: ['X-Region'] }, first: eu, second: eu, expected: 'hit' },
    { route: { vary: ['X-Region'] }, first: eu, second: headers({ 'x-region': '' }), expected: 'miss' },
    { route: { vary: ['X-Region'] }, first: headers({ 'x-region': '' }), expected: 'miss' },
    { route: { vary: [upper] }, first: eu, second: headers({ 'x-region': 'EU' }), expected: 'hit' },
    { route: { vary: [upper] }, first: eu, second: us, isConcurrent: true, expected: 'miss' },
  ],
  unkeyedHeaders: [{ route: { unkeyedHeaders: ['x-region'] }, first: eu, second: us, expected: 'hit' }],
  bypass: [
    { route: { bypass: ({ headers }) => headers['x-region'] }, first: eu, expected: 'miss' },
    { route: { bypass: ({ headers }) => headers['x-region'] }, second: eu, expected: 'bypass' },
    { route: { bypass: ({ headers }) => headers['x-region'] }, second: eu, isConcurrent: true, expected: 'bypass' },
  ],
  ignoreCredentials: [
    { route: {}, first: alice, second: bob, expected: 'bypass' },
    { route: {}, first: alice, expected: 'miss' },
    { route: {}, second: alice, expected: 'bypass' },
    { route: {}, second: alice, isConcurrent: true, expected: 'bypass' },
    { route: { ignoreCredentials: true }, first: alice, second: bob, expected: 'hit' },
    { route: { ignoreCredentials: true }, first: alice, second: bob, isConcurrent: true, expected: 'collapsed' },
  ],
  maskedProperties: [
    {
      route: { ignoreCredentials: true, maskedProperties: ['session', 'user', 'cookies'] },
      before: edgePlugins.jwt,
      handler: { readsIdentity: true },
      first: headers({ cookie: sessions[0] ?? '' }),
      second: headers({ cookie: sessions[3] ?? '' }),
      expected: 'hit',
    },
  ],
  unkeyedProperties: [
    { server: { requestIdHeader: 'x-request-id' }, first: headers({ 'x-request-id': 'client-id-a' }), expected: 'hit' },
    {
      route: { unkeyedProperties: ['id'] },
      first: headers({ 'x-request-id': 'client-id-a' }),
      second: headers({ 'x-request-id': 'client-id-b' }),
      expected: 'hit',
    },
  ],
  maxTagHeaderBytes: [
    { plugin: { maxTagHeaderBytes: 256 }, route: { tags: ['a'] }, first: eu, second: us, expected: 'hit' },
  ],
  acknowledgeSkippedHooks: [true, false].map((acknowledgeSkippedHooks) => ({
    route: { acknowledgeSkippedHooks },
    after: (app) => app.addHook('preHandler', async () => undefined),
    first: eu,
    second: us,
    expected: 'hit' as const,
  })),
  name: [{ plugin: { name: 'Vitrine' }, first: eu, second: us, expected: 'hit' }],
  tagHeader: [{ plugin: { tagHeader: false }, route: { tags: ['a'] }, first: eu, second: us, expected: 'hit' }],
  maxMemoryBytes: [{ plugin: { maxMemoryBytes: 2 ** 20 }, first: eu, second: us, expected: 'hit' }],
  collapseTimeoutMs: [
    { plugin: { collapseTimeoutMs: 60_000 }, first: eu, second: us, isConcurrent: true, expected: 'collapsed' },
  ],
  now: [{ first: eu, second: us, expected: 'hit' }],
}

t.test('every option has a row', async (t) => {
  const names = [...new Set([...Object.keys(routeRules), ...Object.keys(pluginRules)])]
  t.ok(names.length > 15, 'options are found')
  t.strictSame(
    names.filter((name) => (options[name] ?? []).length === 0),
    [],
  )
})

for (const [name, rows] of Object.entries(options)) {
  t.test(`the second client gets its own answer with the option ${name}`, async (t) => {
    for (const { first = {}, second = {}, gapSeconds = 0, isDown = false, isConcurrent = false, ...row } of rows) {
      const { expected, ...setup } = row
      const title = JSON.stringify({ ...setup, first, second, gapSeconds, isDown, isConcurrent })
      await compareClients(t, buildWith(setup), [{ title, first, second, expected, gapSeconds, isDown, isConcurrent }])
    }
  })
}

const cookies = ['user=alice', 'theme=dark; user=bob', '']

/** What the second client gets where one of the requests has the field. */
function expectedFor(name: string, value: string, isSent: boolean): Expected {
  if (name === 'upgrade') return 'any'
  if (name === 'cookie' || name === 'authorization') return isSent ? 'bypass' : 'miss'
  // The key of a route without a query schema has the host.
  return name === 'host' && value !== 'localhost:80' ? 'miss' : 'hit'
}

t.test('a request field of one client makes no difference to another', async (t) => {
  const rows = eachHeader({ ...commonHeaders, cookie: cookies }).map(({ name, value, ...row }) => ({
    ...row,
    expected: expectedFor(name, value, name in row.second.headers),
  }))
  t.ok(rows.length > 100)
  await compareClients(t, buildWith({}), rows)
})

t.test('a request field by which the handler negotiates selects the response', async (t) => {
  const { accept, 'accept-language': language } = commonHeaders
  const rows = eachHeader({ accept, 'accept-language': language }).map((row) => ({ ...row, expected: 'miss' as const }))
  await compareClients(t, buildWith({ handler: { negotiates: true } }), rows)
})

t.test('credentials that the route ignores make no difference', async (t) => {
  const pools = { cookie: [...cookies, ...sessions], authorization: commonHeaders.authorization }
  const rows = eachHeader(pools).map((row) => ({ ...row, expected: 'hit' as const }))
  await compareClients(t, buildWith({ route: { ignoreCredentials: true } }), rows)
})

const properties = {
  page: { type: 'integer' },
  q: { type: 'string' },
  tag: { type: 'array', items: { type: 'string' } },
}
const listed = { querystring: { type: 'object', properties } }

t.test('queries share a response exactly where the schema gives them the same values', async (t) => {
  const cases = [
    ['page=1', 'page=1', 'hit', 'hit'],
    ['page=1', 'page=2', 'miss', 'miss'],
    ['page=1', 'page=01', 'hit', 'miss'],
    ['page=1', 'page=1.0', 'hit', 'miss'],
    ['page=1', 'page=%31', 'hit', 'miss'],
    ['page=1', '%70age=1', 'hit', 'miss'],
    ['page=1', 'Page=1', 'miss', 'miss'],
    ['page=1', 'page=1&page=2', 'any', 'miss'],
    ['page=1&q=a', 'q=a&page=1', 'hit', 'miss'],
    ['q=a', 'q=A', 'miss', 'miss'],
    ['q=a', 'q=%61', 'hit', 'miss'],
    ['q=a%20b', 'q=a+b', 'hit', 'miss'],
    ['q=', 'q', 'hit', 'miss'],
    ['q=', '', 'miss', 'miss'],
    ['q=a', 'q=a&utm_source=b', 'hit', 'miss'],
    ['utm_source=a', 'utm_source=b', 'hit', 'miss'],
    ['tag=a', 'tag=a&tag=b', 'miss', 'miss'],
    ['tag=a&tag=b', 'tag=b&tag=a', 'miss', 'miss'],
    ['tag=a,b', 'tag=a&tag=b', 'miss', 'miss'],
    ['tag[]=a', 'tag=a', 'miss', 'miss'],
    ['q=a', 'q=a&__proto__=1', 'hit', 'miss'],
    ['q=a', 'q=a&constructor=1', 'hit', 'miss'],
    ['q=a', 'q=a&x-region=eu', 'hit', 'miss'],
    ['page=1', 'page=bad', 'refused', 'miss'],
  ] as const
  const rows = cases.map(([first, second, withSchema, without]) => ({
    title: `?${first}, then ?${second}`,
    first: { target: `/x?${first}` },
    second: { target: `/x?${second}` },
    withSchema,
    without,
  }))
  await compareClients(
    t,
    buildWith({ schema: listed }),
    rows.map((row) => ({ ...row, expected: row.withSchema })),
  )
  await compareClients(
    t,
    buildWith({}),
    rows.map((row) => ({ ...row, expected: row.without })),
  )
})

t.test('paths share a response only where they are the same text', async (t) => {
  const paths = [
    '/x',
    '/x/',
    '/X',
    '/%78',
    '/x/1',
    '/x/%31',
    '/x/1.css',
    '/x/1;a',
    '/x/1%2Fa',
    '/w/a',
    '/w/a/',
    '/w/%61',
  ]
  const lenient = { routerOptions: { ignoreTrailingSlash: true, caseSensitive: false } }
  const pairs = paths.flatMap((one) => paths.map((other) => [one, other] as const))
  const rows = pairs.map(([first, second]) => ({
    title: `${first}, then ${second}`,
    first: { target: first },
    second: { target: second },
    isSame: first === second,
  }))
  for (const schema of [{}, listed]) {
    await compareClients(
      t,
      buildWith({ server: lenient, schema }),
      rows.map(({ isSame, ...row }) => ({ ...row, expected: isSame ? 'hit' : 'miss' })),
    )
    await compareClients(
      t,
      buildWith({ schema }),
      rows.map((row) => ({ ...row, expected: 'any' })), // some are not found
    )
  }
})

t.test('HEAD is answered from a stored GET, and GET never from HEAD', async (t) => {
  const head = { method: 'HEAD' } as const
  await compareClients(t, buildWith({}), [
    { title: 'GET, HEAD', second: head, expected: 'hit' },
    { title: 'HEAD, GET', first: head, expected: 'miss' },
  ])
})

const clients: readonly Partial<ClientRequest>[] = [
  {},
  headers({ 'x-client': 'a' }),
  headers({ 'x-office': 'no' }),
  headers({ origin: 'https://a.example' }),
  headers({ origin: 'https://evil.example' }),
  headers({ authorization: 'Bearer key-alice' }),
  headers({ 'accept-encoding': 'gzip' }),
  ...sessions.map((cookie) => headers({ cookie })),
]
/** The first client has an account, or is a visitor. */
const firstClients = [
  {},
  headers({ 'x-client': 'b' }),
  headers({ authorization: 'Bearer key-bob' }),
  ...sessions.slice(0, 3).map((cookie) => headers({ cookie })),
]
const rowsOfClients = firstClients.flatMap((first: Partial<ClientRequest>) =>
  clients.map((second) => ({
    title: `${JSON.stringify(first.headers)}, then ${JSON.stringify(second.headers)}`,
    first,
    second,
    expected: 'any' as const,
  })),
)

for (const name of Object.keys(edgePlugins) as EdgePlugin[]) {
  t.test(`with ${name}, before the edge or after it, the second client gets its own answer`, async (t) => {
    for (const place of ['before', 'after'] as const) {
      for (const route of [{}, { ignoreCredentials: true }]) {
        const handler = { readsIdentity: true, isLong: name === 'compress' }
        await compareClients(t, buildWith({ route, handler, [place]: edgePlugins[name] }), rowsOfClients)
      }
    }
  })
}
