import { Readable } from 'node:stream'
import cookie from '@fastify/cookie'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'
import { connectRaw, listen } from '../../harness/raw-http.js'
import { until } from '../../harness/until.js'

// What a handler sees of the request, and how the response depends on what it reads.

async function startEdge(t: Test, routes: (app: FastifyInstance) => void): Promise<FastifyInstance> {
  const app = Fastify()
  const { now } = createClock()
  await app.register(edge, { now })
  await app.register(proxyCache, { now })
  routes(app)
  await app.ready()
  t.teardown(() => app.close())
  return app
}

t.test('a response for a client without a language is not sent to a client with one', async (t) => {
  const app = await startEdge(t, (app) => {
    app.get('/x', { config: { edge: { ttlSeconds: 60 } } }, async ({ headers }) => headers['accept-language'] ?? 'any')
  })
  const any = await app.inject('/x')
  t.match(any.headers, { vary: 'accept-language' })
  const french = await app.inject({ url: '/x', headers: { 'accept-language': 'fr' } })
  t.equal(french.body, 'fr')
  t.match((await app.inject('/x')).headers, { 'cache-status': /hit/ })
})

t.test('masked request fields are hidden in all properties of the request', async (t) => {
  const [seen, after]: [unknown[], unknown[]] = [[], []]
  const app = await startEdge(t, (app) => {
    app.addHook('onRequest', async ({ raw }) => void raw.headersDistinct)
    app.get('/x', { config: { edge: { ttlSeconds: 60, ignoreCredentials: true } } }, async ({ raw, headers }) => {
      seen.push(raw.headersDistinct, raw.rawHeaders, raw.headers.cookie, headers.cookie)
      return 'x'
    })
    app.addHook('onResponse', async ({ raw }) => void after.push(raw.headers.cookie, raw.headersDistinct.cookie))
  })
  const connection = await connectRaw(t, await listen(app))
  connection.write('GET /x HTTP/1.1\r\nHost: a.example\r\nCookie: a=b\r\n\r\n')
  t.equal((await connection.response()).status, 200)
  t.notMatch(JSON.stringify(seen), 'a=b')
  t.ok(await until(() => after.length > 0))
  t.strictSame(after, ['a=b', ['a=b']], 'hooks after the handler see them')
})

t.test('a handler does not see parameters that are not in the key, also after a hook has read the URL', async (t) => {
  const seen: unknown[] = []
  const querystring = { type: 'object', properties: { name: { type: 'string' } } }
  const app = await startEdge(t, (app) => {
    app.addHook('onRequest', async ({ originalUrl }) => void seen.push(originalUrl))
    app.get('/x', { schema: { querystring }, config: { edge: { ttlSeconds: 60 } } }, async ({ url, originalUrl }) => {
      seen.push(url, originalUrl)
      return 'x'
    })
    app.addHook('onResponse', async ({ url, originalUrl }) => void seen.push(url, originalUrl))
  })
  await app.inject('/x?name=b&secret=s')
  const [whole, shown] = ['/x?name=b&secret=s', '/x?name=b']
  t.strictSame(seen, [whole, shown, shown, whole, whole])
})

t.test('the request is masked for a stream until it ends', async (t) => {
  const [seen, after]: [unknown[], unknown[]] = [[], []]
  const querystring = { type: 'object', properties: { page: { type: 'string' } } }
  const app = await startEdge(t, (app) => {
    const make = async function* ({ headers, raw, url }: FastifyRequest) {
      yield 'made '
      seen.push(headers.cookie, raw.headers.cookie, url)
      yield `for ${headers.cookie} ${headers['accept-language']} ${url}`
    }
    const own = { schema: { querystring }, config: { edge: { ttlSeconds: 60, ignoreCredentials: true } } }
    app.get('/node', own, async (request) => Readable.from(make(request)))
    app.get('/web', own, async (request, reply) => reply.send(ReadableStream.from(make(request))))
    app.get('/unstored', own, async (request, reply) =>
      reply
        .headers({ 'content-length': 3_000_000, 'cache-control': 'public, max-age=60' })
        .send(Readable.from(make(request))),
    )
    app.addHook('onResponse', async ({ headers }) => void after.push(headers.cookie))
  })
  for (const path of ['/node', '/web']) {
    const ask = (language: string) =>
      app.inject({ url: `${path}?page=1&secret=s`, headers: { cookie: 'a=b', 'accept-language': language } })
    for (const cacheStatus of [/miss/, /hit/]) {
      for (const language of ['fr', 'en']) {
        const { body, headers } = await ask(language)
        t.equal(body, `made for undefined ${language} ${path}?page=1`)
        t.match(headers['cache-status'], cacheStatus)
      }
    }
  }
  await app.inject({ url: '/unstored?page=1&secret=s', headers: { cookie: 'a=b' } })
  t.notMatch(JSON.stringify(seen), /a=b|secret/)
  t.ok(await until(() => after.length === 9))
  t.strictSame(after, Array(9).fill('a=b'), 'hooks after the handler see the cookie')
})

