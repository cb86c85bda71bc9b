import { Readable } from 'node:stream'
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify'
import t, { type Test } from 'tap'
import edge, { type EdgeRouteOptions } from '../../../plugins/edge/index.js'
import { createLogBook } from '../../harness/log.js'
import { connectRaw, listen } from '../../harness/raw-http.js'

// What a handler can read of its client beside headers: URLs, the query, properties that hooks set, the request id.

const ttl = { ttlSeconds: 60 }
const ignoring = { ...ttl, ignoreCredentials: true }

async function start(t: Test, build: (app: FastifyInstance) => unknown, options: FastifyServerOptions = {}) {
  const book = createLogBook()
  const app = Fastify({ logger: { level: 'warn', stream: book.stream }, ...options })
  t.teardown(() => app.close())
  await app.register(edge)
  await build(app)
  const ask = async (url: string, headers: Record<string, string> = {}) => {
    const response = await app.inject({ url, headers })
    const { 'cache-status': cacheStatus = '', ...others } = response.headers
    return { status: response.statusCode, body: response.body, cacheStatus: String(cacheStatus), headers: others }
  }
  return { app, book, ask }
}

t.test('reading what hooks derived from credentials throws in the handler of a route that ignores them', async (t) => {
  for (const kind of ['async', 'callback', 'stream'] as const) {
    const { ask } = await start(t, (app) => {
      app.addHook('onRequest', async (request) => {
        Object.assign(request, { user: request.headers.cookie ?? null, account: request.headers.cookie })
      })
      const read = (request: FastifyRequest) => `hello ${Reflect.get(request, 'user')}`
      const handlers = {
        async: async (request: FastifyRequest) => read(request),
        callback: (request: FastifyRequest) => void read(request),
        stream: async (request: FastifyRequest) =>
          Readable.from(
            (async function* () {
              yield read(request)
            })(),
          ),
      }
      app.get('/x', { config: { edge: ignoring } }, handlers[kind])
      app.get('/bypass', { config: { edge: { ...ignoring, bypass: ({ headers }) => headers.cookie } } }, handlers.async)
      app.get('/none', { config: { edge: { ...ignoring, maskedProperties: [] } } }, handlers.async)
      app.get('/unkeyed', { config: { edge: { ...ignoring, unkeyedProperties: ['user'] } } }, handlers.async)
      const other = { edge: { ...ignoring, maskedProperties: ['account'] } }
      app.get('/other', { config: other }, async (request) => `${Reflect.get(request, 'account')}`)
    })
    if (kind === 'stream') {
      t.notMatch((await ask('/x', { cookie: 'anna' })).body, 'hello')
      continue
    }
    for (const headers of [{}, { cookie: 'anna' }]) {
      const { status, body } = await ask('/x', headers)
      t.equal(status, 500, 'for each request, so that the mistake shows with the first one')
      t.match(JSON.parse(body), { code: 'VITRINE_EDGE_MASKED', message: /GET \/x reads request\.user.*bypass/ })
    }
    t.match(await ask('/other'), { status: 500, body: /request\.account/ })
    t.match(await ask('/bypass', { cookie: 'anna' }), { body: 'hello anna', cacheStatus: /fwd=bypass/ })
    t.match(await ask('/none'), { body: 'hello null', cacheStatus: /stored/ })
    t.match(await ask('/unkeyed'), { body: 'hello null', cacheStatus: /stored/ })
  }
})

