import { Readable } from 'node:stream'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import { createClock } from '../../harness/clock.js'

const { now } = createClock()

async function startEdge(t: Test) {
  const app = Fastify()
  await app.register(edge, { now })
  const config = { edge: { ttlSeconds: 60 } }
  app.get('/json', { config }, async () => ({ answer: 42 }))
  app.get('/own', { config }, async (_request, reply) =>
    reply.header('etag', 'W/"mine"').header('cache-control', 'private').send('own'),
  )
  app.get('/stream', { config }, async (_request, reply) => reply.type('text/plain').send(Readable.from(['a', 'b'])))
  app.get('/missing', { config }, async (_request, reply) => reply.code(404).send({ no: 1 }))
  app.post('/json', { config }, async () => ({ answer: 42 }))
  app.get('/plain', async () => ({ answer: 42 }))
  app.get('/off', { config: { edge: false } }, async () => ({ answer: 42 }))
  await app.ready()
  t.teardown(() => app.close())
  return app
}

t.test('a response has an entity-tag and a short lifetime for browsers', async (t) => {
  const app = await startEdge(t)
  const { headers } = await app.inject('/json')
  t.match(headers, { etag: /^"[\w-]+"$/, 'cache-control': 'max-age=5' })
})

t.test(
  'a client that has the response gets a 304 without a body and with the fields of RFC 9110 §15.4.5',
  async (t) => {
    const app = await startEdge(t)
    const { etag } = (await app.inject('/json')).headers
    const again = await app.inject({ url: '/json', headers: { 'if-none-match': String(etag) } })
    t.equal(again.statusCode, 304)
    t.equal(again.body, '')
    t.match(again.headers, { etag, 'cache-control': 'max-age=5' })
    t.notOk(again.headers['content-type'])
    t.notOk('content-length' in again.headers, 'it does not claim an empty representation')
  },
)

t.test('a HEAD request is validated like GET', async (t) => {
  const app = await startEdge(t)
  const { etag } = (await app.inject('/json')).headers
  const head = await app.inject({ method: 'HEAD', url: '/json' })
  t.equal(head.headers.etag, etag)
  t.equal(head.body, '')
  const again = await app.inject({ method: 'HEAD', url: '/json', headers: { 'if-none-match': String(etag) } })
  t.equal(again.statusCode, 304)
})

t.test('validators and Cache-Control of the handler are not changed', async (t) => {
  const app = await startEdge(t)
  const { headers } = await app.inject('/own')
  t.match(headers, { etag: 'W/"mine"', 'cache-control': 'private' })
  t.equal((await app.inject({ url: '/own', headers: { 'if-none-match': '"mine"' } })).statusCode, 304)
})

t.test('a stream gets no entity-tag', async (t) => {
  const app = await startEdge(t)
  const { headers, body } = await app.inject({ url: '/stream', headers: { 'if-none-match': '*' } })
  t.equal(body, 'ab')
  t.notOk(headers.etag)
})

t.test('errors, other methods and routes without an edge are not changed', async (t) => {
  const app = await startEdge(t)
  for (const request of [
    { method: 'GET', url: '/missing' },
    { method: 'POST', url: '/json' },
    { method: 'GET', url: '/plain' },
    { method: 'GET', url: '/off' },
  ] as const) {
    const { headers, statusCode } = await app.inject({ ...request, headers: { 'if-none-match': '*' } })
    t.not(statusCode, 304)
    t.notOk(headers.etag, `${request.method} ${request.url}`)
  }
})

t.test('a HEAD request without a stored response gets the fields of GET', async (t) => {
  const app = Fastify()
  await app.register(edge, { now })
  app.get('/x', { config: { edge: { ttlSeconds: 60, vary: ['X-Lang'] } } }, async () => 'text')
  t.teardown(() => app.close())
  const head = await app.inject({ method: 'HEAD', url: '/x' })
  const again = await app.inject({ method: 'HEAD', url: '/x', headers: { 'if-none-match': '*' } })
  const get = await app.inject('/x')
  for (const name of ['etag', 'vary', 'content-length', 'content-type'])
    t.equal(head.headers[name], get.headers[name], name)
  t.equal(head.body, '')
  t.equal(again.statusCode, 304)
})

t.test('an invalid response field fails its request alone', async (t) => {
  const app = Fastify()
  await app.register(edge, { now })
  app.addHook('onRequest', async ({ headers }, reply) => {
    if (headers['x-bad'] !== undefined) reply.header('x-ahead', 'a\u0100b')
  })
  app.get('/handler', { config: { edge: { ttlSeconds: 60 } } }, async (_request, reply) =>
    reply.header('x-a', 'a\u0100b').send('x'),
  )
  app.get('/hook', { config: { edge: { ttlSeconds: 60 } } }, async () => 'x')
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const ask = async (path: string, headers = {}) => (await fetch(url + path, { headers })).status
  t.equal(await ask('/handler'), 500)
  t.equal(await ask('/hook'), 200)
  t.equal(await ask('/hook', { 'x-bad': '1' }), 500, 'of a hit')
  t.equal(await ask('/hook'), 200)
})
