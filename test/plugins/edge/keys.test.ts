import fc from 'fast-check'
import Fastify, { type FastifyInstance, type FastifyRequest, type RouteOptions } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import { RouteKeys } from '../../../plugins/edge/key.js'
import { createLogBook } from '../../harness/log.js'
import { connectRaw, listen } from '../../harness/raw-http.js'

// Which requests have one key, and what their handler can see.

const ttl = { ttlSeconds: 60 }
const text = { type: 'string' }

async function start(t: Test, build: (app: FastifyInstance) => unknown) {
  const book = createLogBook()
  const app = Fastify({ logger: { level: 'warn', stream: book.stream } })
  t.teardown(() => app.close())
  await app.register(edge, ttl)
  await build(app)
  const ask = async (url: string, headers: Record<string, string> = {}) => {
    const response = await app.inject({ url, headers })
    return { status: response.statusCode, body: response.body, cacheStatus: String(response.headers['cache-status']) }
  }
  return { app, book, ask }
}

t.test(
  'a query schema by reference or alternatives is the key, and unknown parameters make no difference',
  async (t) => {
    const listing = { type: 'object', properties: { page: { type: 'integer' } } }
    for (const querystring of [
      { $ref: 'listing#' },
      { type: 'object', allOf: [listing, { type: 'object', properties: { name: text } }] },
      { type: 'object', properties: listing.properties, if: { required: ['name'] }, else: { maxProperties: 9 } },
      { type: ['object', 'null'], properties: listing.properties },
    ]) {
      const { ask, book } = await start(t, (app) => {
        app.get('/x', { schema: { querystring }, config: { edge: {} } }, async ({ query }) => query)
        app.addSchema({ $id: 'listing', ...listing }) // as late as Fastify allows
      })
      t.match(await ask('/x?page=2&utm_source=a'), { body: '{"page":2}', cacheStatus: /stored/ })
      t.match(
        await ask('/x?utm_source=b&page=02'),
        { body: '{"page":2}', cacheStatus: /hit/ },
        JSON.stringify(querystring),
      )
      t.strictSame(book.at(40), [])
    }
  },
)

t.test('the complete URI is the key where a schema describes parameters that it does not name', async (t) => {
  const { ask, book } = await start(t, (app) => {
    const querystring = { type: 'object', properties: { page: text }, additionalProperties: text }
    app.get('/x', { schema: { querystring }, config: { edge: {} } }, async ({ query }) => query)
  })
  t.match(await ask('/x?page=2&other=a'), { body: '{"page":"2","other":"a"}', cacheStatus: /stored/ })
  t.match(await ask('/x?page=2&other=b'), { body: '{"page":"2","other":"b"}', cacheStatus: /stored/ })
  t.match(book.at(40), [{ kind: 'edge', url: '/x', msg: /complete URI.*additionalProperties/ }])
  t.equal(book.at(40).length, 1)
})

t.test('an asynchronous query schema fails no process, and the complete URI is the key', async (t) => {
  for (const isKnown of [true, false]) {
    const { app, ask } = await start(t, (app) => {
      if (!isKnown) {
        const validate = async (data: { page?: string }) => {
          if (data.page === 'bad') throw new Error('bad page')
          return data
        }
        app.setValidatorCompiler(() => validate as never) // the types allow only promises with a mark of theirs
      }
      const querystring = {
        ...(isKnown ? { $async: true } : {}),
        type: 'object',
        properties: { page: { type: 'integer' } },
      }
      app.get('/x', { schema: { querystring }, config: { edge: {} } }, async ({ query }) => query)
    })
    await app.ready()
    for (const cacheStatus of [/stored/, /hit/]) t.match(await ask('/x?page=1'), { status: 200, cacheStatus })
    t.match(await ask('/x?page=bad'), { status: 400 })
  }
})

t.test('a request with unknown parameters that validation refuses is not answered from the cache', async (t) => {
  const app = Fastify({ ajv: { customOptions: { removeAdditional: false } } })
  t.teardown(() => app.close())
  await app.register(edge, ttl)
  const querystring = { type: 'object', properties: { page: text }, additionalProperties: false }
  app.get('/x', { schema: { querystring }, config: { edge: {} } }, async () => 'x')
  for (const [url, status] of [
    ['/x?page=1', 200],
    ['/x?page=1&other=1', 400],
    ['/x?page=1', 200],
    ['/x?page=1&other=1', 400],
  ] as const) {
    t.equal((await app.inject(url)).statusCode, status, url)
  }
})