t.test('a masked property is the same again for hooks after the handler and for error handlers', async (t) => {
  const seen: unknown[] = []
  class User {
    get name() {
      return 'anna'
    }
  }
  const { ask } = await start(
    t,
    (app) => {
      app.decorateRequest('user')
      app.decorateRequest('session', { getter: () => 'from the prototype' } as never) // the types of plugins differ
      app.addHook('preHandler', async (request) => {
        Object.defineProperty(request, 'user', { get: () => new User(), enumerable: true, configurable: true })
      })
      const read = ({ raw, id, url }: FastifyRequest, request: FastifyRequest) =>
        seen.push([(request.user as User).name, Reflect.get(request, 'session'), raw.headers.cookie, id, url])
      app.addHook('onSend', async (request) => {
        seen.push((request.user as User).name)
      })
      app.addHook('onResponse', async (request) => void read(request, request))
      app.setErrorHandler(async (_error, request, reply) => {
        read(request, request)
        return reply.code(500).send('failed')
      })
      const config = { edge: ignoring }
      app.get('/x', { config }, async () => 'x')
      app.get('/late', { config }, async (request) => {
        Object.assign(request, { session: 'assigned by the handler' })
        return Reflect.get(request, 'session')
      })
      app.get('/fails', { config }, async () => Promise.reject(new Error('no')))
      app.get('/throws', { config }, () => {
        throw new Error('no')
      })
    },
    { genReqId: ({ headers }) => String(headers['x-request-id']) },
  )
  const given = { cookie: 'a=b', 'x-request-id': 'mine' }
  const complete = (url: string) => ['anna', 'from the prototype', 'a=b', 'mine', url]
  t.equal((await ask('/x', given)).body, 'x')
  t.strictSame(seen.splice(0), ['anna', complete('/x')])
  for (const path of ['/fails', '/throws']) {
    t.equal((await ask(path, given)).body, 'failed')
    t.strictSame(seen.splice(0), [complete(path), 'anna', complete(path)], 'the error handler sees the request')
  }
})

t.test(
  'a preSerialization hook cannot add to a stored response what other hooks derived from credentials',
  async (t) => {
    const payloads: Record<string, (reply: FastifyReply) => unknown> = {
      object: () => ({ a: 1 }),
      list: () => [1],
      number: () => 1,
      null: () => null,
      'JSON type': (reply) => reply.type('application/hal+json').send({ a: 1 }),
      serializer: (reply) => reply.type('text/csv').serializer(JSON.stringify).send({ a: 1 }),
    }
    for (const [name, payload] of Object.entries(payloads)) {
      for (const isLate of [true, false]) {
        const { ask } = await start(t, (app) => {
          const addUser = async ({ user }: FastifyRequest & { user?: unknown }, _reply: unknown, data: unknown) => ({
            data,
            user,
          })
          app.addHook('onRequest', async (request) => void Object.assign(request, { user: request.headers.cookie }))
          app.addHook(
            'onSend',
            async (request, reply) => void reply.header('x-user', `${Reflect.get(request, 'user')}`),
          )
          const handler = async (_request: FastifyRequest, reply: FastifyReply) => payload(reply)
          if (isLate) app.addHook('onRoute', (route) => void Object.assign(route, { preSerialization: addUser }))
          else app.addHook('preSerialization', addUser)
          app.get('/x', { config: { edge: ignoring } }, handler)
          app.get('/off', handler)
        })
        const of = `${name}, ${isLate ? 'onRoute' : 'instance'}`
        t.match(await ask('/off', { cookie: 'anna' }), { body: /"user":"anna"/, headers: { 'x-user': 'anna' } }, of)
        for (const client of ['anna', 'bert']) {
          const { body, status } = await ask('/x', { cookie: client })
          t.equal(status, 500, of)
          t.notMatch(body, 'anna', of)
          t.match(body, /VITRINE_EDGE_MASKED/, of)
        }
      }
    }
  },
)

t.test('a payload that is not serialized is sent, and onSend hooks see the client', async (t) => {
  const payloads: Record<string, () => unknown> = {
    text: () => 'page',
    bytes: () => Buffer.from('page'),
    stream: () => Readable.from(['page']),
    'web stream': () => new Response('page').body,
    response: () => new Response('page'),
    nothing: () => undefined,
  }
  for (const [name, payload] of Object.entries(payloads)) {
    const seen: unknown[] = []
    const { ask } = await start(t, (app) => {
      app.addHook('onRequest', async (request) => void Object.assign(request, { user: request.headers.cookie }))
      app.addHook('onSend', async (request) => void seen.push(Reflect.get(request, 'user')))
      app.get('/x', { config: { edge: ignoring } }, (_request, reply) => void reply.type('text/html').send(payload()))
    })
    t.match(await ask('/x', { cookie: 'anna' }), { status: 200, body: name === 'nothing' ? '' : 'page' }, name)
    t.strictSame(seen, ['anna'], name)
  }
})