t.test('the request is unmasked when a stream fails', async (t) => {
  const after: unknown[] = []
  const app = await startEdge(t, (app) => {
    app.get('/x', { config: { edge: { ttlSeconds: 60 } } }, async () =>
      Readable.from(
        (async function* () {
          yield 'x'
          throw new Error('broken')
        })(),
      ),
    )
    app.addHook('onRequest', async (request, reply) => {
      reply.raw.once('close', () => after.push(request.headers.cookie))
    })
  })
  const connection = await connectRaw(t, await listen(app))
  connection.write('GET /x HTTP/1.1\r\nHost: a.example\r\nCookie: a=b\r\n\r\n')
  t.ok(await until(() => after.length > 0))
  t.strictSame(after, ['a=b'])
})

t.test('request.cookies is masked with the Cookie field, and contains what the route varies by', async (t) => {
  const after: unknown[] = []
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cookie)
  await app.register(edge)
  await app.register(proxyCache)
  const handler = async ({ cookies }: FastifyRequest) => `hello ${cookies.user}`
  const ignoring = { ttlSeconds: 60, ignoreCredentials: true }
  app.get('/hidden', { config: { edge: { ...ignoring, maskedProperties: [] } } }, handler)
  const onlyUser = { name: 'Cookie', normalise: (value = '') => /user=\w+/.exec(value)?.[0] }
  app.get('/varied', { config: { edge: { ...ignoring, vary: [onlyUser] } } }, handler)
  app.get('/forwarded', { config: { proxyCache: {} } }, handler)
  app.addHook('onResponse', async ({ cookies }) => void after.push(cookies.user))
  const ask = (url: string, user: string) => app.inject({ url, headers: { cookie: `user=${user}; id=1` } })
  for (const cacheStatus of [/miss/, /hit/]) {
    t.equal((await ask('/hidden', 'alice')).body, 'hello undefined')
    for (const user of ['alice', 'bob']) {
      const { body, headers } = await ask('/varied', user)
      t.equal(body, `hello ${user}`)
      t.match(headers['cache-status'], cacheStatus)
    }
  }
  t.equal((await ask('/forwarded', 'alice')).body, 'hello alice')
  t.strictSame(after, ['alice', 'alice', 'bob', 'alice', 'alice', 'bob', 'alice'])
})

t.test('a response is not stored if a hook made it vary by a field that is not in the key', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge)
  app.decorateRequest('languages', '')
  app.addHook('onRequest', async (request, reply) => {
    const { headers, query } = request
    const { vary } = query as { vary: string } // each request has it
    Object.assign(request, { languages: `${headers['accept-language']} ${headers['user-agent']}` })
    reply.header('vary', vary)
  })
  const schema = { querystring: { type: 'object', properties: { vary: { type: 'string' } } } }
  const handler = async (request: FastifyRequest) => Reflect.get(request, 'languages')
  app.get('/x', { schema, config: { edge: { ttlSeconds: 60 } } }, handler)
  app.get('/seen', { schema, config: { edge: { ttlSeconds: 60, unkeyedHeaders: ['user-agent'] } } }, handler)
  for (const [path, vary, isStored, isApart] of [
    ['/x', 'X-Other', false, true],
    ['/x', 'Cookie', true, false],
    ['/x', 'Origin, User-Agent', false, true],
    ['/x', 'Accept-Language', true, true],
    ['/seen', 'user-agent', true, true],
    ['/x', 'Origin', true, false],
  ] as const) {
    const ask = (fields: string) =>
      app.inject({ url: path, query: { vary }, headers: { 'accept-language': fields, 'user-agent': fields } })
    for (const cacheStatus of [/miss/, isStored ? /hit/ : /miss/]) {
      t.match((await ask('a')).headers['cache-status'], cacheStatus, vary)
      t.equal((await ask('a')).body, 'a a')
    }
    t.equal((await ask('b')).body, isApart ? 'b b' : 'a a', `${vary} of another one`)
  }
})

