import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import proxyCache from '../../../plugins/proxy-cache/index.js'

// One client asks, then another one: the second gets what it would have got from an empty cache.

async function start(t: Test, build: (app: FastifyInstance) => unknown) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(proxyCache)
  await build(app)
  const ask = async (headers: Record<string, string> = {}, url = '/x') => {
    const response = await app.inject({ url, headers })
    const { 'cache-status': cacheStatus = '', ...others } = response.headers
    return { status: response.statusCode, body: response.body, cacheStatus: String(cacheStatus), headers: others }
  }
  return { app, ask }
}

const userOf = ({ headers }: FastifyRequest) => /user=(\w+)/.exec(headers.cookie ?? '')?.[1]

t.test('a response that states no lifetime is not stored unless the route gives it one', async (t) => {
  const { ask } = await start(t, (app) => {
    app.get('/x', { config: { proxyCache: {} } }, async (request, reply) => {
      return reply.header('last-modified', new Date(0).toUTCString()).send(`hello ${userOf(request) ?? 'guest'}`)
    })
  })
  t.match(await ask({ cookie: 'user=alice' }), { body: 'hello alice', cacheStatus: /detail=no-lifetime/ })
  t.match(await ask({ cookie: 'user=bob' }), { body: 'hello bob' })
  t.match(await ask(), { body: 'hello guest' })
})

t.test(
  'the lifetime of the route does not apply to a request with cookies, unless the response is for all',
  async (t) => {
    for (const [name, fields, isShared] of [
      ['silent', {}, false],
      ['public', { 'cache-control': 'public' }, true],
      ['Vary', { vary: 'Cookie' }, true],
      ['max-age', { 'cache-control': 'max-age=60' }, true],
    ] as const) {
      const { ask } = await start(t, (app) => {
        app.get('/x', { config: { proxyCache: { ttlSeconds: 60 } } }, async (_request, reply) =>
          reply.headers(fields).send('x'),
        )
      })
      await ask({ cookie: 'user=alice' })
      const cacheStatus = isShared ? /hit/ : /detail=cookie/
      t.match(await ask({ cookie: 'user=alice' }), { cacheStatus: cacheStatus }, name)
    }
  },
)

t.test('a cookie of a 304 is sent to its client, and not stored', async (t) => {
  let visits = 0
  const { ask } = await start(t, (app) => {
    app.get('/x', { config: { proxyCache: {} } }, async ({ headers }, reply) => {
      visits += 1
      if (visits === 1) return reply.headers({ etag: '"1"', 'cache-control': 'max-age=0' }).send('x')
      const isKnown = headers['if-none-match'] === '"1"'
      return reply
        .code(isKnown ? 304 : 500)
        .headers({ etag: '"1"', 'cache-control': 'max-age=60', 'set-cookie': `sid=${visits}` })
        .send(null)
    })
  })
  await ask()
  t.match(await ask(), { status: 200, body: 'x', headers: { 'set-cookie': 'sid=2' } })
  const third = await ask()
  t.match(third, { status: 200, body: 'x', cacheStatus: /hit/ })
  t.notOk('set-cookie' in third.headers)
})

t.test('a field of the option vary is in the key and in Vary, though the response does not name it', async (t) => {
  const { ask } = await start(t, (app) => {
    app.get('/x', { config: { proxyCache: { vary: ['X-Tenant'] } } }, async ({ headers }, reply) =>
      reply.header('cache-control', 'max-age=60').send(`for ${headers['x-tenant']}`),
    )
  })
  for (const cacheStatus of [/stored/, /hit/]) {
    for (const tenant of ['a', 'b']) {
      t.match(await ask({ 'x-tenant': tenant }), {
        body: `for ${tenant}`,
        cacheStatus,
        headers: { vary: /x-tenant/ },
      })
    }
  }
})

