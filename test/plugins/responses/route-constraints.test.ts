import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createLogBook } from '../../harness/log.js'

// Routes with one URL between which Fastify chooses by request fields: no cache may mix them up.

const kinds = ['edge', 'proxyCache'] as const

async function start(t: Test, declare: (app: FastifyInstance) => unknown) {
  const book = createLogBook()
  const app = Fastify({ logger: { level: 'warn', stream: book.stream } })
  t.teardown(() => app.close())
  app.addConstraintStrategy({
    name: 'device',
    storage: () => {
      const routes = new Map<unknown, unknown>()
      // Fastify's types of handlers in a store are not exported.
      return {
        get: (value) => (routes.get(value) as never) ?? null,
        set: (value, handler) => void routes.set(value, handler),
      }
    },
    deriveConstraint: ({ headers }) => headers['x-device'] ?? '',
    validate: () => true,
  })
  await app.register(edge)
  await app.register(proxyCache)
  await declare(app)
  const ask = async (headers: Record<string, string> = {}) => {
    const response = await app.inject({ url: '/x', headers })
    const { vary, 'cache-status': cacheStatus } = response.headers
    return { body: response.body, vary: String(vary), cacheStatus: String(cacheStatus) }
  }
  return { app, book, ask }
}

t.test('responses of routes with versions vary by Accept-Version, also that of the route without one', async (t) => {
  for (const kind of kinds) {
    const { ask } = await start(t, (app) => {
      for (const version of [undefined, '1.2.0', '2.0.0']) {
        app.route({
          method: 'GET',
          url: '/x',
          ...(version === undefined ? {} : { constraints: { version } }),
          config: { [kind]: { ttlSeconds: 60 } },
          handler: async () => `version ${version}`,
        })
      }
    })
    for (const cacheStatus of [/stored/, /hit/]) {
      for (const [headers, body] of [
        [{}, 'version undefined'],
        [{ 'accept-version': '1.2.0' }, 'version 1.2.0'],
        [{ 'accept-version': '2.x' }, 'version 2.0.0'],
      ] as const) {
        t.match(await ask(headers), { body, cacheStatus, vary: /accept-version/i }, `${kind}: ${body}`)
      }
    }
    t.match(await ask({ 'accept-version': '2.0.0' }), { body: 'version 2.0.0', cacheStatus: /hit/ }, 'by route')
  }
})

t.test('Vary: Accept-Version of a hook or handler is no reason not to store, with or without a version', async (t) => {
  for (const isByHook of [true, false]) {
    const { ask, book } = await start(t, (app) => {
      if (isByHook) {
        app.addHook('onRequest', async (_request, reply) => {
          reply.header('vary', 'Accept-Version')
        })
      }
      app.get('/other', { constraints: { version: '1.0.0' } }, async () => 'other')
      app.get(
        '/x',
        { constraints: { version: '1.0.0' }, config: { edge: { ttlSeconds: 60 } } },
        async (_request, reply) => reply.headers(isByHook ? {} : { vary: 'accept-version' }).send('x'),
      )
    })
    for (const cacheStatus of [/stored/, /hit/]) t.match(await ask({ 'accept-version': '1.x' }), { cacheStatus })
    t.match(await ask({ 'accept-version': '1.0.0' }), { cacheStatus: /hit/, vary: /accept-version/i })
    t.strictSame(book.at(40), [])
  }
})

t.test('without versions nothing varies by them', async (t) => {
  for (const kind of kinds) {
    const { ask } = await start(t, (app) => app.get('/x', { config: { [kind]: { ttlSeconds: 60 } } }, async () => 'x'))
    for (const cacheStatus of [/stored/, /hit/]) {
      const answer = await ask()
      t.match(answer, { cacheStatus })
      t.notMatch(answer.vary, /version/i)
    }
  }
})

t.test('routes by host need no Vary, because caches have the host in the URL', async (t) => {
  for (const kind of kinds) {
    const { ask } = await start(t, (app) => {
      for (const host of ['a.test', 'b.test']) {
        app.get('/x', { constraints: { host }, config: { [kind]: { ttlSeconds: 60 } } }, async () => host)
      }
    })
    for (const cacheStatus of [/stored/, /hit/]) {
      for (const host of ['a.test', 'b.test'])
        t.match(await ask({ host }), { body: host, cacheStatus }, `${kind}: ${host}`)
    }
  }
})

t.test('a constraint of the application is refused at the start unless vary names its headers', async (t) => {
  const codes = { edge: 'VITRINE_EDGE_OPTION', proxyCache: 'VITRINE_PROXY_CACHE_OPTION' }
  for (const kind of kinds) {
    for (const constrained of ['the cached route', 'another route with its URL']) {
      const isOther = constrained !== 'the cached route'
      const declare = (vary: string[]) => (app: FastifyInstance) => {
        app.get(
          '/x',
          { constraints: { device: 'tv' }, ...(isOther ? {} : { config: { [kind]: { ttlSeconds: 60, vary } } }) },
          async () => 'tv',
        )
        if (isOther) app.get('/x', { config: { [kind]: { ttlSeconds: 60, vary } } }, async () => 'any')
      }
      const refused = await start(t, declare([]))
      await t.rejects(
        async () => refused.app.ready(),
        { code: codes[kind], message: /GET \/x: name the request headers of the constraint device in vary/ },
        `${kind}: ${constrained}`,
      )
      const { ask } = await start(t, declare(['x-device']))
      t.match(await ask({ 'x-device': 'tv' }), { body: 'tv' })
      if (isOther) t.match(await ask(), { body: 'any', vary: /x-device/i })
    }
  }
})
