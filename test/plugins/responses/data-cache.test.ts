import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import cache from '../../../plugins/cache/index.js'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'

// A response depends on the data cache that its route sees, wherever the HTTP cache is registered.

const configs = { edge: { edge: { ttlSeconds: 60 } }, 'proxy cache': { proxyCache: { ttlSeconds: 60 } } } as const

async function start(t: Test, build: (app: FastifyInstance) => unknown) {
  const app = Fastify()
  t.teardown(() => app.close())
  await build(app)
  const get = async (url: string) => {
    const { body, headers } = await app.inject({ url })
    return { body, cacheStatus: String(headers['cache-status']) }
  }
  return { app, get }
}

const httpCaches = async (app: FastifyInstance) => {
  await app.register(edge)
  await app.register(proxyCache)
}

t.test('a purge of the cache of a plugin reaches the responses of its routes', async (t) => {
  for (const hook of [false, true]) {
    for (const [kind, config] of Object.entries(configs)) {
      const of = `${kind}, ${hook ? 'with' : 'without'} a later hook`
      const versions = { one: 1, two: 1 }
      const purge: Record<string, () => Promise<unknown>> = {}
      const child = (name: 'one' | 'two') => async (app: FastifyInstance) => {
        await app.register(cache, { keyPrefix: `${name}_` })
        if (hook) app.addHook('preHandler', async () => undefined)
        app.get(`/${name}`, { config }, () => app.cache.fetch('x', () => `v${versions[name]}`, { tags: ['x'] }))
        purge[name] = () => app.cache.purge({ tags: ['x'] })
      }
      const { get } = await start(t, async (app) => {
        await httpCaches(app)
        await app.register(child('one'))
        await app.register(child('two'))
      })
      for (const cacheStatus of [/stored/, /hit/]) {
        for (const name of ['one', 'two']) t.match(await get(`/${name}`), { body: 'v1', cacheStatus }, of)
      }
      versions.one = 2
      await purge.one?.()
      t.match(await get('/one'), { body: 'v2', cacheStatus: /fwd=stale/ }, of)
      t.match(await get('/two'), { body: 'v1', cacheStatus: /hit/ }, of)
    }
  }
})

t.test('an HTTP cache of a plugin depends on the data cache of the application', async (t) => {
  for (const [kind, config] of Object.entries(configs)) {
    let version = 1
    const { app, get } = await start(t, async (app) => {
      await app.register(cache)
      await app.register(async (child) => {
        await httpCaches(child)
        child.get('/x', { config }, () => child.cache.fetch('x', () => `v${version}`, { tags: ['x'] }))
      })
    })
    for (const cacheStatus of [/stored/, /hit/]) t.match(await get('/x'), { body: 'v1', cacheStatus }, kind)
    version = 2
    await app.cache.purge({ tags: ['x'] })
    t.match(await get('/x'), { body: 'v2', cacheStatus: /fwd=stale/ }, kind)
  }
})

t.test('a cache that is registered after the HTTP cache is tracked', async (t) => {
  for (const [kind, config] of Object.entries(configs)) {
    let version = 1
    const { app, get } = await start(t, async (app) => {
      await httpCaches(app)
      await app.register(cache)
      app.get('/x', { config }, () => app.cache.fetch('x', () => `v${version}`, { tags: ['x'] }))
    })
    await get('/x')
    version = 2
    await app.cache.purge({ tags: ['x'] })
    t.match(await get('/x'), { body: 'v2' }, kind)
  }
})

t.test('another decorator named cache is ignored', async (t) => {
  for (const value of [new Map(), null, 'text', () => undefined]) {
    const { get } = await start(t, async (app) => {
      app.decorate('cache', value as never) // an application's own
      await app.register(edge)
      app.get('/x', { config: configs.edge }, async () => 'page')
    })
    for (const cacheStatus of [/stored/, /hit/]) t.match(await get('/x'), { body: 'page', cacheStatus })
  }
})
