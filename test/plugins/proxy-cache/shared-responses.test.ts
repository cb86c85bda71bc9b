import Fastify, { type FastifyInstance } from 'fastify'
import { createTestStore } from 'fastify-vitrine/cache/testing'
import t from 'tap'
import cache from '../../../plugins/cache/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createLogBook } from '../../harness/log.js'
import { startPlugins } from '../../harness/plugins.js'

// Entries of the shared store, which other programs and versions write too.

t.test('properties of a shared entry that the proxy cache does not know are ignored', async (t) => {
  const { app } = await startPlugins(t, {
    cache: { store: createTestStore().store },
    proxyCache: {},
    routes: (app) =>
      app.get('/x', { config: { proxyCache: { shared: true } } }, async (_request, reply) =>
        reply.header('cache-control', 'max-age=60').send('x'),
      ),
  })
  const set = app.cache.set.bind(app.cache)
  let rewrite = async (_added: object): Promise<unknown> => undefined
  app.cache.set = (key, value, options) => {
    if (typeof value === 'object' && value !== null && 'body' in value) {
      rewrite = (added) => set(key, { ...value, ...added }, options)
    }
    return set(key, value, options)
  }
  await app.inject('/x')
  const unknown = { bytes: 5, isFresh: true, isOutdated: true, ttl: 5, ageAt: 1, lifetimeSeconds: 0, etag: '"1"' }
  for (const [name, value] of Object.entries(unknown)) {
    t.equal(await rewrite({ [name]: value }), true, name)
    for (const cacheStatus of [/^Vitrine-Redis; hit/, /^Vitrine; hit/]) {
      const { statusCode, body, headers } = await app.inject('/x')
      t.match({ statusCode, body, ...headers }, { statusCode: 200, body: 'x', 'cache-status': cacheStatus }, name)
    }
  }
})

const registrations: Record<string, (app: FastifyInstance) => Promise<void>> = {
  'without fastify.cache': async (app) => {
    await app.register(proxyCache)
  },
  'with a cache in memory only': async (app) => {
    await app.register(cache)
    await app.register(proxyCache)
  },
  'with a cache in memory only that is registered later': async (app) => {
    await app.register(proxyCache)
    await app.register(cache)
  },
  'with a shared store': async (app) => {
    await app.register(cache, { store: createTestStore().store })
    await app.register(proxyCache)
  },
}

for (const [name, register] of Object.entries(registrations)) {
  const hasStore = name === 'with a shared store'
  t.test(
    `${name}, shared: true ${hasStore ? 'adds a member to Cache-Status' : 'has no effect and logs one warning'}`,
    async (t) => {
      const book = createLogBook()
      const app = Fastify({ logger: { level: 'warn', stream: book.stream } })
      t.teardown(() => app.close())
      await register(app)
      for (const url of ['/x', '/y']) {
        app.get(url, { config: { proxyCache: { shared: true } } }, async (_request, reply) =>
          reply.header('cache-control', 'max-age=60').send('x'),
        )
      }
      for (const expected of hasStore
        ? [/^Vitrine-Redis; .*stored.*, Vitrine; .*stored/, /^Vitrine; hit/]
        : [/^Vitrine; .*stored/, /^Vitrine; hit/]) {
        t.match((await app.inject('/x')).headers['cache-status'], expected)
      }
      const msg =
        'shared: true has no effect: register fastify-vitrine/redis and fastify-vitrine/cache before proxy-cache'
      t.match(book.at(40), hasStore ? [] : [{ kind: 'proxy-cache', msg }])
      t.equal(book.at(40).length, hasStore ? 0 : 1)
    },
  )
}
