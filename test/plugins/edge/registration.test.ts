import { once } from 'node:events'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import compress from '@fastify/compress'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import cache from '../../../plugins/cache/index.js'
import edge, { type EdgeOptions } from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'
import { createLogBook } from '../../harness/log.js'

// Where the edge may be registered, and which routes share responses.

const { now } = createClock()

async function start(t: Test, options: EdgeOptions = { ttlSeconds: 60 }) {
  const book = createLogBook()
  const app = Fastify({ logger: { level: 'warn', stream: book.stream } })
  t.teardown(() => app.close())
  await app.register(cache, { now })
  await app.register(edge, { now, ...options })
  await app.register(proxyCache, { now })
  const statusOf = async (url: string, headers: Record<string, string> = {}) =>
    (await app.inject({ url, headers })).headers['cache-status']
  return { app, book, statusOf }
}

t.test('routes with one URL and different constraints do not share responses', async (t) => {
  const { app } = await start(t)
  const schema = { querystring: { type: 'object', properties: { a: { type: 'string' } } } }
  for (const host of ['a.test', 'b.test']) {
    app.get('/x', { schema, constraints: { host }, config: { edge: {} } }, async () => host)
  }
  for (const host of ['a.test', 'b.test', 'a.test', 'b.test']) {
    t.equal((await app.inject({ url: '/x', headers: { host } })).body, host)
  }
})

t.test(
  'routes with one URL and different versions do not share responses, and one POST invalidates both',
  async (t) => {
    for (const config of [{ edge: { ttlSeconds: 60 } }, { proxyCache: {} }]) {
      const { app } = await start(t)
      let count = 0
      for (const version of ['1.0.0', '2.0.0']) {
        app.get('/x', { constraints: { version }, config }, async (_request, reply) => {
          count += 1
          reply.header('cache-control', 'public, max-age=60')
          return `${version} ${count}`
        })
      }
      app.post('/x', { config }, async () => 'changed')
      const read = async (version: string) =>
        (await app.inject({ url: '/x', headers: { 'accept-version': version } })).body
      const bodies = [await read('1.x'), await read('2.x'), await read('1.x'), await read('2.x')]
      t.strictSame(bodies, ['1.0.0 1', '2.0.0 2', '1.0.0 1', '2.0.0 2'])
      await app.inject({ method: 'POST', url: '/x' })
      t.equal(await read('1.x'), '1.0.0 3', 'the POST invalidates both')
      t.equal(await read('2.x'), '2.0.0 4')
    }
  },
)

t.test('two registrations in different plugins have their own responses and names', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cache, { now })
  for (const name of ['One', 'Two']) {
    await app.register(async (child) => {
      await child.register(edge, { now, ttlSeconds: 60, name })
      child.get(`/${name}`, { config: { edge: {} } }, async () => name)
    })
  }
  for (const name of ['One', 'Two']) {
    await app.inject(`/${name}`)
    const { body, headers } = await app.inject(`/${name}`)
    t.equal(body, name)
    t.equal(headers['cache-status'], `${name}; hit; ttl=60`)
  }
})

t.test('a route of several methods answers HEAD with the response to GET, which POST invalidates', async (t) => {
  const { app, statusOf } = await start(t)
  let count = 0
  const handler = async () => String(++count)
  app.route({ method: ['GET', 'POST'], url: '/x', config: { edge: {} }, handler })
  await app.inject('/x')
  const head = await app.inject({ method: 'HEAD', url: '/x' })
  t.match(head.headers, { 'cache-status': /hit/, 'content-length': '1' })
  t.equal(head.body, '')
  await app.inject({ method: 'POST', url: '/x' })
  t.match(await statusOf('/x'), /fwd=uri-miss/)
})

t.test('over HTTP/2 it answers GET, HEAD and conditions, and masks the request', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(() => app.close())
  await app.register(cache, { now })
  await app.register(edge, { now, ttlSeconds: 60 })
  const schema = { querystring: { type: 'object', properties: { a: { type: 'string' } } } }
  app.get('/x', { schema, config: { edge: { ignoreCredentials: true } } }, async (request, reply) => {
    reply.header('x-list', ['a', 'b'])
    return { names: Object.keys(request.headers), url: request.url }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo // a TCP server that listens has no other kind of address
  const session = connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.close())
  const ask = async (fields: Record<string, string>) => {
    const stream = session.request({ ':path': '/x?a=1&secret=2', cookie: 'b=c', ...fields })
    const [head] = await once(stream, 'response')
    let body = ''
    for await (const chunk of stream.setEncoding('utf8')) body += chunk
    return { head, body }
  }
  const first = await ask({})
  t.strictSame(JSON.parse(first.body), { names: [], url: '/x?a=1' })
  const second = await ask({})
  t.match(second.head, { ':status': 200, 'cache-status': 'Vitrine; hit; ttl=60', 'x-list': 'a, b' })
  t.equal(second.body, first.body)
  t.match(await ask({ ':method': 'HEAD' }), { head: { ':status': 200, 'cache-status': /hit/ }, body: '' })
  t.match(await ask({ 'if-none-match': String(first.head.etag) }), { head: { ':status': 304 }, body: '' })
})

