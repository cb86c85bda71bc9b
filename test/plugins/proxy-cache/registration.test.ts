import replyFrom from '@fastify/reply-from'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache, { type ProxyCacheRouteOptions } from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'
import { createLogBook } from '../../harness/log.js'
import { startScriptedOrigin } from '../../harness/scripted-origin.js'

// How the proxy cache is registered, also beside the edge, and what its routes run for hits.

async function start(t: Test) {
  const clock = createClock()
  const book = createLogBook()
  const app = Fastify({ logger: { level: 'warn', stream: book.stream } })
  t.teardown(() => app.close())
  await app.register(edge, { now: clock.now })
  await app.register(proxyCache, { now: clock.now })
  const statusOf = async (url: string, headers: Record<string, string> = {}) =>
    String((await app.inject({ url, headers })).headers['cache-status'])
  return { app, book, clock, statusOf }
}

const fresh = async (_request: FastifyRequest, reply: FastifyReply) =>
  reply.header('cache-control', 'max-age=60').send('x')
const officeOnly = async ({ headers }: FastifyRequest, reply: FastifyReply) => {
  if (headers['x-office'] === undefined) return reply.code(403).send('no')
  return undefined
}

t.test('responses of @fastify/reply-from are stored as they state', async (t) => {
  const { app, clock, statusOf } = await start(t)
  const origin = await startScriptedOrigin(clock)
  t.teardown(() => origin.close())
  origin.answer('/x', { fields: [['Cache-Control', 'max-age=60']], body: 'x' })
  await app.register(replyFrom)
  app.get('/x', { config: { proxyCache: {} } }, (request, reply) =>
    reply.from(request.url, { getUpstream: () => origin.urlFor(request.url) }),
  )
  for (const expected of [/fwd=uri-miss.*stored/, /hit/]) t.match(await statusOf('/x'), expected)
  t.equal(origin.received('/x').length, 1)
})

t.test('hooks run for hits, and one warning names those after onRequest', async (t) => {
  for (const hook of ['onRequest', 'preHandler'] as const) {
    const { app, book, statusOf } = await start(t)
    app.get('/x', { [hook]: officeOnly, config: { proxyCache: {} } }, fresh)
    const office = { 'x-office': 'yes' }
    for (const expected of [/stored/, /hit/]) t.match(await statusOf('/x', office), expected, hook)
    t.equal((await app.inject('/x')).statusCode, 403, hook)
    const warnings =
      hook === 'onRequest' ? [] : [{ kind: 'proxy-cache', routes: ['GET /x'], hooks: ['preHandler officeOnly'] }]
    t.match(book.at(40), warnings, hook)
    t.equal(book.at(40).length, warnings.length)
  }
})

t.test('hooks that are added to a list after the route are refused at the start', async (t) => {
  const { app } = await start(t)
  const hooks: (typeof officeOnly)[] = []
  app.get('/x', { onRequest: hooks, config: { proxyCache: {} } }, fresh)
  await app.after()
  hooks.push(officeOnly)
  await t.rejects(async () => app.ready(), { code: 'VITRINE_PROXY_CACHE_LATE_HOOKS', message: /GET \/x/ })
})

t.test('an asynchronous bypass is refused at registration, or fails the request', async (t) => {
  const { app } = await start(t)
  const declare = (url: string, options: ProxyCacheRouteOptions) =>
    app.get(url, { config: { proxyCache: options } }, fresh)
  t.throws(() => declare('/async', { bypass: async () => false }), { code: 'VITRINE_PROXY_CACHE_OPTION' })
  declare('/promise', { bypass: () => Promise.resolve(false) })
  t.match((await app.inject('/promise')).json(), { code: 'VITRINE_PROXY_CACHE_ASYNC_OPTION', statusCode: 500 })
})

t.test('a warning about the tags of a response names the route', async (t) => {
  const { app, book, statusOf } = await start(t)
  app.get('/x/:id', { config: { proxyCache: { tags: () => ['a b'] } } }, fresh)
  for (const url of ['/x/1', '/x/2']) t.match(await statusOf(url), /stored/)
  t.match(book.at(40), [{ kind: 'proxy-cache', method: 'GET', url: '/x/:id', msg: /an invalid tag was dropped/ }])
  t.equal(book.at(40).length, 1)
})

t.test('a request bypasses the cache when bypass returns a truthy value', async (t) => {
  const { app, statusOf } = await start(t)
  app.get('/x', { config: { proxyCache: { bypass: ({ headers }) => headers['x-debug'] } } }, fresh)
  for (const expected of [/stored/, /hit/]) t.match(await statusOf('/x'), expected)
  t.match(await statusOf('/x', { 'x-debug': '1' }), /fwd=bypass/)
})

t.test('only-if-cached without a stored response is a 504 with a code', async (t) => {
  const { app } = await start(t)
  app.get('/x', { config: { proxyCache: {} } }, fresh)
  const response = await app.inject({ url: '/x', headers: { 'cache-control': 'only-if-cached' } })
  t.match(response.json(), { code: 'VITRINE_PROXY_CACHE_ONLY_IF_CACHED', statusCode: 504 })
})

t.test(
  'the edge and the proxy cache have their own responses and counters, and unsafe requests to one invalidate both',
  async (t) => {
    const { app, statusOf } = await start(t)
    app.get('/own', { config: { edge: {} } }, fresh)
    app.get('/forwarded', { config: { proxyCache: {} } }, fresh)
    const changed = async (_request: FastifyRequest, reply: FastifyReply) =>
      reply.header('location', '/own').send('changed')
    app.post('/forwarded', { config: { proxyCache: {} } }, changed)
    for (const path of ['/own', '/forwarded']) {
      for (const expected of [/stored/, /hit/]) t.match(await statusOf(path), expected, path)
    }
    for (const { stats } of [app.edge, app.proxyCache]) {
      t.match(stats(), { requests: { hit: 1, 'uri-miss': 1, method: 0 }, stored: 1, memory: { resources: 1 } })
    }
    await app.inject({ method: 'POST', url: '/forwarded' })
    for (const path of ['/own', '/forwarded']) t.match(await statusOf(path), /fwd=uri-miss/)
    t.equal(app.proxyCache.stats().requests.method, 1)
    t.equal(app.edge.stats().requests.method, 0)
  },
)
