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