t.test('@fastify/session works on a route that ignores credentials', async (t) => {
  const { app, ask } = await start(t, async (app) => {
    await app.register(cookie)
    await app.register(session, {
      secret: 'a secret of at least thirty-two characters',
      saveUninitialized: false,
      rolling: false,
      cookie: { secure: false },
    })
    app.get('/login', async (request) => void Object.assign(request.session, { user: 'anna' }))
    app.get('/who', async (request) => String(Reflect.get(request.session, 'user')))
    app.get('/news', { config: { edge: ignoring } }, async () => 'news')
    const preHandler = async (request: FastifyRequest) => void Object.assign(request.session, { visited: true })
    app.get('/visit', { preHandler, config: { edge: ignoring } }, async () => 'visit')
  })
  const login = await app.inject('/login')
  const [{ name = '', value = '' } = {}] = login.cookies
  const anna = { cookie: `${name}=${encodeURIComponent(value)}` }
  t.match(await ask('/news', anna), { body: 'news', cacheStatus: /stored/ })
  const visitor = await ask('/news')
  t.match(visitor, { body: 'news', cacheStatus: /hit/ })
  t.notOk('set-cookie' in visitor.headers)
  t.equal((await ask('/who', anna)).body, 'anna', 'she is still signed in')
  const visit = await ask('/visit')
  t.match(visit, { cacheStatus: /detail=set-cookie/, headers: { 'set-cookie': /sessionId/ } })
})

t.test('the handler sees no request id of a client', async (t) => {
  const options = { requestIdHeader: 'x-request-id' }
  const { ask } = await start(
    t,
    (app) => {
      const handler = async ({ id }: FastifyRequest) => id
      app.get('/x', { config: { edge: ttl } }, handler)
      app.get('/unkeyed', { config: { edge: { ...ttl, unkeyedProperties: ['id'] } } }, handler)
      app.get('/bypass', { config: { edge: { ...ttl, bypass: () => true } } }, handler)
      app.post('/x', { config: { edge: ttl } }, handler)
    },
    options,
  )
  const mine = { 'x-request-id': 'mine' }
  const { body } = await ask('/x', mine)
  t.match(body, /^[\w-]{36}$/)
  t.equal((await ask('/x', { 'x-request-id': 'other' })).body, body)
  t.equal((await ask('/unkeyed', mine)).body, 'mine')
  t.equal((await ask('/bypass', mine)).body, 'mine')
})

t.test('the handler sees URLs as they are in the key', async (t) => {
  const querystring = {
    type: 'object',
    properties: {
      page: { type: 'integer', default: 1 },
      tag: { type: 'array', items: { type: 'string' } },
      filter: { type: 'object', properties: { a: { type: 'integer' } } },
      name: { type: 'string', transform: ['trim', 'toLowerCase'] },
    },
  }
  const { ask } = await start(
    t,
    (app) => {
      app.setValidatorCompiler(({ schema }) => {
        const clean = (given: Record<string, unknown>) => {
          const { page = 1, name, ...others } = given
          const known = name === undefined ? {} : { name: String(name).trim().toLowerCase() }
          return { ...others, ...known, page: Number(page) }
        }
        return (data) => ({ value: schema === querystring ? clean(data as Record<string, unknown>) : data })
      })
      const handler = async (request: FastifyRequest) => ({
        url: [...new Set([request.url, request.originalUrl, request.raw.url, Reflect.get(request.raw, 'originalUrl')])],
        query: request.query,
      })
      app.get('/x', { schema: { querystring }, config: { edge: ttl } }, handler)
      app.get('/plain', { config: { edge: ttl } }, handler)
    },
    {
      rewriteUrl: ({ url = '/' }) => url.replace(/^\/t\/\w+/, ''),
      routerOptions: { querystringParser: (text) => parse(text) },
    },
  )
  for (const [spelling, url, query] of [
    ['/x', '/x?page=1', { page: 1 }],
    ['/t/evil/x?page=0x1&utm=evil', '/x?page=1', { page: 1 }],
    ['/x?tag=a&tag=b', '/x?page=1&tag=a&tag=b', { page: 1, tag: ['a', 'b'] }],
    ['/x?name=%20Anna', '/x?name=anna&page=1', { name: 'anna', page: 1 }],
    ['/x?filter.a=1', '/x?filter=%7B%22a%22%3A%221%22%7D&page=1', { filter: { a: '1' }, page: 1 }],
    ['/t/evil/plain?b=1&a=2', '/plain?b=1&a=2', { a: '2', b: '1' }],
  ] as const) {
    const { status, body } = await ask(spelling)
    t.equal(status, 200)
    t.strictSame(JSON.parse(body), { url: [url], query }, spelling)
    t.match(await ask(spelling), { cacheStatus: /hit/ })
  }
  t.match(await ask('/t/good/plain?b=1&a=2'), { cacheStatus: /hit/ })
})