t.test('a client cannot choose the links in the responses to others by a field that origins trust', async (t) => {
  const host = (value: string) => ({ 'x-forwarded-host': value })
  for (const [poison, seen] of [
    [host('evil.test'), 'x-forwarded-host'],
    [{ 'x-forwarded-proto': 'ftp' }, 'x-forwarded-proto'],
    [{ 'x-forwarded-port': '81' }, 'x-forwarded-port'],
    [{ 'x-forwarded-prefix': '//evil.test' }, 'x-forwarded-prefix'],
    [{ 'x-forwarded-scheme': 'ftp' }, 'x-forwarded-scheme'],
    [{ 'x-host': 'evil.test' }, 'x-host'],
    [{ forwarded: 'for=10.0.0.1;host=evil.test' }, 'forwarded'],
    [{ 'x-original-url': '/admin' }, 'x-original-url'],
    [{ 'x-rewrite-url': '/admin' }, 'x-rewrite-url'],
    [{ 'x-http-method-override': 'DELETE' }, 'x-http-method-override'],
    [{ 'x-http-method': 'DELETE' }, 'x-http-method'],
    [{ 'x-method-override': 'DELETE' }, 'x-method-override'],
  ] as const) {
    const { ask } = await start(t, (app) => {
      app.get('/x', { config: { proxyCache: {} } }, async ({ headers }, reply) =>
        reply.header('cache-control', 'public, max-age=60').send(`to ${headers[seen] ?? 'no one'}`),
      )
    })
    const own = `to ${Object.values(poison)[0]}`
    t.match(await ask({ ...poison }), { body: own }, seen)
    t.match(await ask(), { body: 'to no one', cacheStatus: /stored/ }, `${seen}: the next client`)
    t.match(await ask({ ...poison }), { body: own }, `${seen}: again`)
    t.match(await ask(), { body: 'to no one', cacheStatus: /hit/ }, `${seen}: the stored response stays`)
  }
})

t.test('requests with another method or target for the origin bypass the cache', async (t) => {
  const { ask } = await start(t, (app) => {
    app.get('/x', { config: { proxyCache: {} } }, async (_request, reply) =>
      reply.header('cache-control', 'max-age=60').send('x'),
    )
  })
  for (const expected of [/stored/, /hit/]) t.match(await ask(), { cacheStatus: expected })
  for (let count = 0; count < 2; count += 1)
    t.match(await ask({ 'x-original-url': '/y' }), { cacheStatus: /fwd=bypass/ })
})

t.test('clients behind different addresses share responses', async (t) => {
  const { ask } = await start(t, (app) => {
    app.get('/x', { config: { proxyCache: {} } }, async (_request, reply) =>
      reply.header('cache-control', 'max-age=60').send('x'),
    )
  })
  t.match(await ask({ 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1' }), { cacheStatus: /stored/ })
  t.match(await ask({ 'x-forwarded-for': '10.0.0.2', forwarded: 'for=10.0.0.2' }), { cacheStatus: /hit/ })
})

t.test('the scheme is part of the key', async (t) => {
  const app = Fastify({ trustProxy: '127.0.0.1' })
  t.teardown(() => app.close())
  await app.register(proxyCache, { name: 'Behind' })
  app.addHook('onRequest', async ({ raw }) => {
    if (raw.headers['x-tls'] !== undefined) Object.defineProperty(raw.socket, 'encrypted', { value: true })
  })
  app.get('/x', { config: { proxyCache: {} } }, async ({ protocol }, reply) =>
    reply.header('cache-control', 'max-age=60').send(protocol),
  )
  for (const cacheStatus of [/stored/, /hit/]) {
    for (const [headers, body] of [
      [{}, 'http'],
      [{ 'x-tls': '1' }, 'https'],
    ] as const) {
      t.match(await app.inject({ url: '/x', headers }), { body, headers: { 'cache-status': cacheStatus } }, body)
    }
  }
})

t.test('an unsafe request invalidates what is stored under its own scheme and forwarded host', async (t) => {
  const { app, ask } = await start(t, (app) => {
    const config = { proxyCache: {} }
    app.get('/x', { config }, async (_request, reply) => reply.header('cache-control', 'max-age=60').send('x'))
    app.post('/x', { config }, async () => 'changed')
  })
  const headers = { 'x-forwarded-host': 'panels.test', 'x-forwarded-proto': 'https' }
  for (const cacheStatus of [/stored/, /hit/]) t.match(await ask(headers), { cacheStatus })
  await app.inject({ method: 'POST', url: '/x', headers })
  t.match(await ask(headers), { cacheStatus: /fwd=uri-miss/ })
})