t.test('an unkeyed header is part of the key if the response varies by it', async (t) => {
  // RFC 9111 §4.1
  const app = await startEdge(t, (app) => {
    const config = { edge: { ttlSeconds: 60, unkeyedHeaders: ['user-agent'] } }
    app.get('/x', { config }, async ({ headers }, reply) =>
      reply.header('vary', 'User-Agent').send(headers['user-agent']),
    )
  })
  for (const cacheStatus of [/miss/, /hit/]) {
    for (const agent of ['a', 'b']) {
      const { body, headers } = await app.inject({ url: '/x', headers: { 'user-agent': agent } })
      t.equal(body, agent)
      t.match(headers, { 'cache-status': cacheStatus, vary: /^user-agent, Authorization, Cookie$/i })
    }
  }
})

t.test('a response that is not stored has Vary too', async (t) => {
  const app = await startEdge(t, (app) => {
    app.get(
      '/x',
      { config: { edge: { ttlSeconds: 60, maxBodyBytes: 1, vary: ['X-Lang'] } } },
      async ({ headers }, reply) =>
        reply.header('cache-control', 'public, max-age=60').send(`for ${headers['accept-language']}`),
    )
  })
  t.match((await app.inject('/x')).headers, { vary: 'x-lang, accept-language', 'cache-status': /too-large/ })
})

t.test('the handler negotiates by the field that a hook has set', async (t) => {
  const app = await startEdge(t, (app) => {
    const preHandler = async ({ headers }: FastifyRequest) => {
      headers.accept = 'text/html'
    }
    app.get('/x', { preHandler, config: { edge: { ttlSeconds: 60 } } }, async ({ headers }) => `${headers.accept}`)
  })
  for (const cacheStatus of [/miss/, /hit/]) {
    const { body, headers } = await app.inject({ url: '/x', headers: { accept: 'image/png' } })
    t.equal(body, 'text/html')
    t.match(headers['cache-status'], cacheStatus)
  }
  t.match((await app.inject('/x')).headers['cache-status'], /hit/, 'the field of the client makes no difference')
})

t.test('a response field that a hook sets and the handler removes is not in hits', async (t) => {
  const app = await startEdge(t, (app) => {
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers({ 'x-a': '1', 'x-b': '2', 'x-c': '3' })
      reply.raw.setHeader('x-raw', '4')
    })
    for (const [path, config] of [
      ['/own', { edge: { ttlSeconds: 60 } }],
      ['/fwd', { proxyCache: {} }],
    ] as const) {
      app.get(path, { config }, async (_request, reply) => {
        for (const name of ['x-a', 'x-b', 'x-c']) reply.removeHeader(name)
        return reply.headers({ 'cache-control': 'max-age=60', 'x-list': ['1', '2'], 'x-c': '5' }).send('x')
      })
    }
  })
  for (const path of ['/own', '/fwd']) {
    for (const cacheStatus of [/miss/, /hit/]) {
      const { headers } = await app.inject(path)
      t.match(headers, { 'cache-status': cacheStatus, 'x-c': '5', 'x-raw': '4', 'x-list': ['1', '2'] })
      t.notOk('x-a' in headers || 'x-b' in headers)
    }
  }
})

t.test('the tags function sees the masked request', async (t) => {
  const [seen, after]: [unknown[], unknown[]] = [[], []]
  const querystring = { type: 'object', properties: { page: { type: 'integer', default: 1 } } }
  const app = await startEdge(t, (app) => {
    const tags = ({ query, headers, url }: FastifyRequest) => {
      seen.push([{ ...(query as object) }, headers.cookie, url])
      return [`page:${(query as { page?: number }).page}`] // as the schema says
    }
    const own = { schema: { querystring }, config: { edge: { ttlSeconds: 60, ignoreCredentials: true, tags } } }
    app.get('/x', own, async () => 'x')
    app.get('/stream', own, async () => Readable.from(['x']))
    app.addHook('onResponse', async ({ headers }) => void after.push(headers.cookie))
  })
  for (const path of ['/x', '/stream']) {
    for (const cacheStatus of [/miss/, /hit/]) {
      const { headers } = await app.inject({ url: `${path}?secret=s`, headers: { cookie: 'a=b' } })
      t.match(headers, { 'cache-status': cacheStatus, 'surrogate-key': 'page:1' })
    }
  }
  t.strictSame(seen, [
    [{ page: 1 }, undefined, '/x?page=1'],
    [{ page: 1 }, undefined, '/stream?page=1'],
  ])
  t.ok(await until(() => after.length === 4))
  t.strictSame(after, Array(4).fill('a=b'), 'hooks after the handler see the cookie')
})
