import { once } from 'node:events'
import { request as ask } from 'node:http'
import { Readable } from 'node:stream'
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type InjectOptions,
  type RouteShorthandOptions,
} from 'fastify'
import { createTestStore } from 'fastify-vitrine/cache/testing'
import t, { type Test } from 'tap'
import cache from '../../../plugins/cache/index.js'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createDeferred } from '../../harness/deferred.js'

// RFC 9111 §4.4: an unsafe request to any route invalidates what both HTTP caches have for its target.

const query = { type: 'object', properties: { a: { type: 'string' } } }
const own: RouteShorthandOptions = { config: { edge: { ttlSeconds: 60 } } }
const forwarded: RouteShorthandOptions = { config: { proxyCache: { ttlSeconds: 60 } } }
const reads = {
  edge: own,
  'edge with a query schema': { ...own, schema: { querystring: query } },
  'proxy cache': forwarded,
}
const writes: Record<string, RouteShorthandOptions> = {
  'a plain route': {},
  'a route of the edge': { config: { edge: {} } },
  'a route of the proxy cache': { config: { proxyCache: {} } },
}

async function start(t: Test, build: (app: FastifyInstance) => unknown) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge)
  await app.register(proxyCache)
  await build(app)
  const statusOf = async (url: string) => String((await app.inject({ url })).headers['cache-status'])
  const isStored = async (url: string) => /hit/.test(await statusOf(url))
  const change = (options: InjectOptions = {}) => app.inject({ method: 'POST', url: '/x', ...options })
  return { app, statusOf, isStored, change }
}

t.test('a successful unsafe request to any route invalidates its target in both caches', async (t) => {
  for (const [read, readOptions] of Object.entries(reads)) {
    for (const [write, writeOptions] of Object.entries(writes)) {
      const methods = ['POST', 'PUT', 'PATCH', 'DELETE', 'LINK'] as const
      const { app, isStored, statusOf } = await start(t, (app) => {
        app.addHttpMethod('LINK', { hasBody: true })
        app.get('/x', readOptions, async () => 'page')
        app.get('/other', readOptions, async () => 'page')
        for (const method of methods)
          app.route({ ...writeOptions, method, url: '/x', handler: async (_request, reply) => reply.code(204).send() })
      })
      for (const method of methods) {
        const of = `${method} to ${write}, ${read}`
        for (const url of ['/x', '/other']) await statusOf(url)
        t.ok(await isStored('/x'), of)
        await app.inject({ method, url: '/x' } as InjectOptions) // its type knows fewer methods than inject
        t.notOk(await isStored('/x'), of)
        t.ok(await isStored('/other'), of)
      }
    }
  }
})

t.test('an unsuccessful or safe request invalidates nothing', async (t) => {
  const acts: Record<string, (reply: FastifyReply) => unknown> = {
    'a client error': (reply) => reply.code(422).send('no'),
    'a server error': (reply) => reply.code(503).send('no'),
    'an exception': () => {
      throw new Error('no')
    },
  }
  for (const [name, act] of Object.entries(acts)) {
    const { isStored, statusOf, change } = await start(t, (app) => {
      app.get('/x', own, async () => 'page')
      app.post('/x', (_request, reply) => act(reply))
    })
    await statusOf('/x')
    await change()
    t.ok(await isStored('/x'), name)
  }
  const { app, isStored, statusOf } = await start(t, (app) => {
    app.get('/x', own, async () => 'page')
    app.route({ method: ['OPTIONS', 'POST'], url: '/x', handler: async () => 'page' })
  })
  await statusOf('/x')
  await app.inject({ method: 'OPTIONS', url: '/x' })
  t.ok(await isStored('/x'))
})