t.test('no host and no target is the key of another route', async (t) => {
  const { app } = await start(t, (app) => {
    const querystring = { type: 'object', properties: { page: { type: 'integer' } } }
    const constraints = { version: '2.0.0' }
    app.get('/x', { config: { edge: {} } }, async ({ headers }) => `all, ${headers.host}`)
    app.get(
      '/x',
      { constraints, schema: { querystring }, config: { edge: { vary: ['accept-version'] } } },
      async () => '2',
    )
    app.get('/y', { config: { edge: {} } }, async ({ headers }) => `all, ${headers.host}`)
    app.get(
      '/y',
      { constraints, config: { edge: { vary: ['accept-version'] } } },
      async ({ headers }) => `2, ${headers.host}`,
    )
  })
  const connection = await connectRaw(t, await listen(app)) // `inject` would encode the targets
  const request = async (target: string, host: string, version?: string) => {
    const line = version === undefined ? '' : `Accept-Version: ${version}\r\n`
    connection.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${line}\r\n`)
    const { status, body, fields } = await connection.response()
    return { status, body: String(body), cacheStatus: fields['cache-status'] }
  }
  const place = (url: string) => `["${url}",{"version":"2.0.0"}]`
  t.match(await request('/x?[["page",1]]', place('/x')), { body: /^all/, cacheStatus: /stored/ })
  t.match(await request('/x?page=1', 'victim', '2.0.0'), { body: '2', cacheStatus: /stored/ })
  t.match(await request('/y', `${place('/y')} victim`), { body: /^all/, cacheStatus: /stored/ })
  t.match(await request('/y', 'victim', '2.0.0'), { body: '2, victim', cacheStatus: /stored/ })
})

t.test('routes with different constraints have different keys, whatever the constraints are', async (t) => {
  const constraints: object[] = [
    {},
    { host: 'a' },
    { host: '/a/' },
    { host: /a/ },
    { host: /a/i },
    { custom: new Set(['a']) },
    { custom: new Set(['b']) },
    { custom: () => 'a' },
    { custom: Symbol('a') },
    { custom: Number.NaN },
    { custom: null },
  ]
  const raw = { url: '/x', headers: { host: 'a' } }
  const request = { raw, query: {} } as unknown as FastifyRequest // as far as a key reads it
  const schema = { querystring: { type: 'object', properties: {} } }
  const keys = constraints.flatMap((constraint) =>
    [{ schema }, {}].map((options) => {
      const route = { method: 'GET', url: '/x', constraints: constraint, ...options } as RouteOptions // without a handler
      const keysOfRoute = new RouteKeys(route)
      keysOfRoute.complete(() => undefined)
      return keysOfRoute.keyOf(request, true)?.key
    }),
  )
  t.equal(new Set(keys).size, keys.length)
})

/** What a handler can read, except what is the duty of the route. */
function viewOf(request: FastifyRequest): unknown {
  const { raw, headers, query, params, url, originalUrl, host, hostname, port, protocol, mediaType, body } = request
  const { rawHeaders, headersDistinct, trailers, url: rawUrl, headers: ofNode } = raw
  const { version } = request.routeOptions as { version?: string } // which the types do not have
  const node = [rawUrl, ofNode, rawHeaders, headersDistinct, trailers, Reflect.get(raw, 'originalUrl')]
  return [query, headers, params, url, originalUrl, host, hostname, port, protocol, mediaType, body, version, node]
}

/** A keyword that changes the value. */
const normalised = {
  keyword: 'normalised',
  modifying: true,
  validate: (_schema: unknown, text: string, _parent: unknown, { parentData, parentDataProperty }: DataContext) => {
    parentData[parentDataProperty] = text.trim().toLowerCase()
    return true
  },
}
const ajvOptions: object = { coerceTypes: 'array', keywords: [normalised] } // their types require parts that Ajv does not
interface DataContext {
  readonly parentData: Record<string, unknown>
  readonly parentDataProperty: string
}

/** Routes of every kind; the handlers answer what they see. */
async function startViews(t: Test, ttlSeconds: number): Promise<FastifyInstance> {
  const querystring = {
    type: 'object',
    properties: {
      page: { type: 'integer', default: 1 },
      q: { type: 'string', maxLength: 5, normalised: true },
      tag: { type: 'array', items: { type: 'integer' } },
      flag: { type: 'boolean' },
    },
  }
  const app = Fastify({
    trustProxy: true,
    requestIdHeader: 'x-request-id',
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    rewriteUrl: ({ url = '/' }) => url.replace(/^\/t\/\w+/, ''),
    ajv: { customOptions: ajvOptions },
  })
  t.teardown(() => app.close())
  await app.register(edge, { ttlSeconds, maxVariants: 100 })
  const handler = async (request: FastifyRequest) => JSON.stringify(viewOf(request))
  for (const preHandler of [undefined, async () => undefined]) {
    for (const version of [undefined, '1.0.0']) {
      for (const url of ['/a/:id', '/w/*', '/a/b']) {
        const options = {
          config: { edge: { vary: version === undefined ? [] : ['accept-version'] } },
          ...(version === undefined ? {} : { constraints: { version } }),
          ...(preHandler && { preHandler }),
        }
        const base = preHandler === undefined ? '' : '/late'
        app.get(`${base}${url}`, { ...options, schema: { querystring } }, handler)
        app.get(`${base}/plain${url}`, options, handler)
      }
    }
  }
  await app.ready()
  return app
}

const ends = ['/a/1', '/A/1', '/a/b', '/a/B', '/a/%62', '/a//b', '/a/b/', '/a/b;page=1', '/w/', '/w/a%2Fb', '/w/a/b']
const values = ['1', '01', '1.0', '%31', '0x1', 'a', 'A', '', 'true', '-0', '%201', '__proto__']
const headers: readonly (readonly [string, string])[] = [
  ['host', 'a.example'],
  ['host', 'A.example'],
  ['host', 'b.example'],
  ['accept-version', '1.0.0'],
  ['accept-version', '1.x'],
  ['accept', 'text/html, '],
  ['accept', 'text/html'],
  ['x-forwarded-host', 'evil'],
  ['x-forwarded-proto', 'evil'],
  ['x-request-id', 'mine'],
  ['content-type', 'text/evil'],
  ['if-none-match', '"x"'],
  ['origin', 'https://evil'],
]
const parameter = fc.tuple(
  fc.constantFrom('page', 'q', 'tag', 'flag', 'utm', '__proto__', 'constructor'),
  fc.constantFrom(...values),
)
const anyRequest = fc
  .tuple(
    fc.constantFrom('', '/plain', '/t/x', '/t/y/plain', '/late', '/late/plain'),
    fc.constantFrom(...ends),
    fc.array(parameter, { maxLength: 3 }),
    fc.array(fc.constantFrom(...headers), { maxLength: 2 }),
  )
  .map(([begin, end, parameters, lines]) => {
    const query = parameters.map((pair) => pair.join('=')).join('&')
    return { url: `${begin}${end}${query === '' ? '' : `?${query}`}`, headers: Object.fromEntries(lines) }
  })

t.test('two requests with one key show the handler the same', async (t) => {
  const [cached, empty] = await Promise.all([startViews(t, 3_600), startViews(t, 0)])
  let hits = 0
  await fc.assert(
    fc.asyncProperty(anyRequest, async (request) => {
      const [answer, model] = await Promise.all([cached.inject(request), empty.inject(request)])
      if (/hit/.test(String(answer.headers['cache-status']))) hits += 1
      if (answer.statusCode === 304) return
      fc.pre(!/hit/.test(String(model.headers['cache-status'])))
      if (answer.statusCode !== model.statusCode || (model.statusCode < 400 && answer.body !== model.body)) {
        throw new Error(`seen by an earlier request:\n${answer.body}\nseen by this one:\n${model.body}`)
      }
    }),
    { numRuns: 1_500, seed: 13 },
  )
  t.ok(hits > 200, `${hits} hits`)
})