t.test('the data cache may be registered after the edge', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge, { now, ttlSeconds: 60 })
  await app.register(cache, { now })
  app.get('/x', { config: { edge: {} } }, () => app.cache.fetch('k', () => 1, { tags: ['one'] }))
  t.equal((await app.inject('/x')).headers['surrogate-key'], 'one')
  await app.cache.purge({ tags: ['one'] })
  t.match((await app.inject('/x')).headers['cache-status'], /fwd=stale/)
})

t.test('it stores responses without a data cache', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge, { now, ttlSeconds: 60 })
  app.get('/x', { config: { edge: { tags: ['one'] } } }, async () => 'x')
  await app.inject('/x')
  t.match((await app.inject('/x')).headers, { 'cache-status': /hit/, 'surrogate-key': 'one' })
})

t.test('a response is not stored if the tags function fails, and a warning says why', async (t) => {
  const { app, book, statusOf } = await start(t)
  const fail = () => {
    throw new Error('no tags today')
  }
  app.get('/x', { config: { edge: { tags: fail } } }, async () => 'x')
  for (let count = 0; count < 2; count += 1) t.match(await statusOf('/x'), /fwd=uri-miss; .*detail=tags/)
  t.match(book.at(40), [{ kind: 'edge', method: 'GET', url: '/x', msg: /no tags today/ }])
  t.equal(book.at(40).length, 1, 'once')
})

t.test('a response with an unkeyed Vary is not stored, and a warning names the route', async (t) => {
  const { app, book, statusOf } = await start(t)
  for (const url of ['/x', '/y/:id']) {
    app.get(url, { config: { edge: {} } }, async (_request, reply) => reply.header('vary', 'x-tenant').send('x'))
  }
  for (const url of ['/x', '/y/1', '/y/2']) t.match(await statusOf(url), /detail=vary/)
  const msg = /varies by x-tenant/
  t.match(book.at(40), [
    { kind: 'edge', method: 'GET', url: '/x', msg },
    { kind: 'edge', method: 'GET', url: '/y/:id', msg },
  ])
  t.equal(book.at(40).length, 2)
})

t.test('one warning names the hooks that hits wait for, and the routes that have them', async (t) => {
  const { app, book } = await start(t)
  const onlyStaff = async () => undefined
  const preParsing = async () => undefined
  for (const url of ['/x', '/y']) app.get(url, { preHandler: onlyStaff, config: { edge: {} } }, async () => url)
  app.get('/z', { preParsing, preHandler: onlyStaff, config: { edge: {} } }, async () => 'z')
  app.get('/none', { config: { edge: {} } }, async () => 'none')
  await app.ready()
  const warnings = book.at(40)
  t.match(warnings, [
    { kind: 'edge', routes: ['GET /x', 'GET /y'], hooks: ['preHandler onlyStaff'] },
    { kind: 'edge', routes: ['GET /z'], hooks: ['preParsing', 'preHandler onlyStaff'] },
  ])
  t.strictSame(warnings[1]?.hooks, ['preParsing', 'preHandler onlyStaff'])
  t.equal(warnings.length, 2)
})

t.test('without global decompression @fastify/compress adds no hook that hits wait for', async (t) => {
  for (const [globalDecompression, count] of [
    [true, 1],
    [false, 0],
  ] as const) {
    const { app, book } = await start(t)
    await app.register(compress, { globalDecompression })
    app.get('/x', { config: { edge: {} } }, async () => 'x')
    await app.ready()
    t.match(book.at(40), [{ hooks: ['preParsing of @fastify/compress'] }].slice(0, count))
    t.equal(book.at(40).length, count)
  }
})

t.test('a hit has the response fields that hooks set for its request', async (t) => {
  const { app } = await start(t)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('vary', 'Origin').header('access-control-allow-origin', request.headers.origin ?? '*')
  })
  app.get('/x', { config: { edge: {} } }, async (_request, reply) => reply.header('x-list', ['a', 'b']).send('x'))
  await app.inject({ url: '/x', headers: { origin: 'http://one.test' } })
  const { headers } = await app.inject({ url: '/x', headers: { origin: 'http://two.test' } })
  t.match(headers, { 'cache-status': /hit/, 'access-control-allow-origin': 'http://two.test', vary: /Origin/ })
  t.strictSame(headers['x-list'], ['a', 'b'])
})

t.test('the application closes while collapsed requests wait', async (t) => {
  const app = Fastify({ forceCloseConnections: true })
  await app.register(edge, { now, ttlSeconds: 60, collapseTimeoutMs: 60_000 })
  let calls = 0
  app.get('/hang', { config: { edge: {} } }, () => {
    calls += 1
    return new Promise(() => undefined)
  })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const asked = [1, 2, 3].map(() => fetch(`${address}/hang`).then(String, () => 'broken off'))
  while (calls === 0) await new Promise(setImmediate)
  await app.close()
  t.strictSame(await Promise.all(asked), ['broken off', 'broken off', 'broken off'])
  t.equal(calls, 1)
})