/** A parser for nested parameters: `filter.a=1`, and lists. */
function parse(text: string): Record<string, unknown> {
  const query: Record<string, unknown> = {}
  for (const [name, value] of new URLSearchParams(text)) {
    const [outer = '', inner] = name.split('.')
    if (inner !== undefined) query[outer] = { [inner]: value }
    else query[outer] = Object.hasOwn(query, outer) ? [query[outer], value].flat() : value
  }
  return query
}

t.test('what a handler does to its query is not seen by later requests', async (t) => {
  const querystring = { type: 'object', properties: { tag: { type: 'array', items: { type: 'string' } } } }
  const { ask } = await start(t, (app) => {
    app.get('/x', { schema: { querystring }, config: { edge: { ttlSeconds: 0 } } }, async ({ query }) => {
      const { tag } = query as { tag: string[] } // as the schema says
      tag.push('x')
      return tag
    })
  })
  for (let count = 0; count < 3; count += 1) {
    t.match(await ask('/x?tag=a&tag=b'), { body: '["a","b","x"]', cacheStatus: /fwd=(?!bypass)/ })
  }
})

t.test('parameters that a hook sets for this request are in the key', async (t) => {
  const querystring = { type: 'object', properties: { lang: { type: 'string' }, tag: { type: 'array' } } }
  const { ask } = await start(t, (app) => {
    app.addHook('onRequest', async ({ query, headers }) => {
      Object.assign(query as object, { lang: headers['x-lang'], tag: [headers['x-lang']] })
    })
    app.get('/x', { schema: { querystring }, config: { edge: ttl } }, async ({ query }) => query)
  })
  for (const lang of ['fr', 'en', 'fr']) {
    t.equal((await ask('/x', { 'x-lang': lang })).body, `{"lang":"${lang}","tag":["${lang}"]}`)
  }
  t.match(await ask('/x', { 'x-lang': 'fr' }), { cacheStatus: /hit/ })
})

t.test('the query in the key replaces what later hooks make of it, where hits skip these hooks', async (t) => {
  const querystring = { type: 'object', properties: { page: { type: 'integer' } } }
  const { ask } = await start(t, (app) => {
    app.addHook('onRequest', async (request) => void Object.assign(request, { user: request.headers.cookie }))
    const preHandler = async (request: FastifyRequest) => {
      Object.assign(request.query as object, { page: Reflect.get(request, 'user') })
    }
    const config = { edge: { ...ignoring, acknowledgeSkippedHooks: true } }
    app.get('/x', { preHandler, schema: { querystring }, config }, async ({ query }) => query)
  })
  t.match(await ask('/x?page=1', { cookie: 'anna' }), { body: '{"page":1}', cacheStatus: /stored/ })
})

