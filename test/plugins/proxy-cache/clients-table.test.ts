import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import t from 'tap'
import proxyCache, { type ProxyCacheOptions, type ProxyCacheRouteOptions } from '../../../plugins/proxy-cache/index.js'
import { pluginRules, routeRules } from '../../../plugins/proxy-cache/options.js'
import type { ClientRequest } from '../../harness/clients/answers.js'
import { commonHeaders } from '../../harness/clients/requests.js'
import type { World } from '../../harness/clients/run.js'
import { compareClients, type Expected, eachHeader } from '../../harness/clients/table.js'

// One client asks, then another one: the second gets what it would have got from an empty cache. The origin answers with the fields
// that its response names in `Vary`.

interface Setup {
  /** Options of the route. */
  readonly route?: ProxyCacheRouteOptions
  /** Options of the registration. */
  readonly plugin?: ProxyCacheOptions
  /** Fields of the response, in addition to `Vary`. */
  readonly fields?: Readonly<Record<string, string>>
  /** Request fields that it depends on. */
  readonly vary?: readonly string[]
  /** Those of them that it does not name. */
  readonly unnamed?: readonly string[]
}

function buildWith({ route = {}, plugin, fields = { 'cache-control': 'max-age=60' }, ...origin }: Setup) {
  const { vary = [], unnamed = [] } = origin
  return async ({ now, isDown, ...bounds }: World): Promise<FastifyInstance> => {
    const app = Fastify()
    await app.register(proxyCache, { now, ...plugin, ...bounds })
    const handler = async ({ url, headers }: FastifyRequest, reply: FastifyReply) => {
      if (isDown()) return reply.code(503).send('down')
      if (vary.length > 0) reply.header('vary', vary.join(', '))
      return reply.headers(fields).send({ url, seen: [...vary, ...unnamed].map((name) => headers[name] ?? null) })
    }
    for (const url of ['/x', '/x/:id', '/w/*']) app.get(url, { config: { proxyCache: route } }, handler)
    await app.ready()
    return app
  }
}

const headers = (fields: Record<string, string>): Partial<ClientRequest> => ({ headers: fields })
const [eu, us] = [headers({ 'x-region': 'eu' }), headers({ 'x-region': 'us' })]
const upper = { name: 'x-region', normalise: (value: string | undefined) => value?.toUpperCase() }
const [alice, bob] = [headers({ cookie: 'user=alice' }), headers({ cookie: 'user=bob' })]

interface OptionRow extends Setup {
  readonly first?: Partial<ClientRequest>
  readonly second?: Partial<ClientRequest>
  readonly gapSeconds?: number
  readonly isDown?: boolean
  readonly isConcurrent?: boolean
  readonly expected: Expected
}

const silent = { 'x-origin': 'states nothing' }
const revalidated = { 'cache-control': 's-maxage=60, stale-while-revalidate=60' }
const modified = { 'last-modified': 'Mon, 09 Mar 2026 12:00:00 GMT' }

