import t from 'tap'
import { startPlugins } from '../../harness/plugins.js'

// Entries of the shared store, which other programs and versions write too.

t.test('properties of a shared entry that the proxy cache does not know are ignored', async (t) => {
  const { app } = await startPlugins(t, {
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