t.test('a request with content, or for another protocol, bypasses the cache', async (t) => {
  const { app } = await start(t, (app) => {
    app.get('/x', { config: { edge: ttl } }, async ({ raw, headers }) => {
      const chunks = await raw.toArray()
      return { body: Buffer.concat(chunks).toString(), upgrade: headers.upgrade ?? null }
    })
  })
  const connection = await connectRaw(t, await listen(app))
  const ask = async (lines: string) => {
    connection.write(`GET /x HTTP/1.1\r\nHost: a.example\r\n${lines}`)
    const { fields, body } = await connection.response()
    return { body: String(body), cacheStatus: String(fields['cache-status']) }
  }
  const empty = '{"body":"","upgrade":null}'
  t.match(await ask('\r\n'), { body: empty, cacheStatus: /stored/ })
  t.match(await ask('Content-Length: 2\r\n\r\nhi'), { body: '{"body":"hi","upgrade":null}', cacheStatus: /fwd=bypass/ })
  const chunked = 'Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'
  t.match(await ask(chunked), { body: '{"body":"hi","upgrade":null}', cacheStatus: /fwd=bypass/ })
  const upgrade = (to: string) => ask(`Connection: Upgrade\r\nUpgrade: ${to}\r\n\r\n`)
  t.match(await upgrade('websocket'), { body: '{"body":"","upgrade":"websocket"}', cacheStatus: /fwd=bypass/ })
  t.match(await upgrade('h2c'), { body: empty, cacheStatus: /hit/ })
  t.match(await ask('Content-Length: 0\r\n\r\n'), { body: empty, cacheStatus: /hit/ })
})

t.test('a required header that the key does not have is refused at start', async (t) => {
  const required = (...names: string[]) => ({
    type: 'object',
    required: names,
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
  })
  const cases: readonly (readonly [headers: object, options: EdgeRouteOptions, masked: RegExp | undefined])[] = [
    [required('X-Tenant'), {}, /x-tenant/],
    [
      { allOf: [{ $ref: '#/definitions/tenant' }], definitions: { tenant: required('x-tenant') } },
      {},
      /x-tenant.*name it/,
    ],
    [required('x-tenant'), { vary: ['X-Tenant'] }, undefined],
    [required('x-tenant'), { unkeyedHeaders: ['x-tenant'] }, undefined],
    [required('authorization'), {}, undefined],
    [required('authorization'), { ignoreCredentials: true }, /authorization/],
    [required('accept', 'host'), {}, undefined],
    [{ anyOf: [required('x-a'), required('x-b')] }, {}, undefined],
  ]
  for (const [headers, options, masked] of cases) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(edge, ttl)
    app.get('/x', { schema: { headers }, config: { edge: options } }, async () => 'x')
    if (masked === undefined) await app.ready()
    else
      await t.rejects(
        Promise.resolve(app.ready()),
        { code: 'VITRINE_EDGE_OPTION', message: masked },
        JSON.stringify(headers),
      )
  }
})

t.test('a hit is validated where validation reads headers that are not in the key', async (t) => {
  const headers = { type: 'object', properties: { 'x-key': { type: 'string', const: 'right' } }, required: ['x-key'] }
  const { ask } = await start(t, (app) => {
    app.get('/x', { schema: { headers }, config: { edge: { ...ttl, unkeyedHeaders: ['x-key'] } } }, async () => 'x')
  })
  t.match(await ask('/x', { 'x-key': 'right' }), { status: 200, cacheStatus: /stored/ })
  t.match(await ask('/x', { 'x-key': 'right' }), { status: 200, cacheStatus: /hit/ })
  t.match(await ask('/x', { 'x-key': 'wrong' }), { status: 400 })
  t.match(await ask('/x'), { status: 400 })
})

t.test('the host is hidden in all properties where the key does not have it', async (t) => {
  const querystring = { type: 'object', properties: {} }
  const { ask } = await start(
    t,
    (app) => {
      const handler = async ({ host, hostname, port, protocol, ips, mediaType }: FastifyRequest) => {
        return { host, hostname, port, protocol, ips, mediaType }
      }
      app.addHook('onRequest', async ({ mediaType }) => void mediaType)
      app.get('/x', { schema: { querystring }, config: { edge: ttl } }, handler)
      app.get('/plain', { config: { edge: ttl } }, handler)
    },
    { trustProxy: true },
  )
  const evil = {
    host: 'Good.example:80',
    'content-type': 'text/evil',
    'x-forwarded-host': 'evil.example:81',
    'x-forwarded-proto': 'evil',
    'x-forwarded-for': '1.2.3.4',
  }
  const address = { protocol: 'http', ips: ['127.0.0.1'] }
  t.strictSame(JSON.parse((await ask('/x', evil)).body), { host: '', hostname: '', port: null, ...address })
  const { body } = await ask('/plain', evil)
  t.strictSame(JSON.parse(body), { host: 'good.example:80', hostname: 'good.example', port: 80, ...address })
})