t.test('Location and Content-Location of the same origin are invalidated too', async (t) => {
  const send: Record<string, (reply: FastifyReply, name: string, uri: string) => unknown> = {
    'as fields': (reply, name, uri) => reply.header(name, uri).send('changed'),
    'in a web Response': (reply, name, uri) => reply.send(new Response('changed', { headers: { [name]: uri } })),
    'by Node': (reply, name, uri) =>
      reply
        .hijack()
        .raw.writeHead(200, { [name]: uri })
        .end('changed'),
  }
  for (const [how, act] of Object.entries(send)) {
    for (const field of ['location', 'content-location']) {
      for (const [uri, isInvalidated] of [
        ['/list', true],
        ['list', true],
        ['http://localhost:80/list', true],
        ['http://other.example/list', false],
        ['', false],
        ['http://[', false],
      ] as const) {
        const { isStored, statusOf, change } = await start(t, (app) => {
          app.get('/list', forwarded, async () => 'page')
          app.get('/own', own, async () => 'page')
          app.post('/x', (_request, reply) => act(reply, field, uri))
        })
        for (const url of ['/list', '/own']) await statusOf(url)
        await change({ headers: { host: 'localhost:80' } })
        t.equal(await isStored('/list'), !isInvalidated, `${how}: ${field}: ${uri}`)
        t.ok(await isStored('/own'))
      }
    }
  }
})

t.test('the target is invalidated before the client has the response', async (t) => {
  for (const options of [own, forwarded]) {
    const { app } = await start(t, (app) => {
      app.get('/x', options, async () => 'page')
      app.post('/x', async (_request, reply) => {
        const body = new Readable({ read() {} })
        body.push('begun')
        return reply.type('text/plain').send(body)
      })
    })
    const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/x`
    const statusOf = async () => (await fetch(url)).headers.get('cache-status')
    for (const cacheStatus of [/stored/, /hit/]) t.match(await statusOf(), cacheStatus)
    const changing = ask(url, { method: 'POST', agent: false }).end()
    const [response] = await once(changing, 'response')
    t.match(await statusOf(), /stored/)
    response.on('error', () => undefined)
    changing.destroy()
  }
})

t.test('a response that was requested before an unsafe request is not stored after it', async (t) => {
  for (const options of Object.values(reads)) {
    const [begun, page] = [createDeferred<void>(), createDeferred<string>()]
    const { app, isStored, change } = await start(t, (app) => {
      app.get('/x', options, () => {
        begun.resolve()
        return page.promise
      })
      app.post('/x', async () => 'changed')
    })
    const old = app.inject({ url: '/x' }).then((response) => response) // which sends it
    await begun.promise
    await change()
    page.resolve('old')
    t.match((await old).headers['cache-status'], /detail=invalidated/)
    t.notOk(await isStored('/x'))
  }
})

t.test('routes of safe methods get no hook', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge)
  await app.register(proxyCache)
  const hooks: Record<string, unknown> = {}
  app.addHook('onRoute', ({ method, onSend, onResponse }) => {
    hooks[String(method)] = [[onSend ?? []].flat().length, [onResponse ?? []].flat().length]
  })
  app.get('/x', { exposeHeadRoute: false }, async () => 'page')
  app.options('/x', async () => 'page')
  app.post('/x', async () => 'page')
  await app.ready()
  t.same(hooks, { GET: [0, 0], OPTIONS: [0, 0], POST: [2, 2] })
})

t.test('an unsafe request to a plain route invalidates the shared store', async (t) => {
  const { store } = createTestStore()
  let count = 0
  const startProcess = async () => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(cache, { store })
    await app.register(proxyCache)
    app.get('/x', { config: { proxyCache: { ttlSeconds: 60, shared: true } } }, async () => {
      count += 1
      return `page ${count}`
    })
    app.post('/x', async () => 'changed')
    return app
  }
  const one = await startProcess()
  t.equal((await one.inject('/x')).body, 'page 1')
  t.equal((await (await startProcess()).inject('/x')).body, 'page 1')
  await one.inject({ method: 'POST', url: '/x' })
  t.equal((await (await startProcess()).inject('/x')).body, 'page 2')
})