/** For each option, of a route or of the registration, what the second client gets. */
const options: Readonly<Record<string, readonly OptionRow[]>> = {
  ttlSeconds: [
    { route: { ttlSeconds: 30 }, fields: silent, first: eu, second: us, gapSeconds: 29, expected: 'hit' },
    { route: { ttlSeconds: 30 }, fields: silent, unnamed: ['cookie'], first: alice, second: bob, expected: 'miss' },
    { route: { ttlSeconds: 30 }, fields: silent, unnamed: ['cookie'], first: alice, expected: 'miss' },
    { fields: silent, first: eu, second: us, expected: 'miss' },
  ],
  heuristicFraction: [{ route: { heuristicFraction: 0.1 }, fields: modified, first: eu, second: us, expected: 'hit' }],
  staleWhileRevalidateSeconds: [
    { route: { staleWhileRevalidateSeconds: 60 }, first: eu, second: us, gapSeconds: 70, expected: 'stale' },
    {
      route: { staleWhileRevalidateSeconds: 60 },
      vary: ['x-region'],
      first: eu,
      second: us,
      gapSeconds: 70,
      expected: 'miss',
    },
  ],
  staleWithSMaxage: [
    {
      route: { staleWithSMaxage: true },
      fields: revalidated,
      first: eu,
      second: us,
      gapSeconds: 70,
      expected: 'stale',
    },
    { fields: revalidated, first: eu, second: us, gapSeconds: 70, expected: 'miss' },
    {
      route: { staleWithSMaxage: true },
      fields: revalidated,
      vary: ['x-region'],
      first: eu,
      second: us,
      gapSeconds: 70,
      expected: 'miss',
    },
  ],
  staleIfErrorSeconds: [
    { route: { staleIfErrorSeconds: 60 }, first: eu, second: us, gapSeconds: 70, isDown: true, expected: 'any' },
  ],
  honorRequestCacheControl: [
    { route: { honorRequestCacheControl: false }, second: headers({ 'cache-control': 'no-cache' }), expected: 'hit' },
    { second: headers({ 'cache-control': 'no-cache' }), expected: 'bypass' },
  ],
  maxBodyBytes: [{ route: { maxBodyBytes: 5 }, first: eu, second: us, expected: 'miss' }],
  maxVariants: [{ route: { maxVariants: 1 }, vary: ['x-region'], first: eu, second: us, expected: 'miss' }],
  shared: [{ plugin: { shared: true }, vary: ['x-region'], first: eu, second: us, expected: 'miss' }],
  tags: [
    { route: { tags: ['a'] }, first: eu, second: us, expected: 'hit' },
    { route: { tags: ({ url }) => [`path:${url.length}`] }, first: eu, second: us, expected: 'hit' },
  ],
  vary: [
    { route: { vary: ['X-Region'] }, unnamed: ['x-region'], first: eu, second: us, expected: 'miss' },
    { route: { vary: [upper] }, unnamed: ['x-region'], first: eu, second: us, expected: 'miss' },
    {
      route: { vary: [upper] },
      unnamed: ['x-region'],
      first: eu,
      second: headers({ 'x-region': 'EU' }),
      expected: 'hit',
    },
  ],
  bypass: [{ route: { bypass: ({ headers }) => headers['x-region'] }, second: eu, expected: 'bypass' }],
  acknowledgeSkippedHooks: [{ route: { acknowledgeSkippedHooks: true }, first: eu, second: us, expected: 'hit' }],
  name: [{ plugin: { name: 'Vitrine' }, first: eu, second: us, expected: 'hit' }],
  tagHeader: [{ plugin: { tagHeader: 'Cache-Tag' }, route: { tags: ['a'] }, first: eu, second: us, expected: 'hit' }],
  maxTagHeaderBytes: [{ plugin: { maxTagHeaderBytes: 256 }, first: eu, second: us, expected: 'hit' }],
  maxMemoryBytes: [{ plugin: { maxMemoryBytes: 2 ** 20 }, first: eu, second: us, expected: 'hit' }],
  collapseTimeoutMs: [{ vary: ['x-region'], first: eu, second: us, isConcurrent: true, expected: 'miss' }],
  now: [{ first: eu, second: us, expected: 'hit' }],
}

t.test('every option has a row', async (t) => {
  const names = [...new Set([...Object.keys(routeRules), ...Object.keys(pluginRules)])]
  t.ok(names.length > 12, 'options are found')
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

const pools = { ...commonHeaders, cookie: ['user=alice', 'theme=dark; user=bob', ''] }

t.test('a request field that the response names in Vary selects it, and no other client gets it', async (t) => {
  for (const [name, values] of Object.entries(pools)) {
    if (/^(?:range|if-)/.test(name)) continue // no origin answers them with 200 and another representation
    const rows = eachHeader({ [name]: values }).map((row) => ({ ...row, expected: 'any' as const }))
    const pairs = values.flatMap((one) =>
      values.map((other) => ({
        title: `${name}: ${one.slice(0, 60)}, then ${other.slice(0, 60)}`,
        first: headers({ [name]: one }),
        second: headers({ [name]: other }),
        expected: 'any' as const,
      })),
    )
    await compareClients(t, buildWith({ vary: [name] }), [...rows, ...pairs])
  }
})

t.test('a response that depends on no field of its request is for all clients without credentials', async (t) => {
  const bypassing = /^(?:x-http-method-override|x-original-url|x-rewrite-url)$/
  const keyed = /^(?:host|forwarded|x-forwarded-(?:host|proto|port|prefix))$/
  const conditional = /^(?:range|if-.*|cache-control|pragma|connection|authorization|upgrade)$/
  const rows = eachHeader(pools)
    .filter(({ name }) => !bypassing.test(name) && !keyed.test(name) && !conditional.test(name))
    .map((row) => ({ ...row, expected: 'hit' as const }))
  t.ok(rows.length > 50)
  await compareClients(t, buildWith({}), rows)
})

t.test('the response to a request with Authorization is stored only if it says that it is for all', async (t) => {
  const anna = headers({ authorization: 'Bearer anna' })
  for (const [control, expected] of [
    ['max-age=60', 'miss'],
    ['private, max-age=60', 'miss'],
    ['public, max-age=60', 'hit'],
  ] as const) {
    const unnamed = control.startsWith('public') ? [] : ['authorization']
    const build = buildWith({ fields: { 'cache-control': control }, unnamed })
    await compareClients(t, build, [{ title: control, first: anna, expected }])
  }
})
