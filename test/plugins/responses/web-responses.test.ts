import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'

// Handlers that return a web `Response`, which is equivalent to a reply.

async function startWorld(t: Test, routes: (app: FastifyInstance) => void) {
  const clock = createClock()
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge, { now: clock.now })
  await app.register(proxyCache, { now: clock.now })
  routes(app)
  await app.ready()
  return { app, step: clock.step }
}

t.test('its directives determine freshness, and its fields are stored', async (t) => {
  let calls = 0
  const { app } = await startWorld(t, (app) => {
    for (const [path, config] of [
      ['/own', { edge: { ttlSeconds: 60 } }],
      ['/fwd', { proxyCache: {} }],
    ] as const) {
      app.get(path, { config }, async () => {
        calls += 1
        return new Response(`made ${calls}`, { status: 203, headers: { 'cache-control': 'max-age=30', 'x-a': 'b' } })
      })
    }
    app.get('/private', { config: { edge: { ttlSeconds: 60 } } }, async () => {
      calls += 1
      return new Response(`made ${calls}`, { headers: { 'cache-control': 'private' } })
    })
  })
  for (const path of ['/own', '/fwd']) {
    const first = await app.inject(path)
    const second = await app.inject(path)
    t.match(second.headers, { 'cache-status': /hit; ttl=30/, 'x-a': 'b', 'content-type': /^text\/plain/ })
    t.match(second, { statusCode: 203, body: first.body })
    t.match(await app.inject({ method: 'HEAD', url: path }), { statusCode: 203, body: '', headers: { 'x-a': 'b' } })
  }
  t.not((await app.inject('/private')).body, (await app.inject('/private')).body)
})

t.test('an error response does not replace the stored response, which is served instead if allowed', async (t) => {
  let isDown = false
  const { app, step } = await startWorld(t, (app) => {
    app.get('/x', { config: { edge: { ttlSeconds: 60, staleIfErrorSeconds: 600 } } }, async () =>
      isDown ? new Response('down', { status: 503 }) : 'good',
    )
  })
  await app.inject('/x')
  step(61)
  isDown = true
  for (let count = 0; count < 2; count += 1) {
    const { body, statusCode, headers } = await app.inject('/x')
    t.match({ body, statusCode }, { body: 'good', statusCode: 200 })
    t.match(headers['cache-status'], /stale-if-error/)
  }
})

t.test('without a body or with several cookies it is sent as without a cache', async (t) => {
  const { app } = await startWorld(t, (app) => {
    app.get('/empty', { config: { edge: { ttlSeconds: 60 } } }, async () => new Response(null, { status: 204 }))
    app.get('/cookies', { config: { edge: { ttlSeconds: 60 } } }, async () => {
      const headers = new Headers()
      for (const cookie of ['a=1', 'b=2']) headers.append('set-cookie', cookie)
      return new Response('x', { headers })
    })
  })
  for (const told of [/miss/, /hit/]) {
    t.match(await app.inject('/empty'), { statusCode: 204, body: '', headers: { 'cache-status': told } })
  }
  const { headers } = await app.inject('/cookies')
  t.match(headers, { 'set-cookie': ['a=1', 'b=2'], 'cache-status': /detail=set-cookie/, 'cache-control': /^private/ })
})

t.test('a consumed response is an error, like in Fastify', async (t) => {
  const { app } = await startWorld(t, (app) => {
    app.get('/x', { config: { edge: { ttlSeconds: 60 } } }, async () => {
      const response = new Response('x')
      await response.text()
      return response
    })
  })
  t.match(await app.inject('/x'), { statusCode: 500, body: /FST_ERR_REP_RESPONSE_BODY_CONSUMED/ })
})
