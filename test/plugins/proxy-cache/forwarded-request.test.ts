import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'

// The request that a handler forwards, and responses that vary by its fields.

async function start(t: Test, routes: (app: FastifyInstance) => void): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(proxyCache, { now: createClock().now })
  routes(app)
  await app.ready()
  t.teardown(() => app.close())
  return app
}

t.test('the forwarded fields are in all properties of the request', async (t) => {
  const seen: unknown[] = []
  const app = await start(t, (app) => {
    app.get('/x', { config: { proxyCache: {} } }, async ({ raw }) => {
      seen.push(raw.headers['x-a'], raw.rawHeaders.join().includes('x-a,1'), raw.headersDistinct['x-a'])
      return 'x'
    })
  })
  const { statusCode } = await app.inject({ url: '/x', headers: { 'x-a': '1' } })
  t.equal(statusCode, 200)
  t.strictSame(seen, ['1', true, ['1']])
})

t.test('a field that Connection lists is not forwarded, and selects no response', async (t) => {
  // RFC 9110 §7.6.1
  const app = await start(t, (app) => {
    app.get('/x', { config: { proxyCache: {} } }, async ({ headers }, reply) =>
      reply.headers({ 'cache-control': 'max-age=60', vary: 'x-lang' }).send(headers['x-lang'] ?? 'none'),
    )
  })
  const ask = async (headers: Record<string, string>) => (await app.inject({ url: '/x', headers })).body
  t.equal(await ask({ 'x-lang': 'fr', connection: 'x-lang' }), 'none')
  t.equal(await ask({ 'x-lang': 'fr' }), 'fr')
  t.equal(await ask({ 'x-lang': 'fr', connection: 'keep-alive, X-Lang' }), 'none')
})

t.test('a response may vary by a field that is named like an inherited object property', async (t) => {
  const app = await start(t, (app) => {
    app.get('/x/:name', { config: { proxyCache: {} } }, async ({ params }, reply) => {
      const { name } = params as { name: string } // as in the path of the route
      return reply.headers({ 'cache-control': 'max-age=60', vary: name }).send(name)
    })
  })
  for (const name of ['constructor', '__proto__']) {
    t.match(await app.inject(`/x/${name}`), { statusCode: 200, body: name })
    t.match(await app.inject(`/x/${name}`), { headers: { 'cache-status': /hit/ }, body: name })
  }
})

t.test('Vary of the other server is sent as it was received, unless a name is added', async (t) => {
  const vary = 'x-lang ,  Accept-Language'
  const app = await start(t, (app) => {
    for (const [url, options] of [
      ['/x', {}],
      ['/added', { vary: ['x-tenant'] }],
    ] as const) {
      app.get(url, { config: { proxyCache: options } }, async (_request, reply) =>
        reply.headers({ 'cache-control': 'max-age=60', vary }).send('x'),
      )
    }
  })
  for (const cacheStatus of [/stored/, /hit/]) {
    t.match((await app.inject('/x')).headers, { 'cache-status': cacheStatus, vary })
    t.match((await app.inject('/added')).headers, {
      'cache-status': cacheStatus,
      vary: 'x-lang, Accept-Language, x-tenant',
    })
  }
})
