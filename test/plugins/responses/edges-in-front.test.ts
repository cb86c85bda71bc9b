import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createClock } from '../../harness/clock.js'
import { startPlugins } from '../../harness/plugins.js'
import { until } from '../../harness/until.js'

// Fields for caches in front, which must not store what they could not purge. RFC 9213.

const { now } = createClock()
const explicit = { 'cache-control': 'public, max-age=3600' }

/** A stream that reads from the data cache after it has begun. */
function readLate(app: FastifyInstance, tag: string): Readable {
  return Readable.from(
    (async function* () {
      yield 'late '
      yield await app.cache.fetch(`late ${tag}`, () => tag, { tags: [tag] })
    })(),
  )
}

t.test('the first response has the same tags as a hit', async (t) => {
  const { app } = await startPlugins(t, {
    cache: { now },
    edge: { now },
    proxyCache: { now },
    routes: (app) => {
      const read = () => app.cache.fetch('k', () => 'value', { tags: ['read'] })
      for (const [path, config] of [
        ['/fwd', { proxyCache: { tags: ['listed'] } }],
        ['/own', { edge: { ttlSeconds: 60, tags: ['listed'] } }],
      ] as const) {
        app.get(path, { config }, async (_request, reply) =>
          reply.headers({ ...explicit, 'surrogate-key': 'stated' }).send(await read()),
        )
        app.get(`${path}/stream`, { config }, async (_request, reply) =>
          reply.headers({ ...explicit, 'surrogate-key': 'stated' }).send(Readable.from([await read()])),
        )
      }
    },
  })
  for (const path of ['/fwd', '/own', '/fwd/stream', '/own/stream']) {
    for (const cacheStatus of [/miss/, /hit/]) {
      const { headers } = await app.inject(path)
      t.match(headers, { 'cache-status': cacheStatus, 'surrogate-key': 'listed stated read', ...explicit }, path)
    }
  }
  for (const path of ['/fwd', '/own', '/fwd/stream']) {
    t.notOk((await app.inject(`${path}?again`)).headers['cdn-cache-control'], `${path} may be stored in front`)
  }
})

t.test('a response with unknown tags must not be stored in front', async (t) => {
  const { app } = await startPlugins(t, {
    cache: { now },
    edge: { now, ttlSeconds: 60 },
    routes: (app) => {
      app.get('/late', { config: { edge: {} } }, async (_request, reply) =>
        reply.headers(explicit).send(readLate(app, 'late')),
      )
      const tags = () => {
        throw new Error('no tags')
      }
      app.get('/failing', { config: { edge: { tags } } }, async (_request, reply) => reply.headers(explicit).send('x'))
      app.get('/purged', { config: { edge: { tags: ['purged'] } } }, async (_request, reply) => {
        await app.cache.purge({ tags: ['purged'] })
        return reply.headers(explicit).send('old')
      })
    },
  })
  for (const path of ['/late', '/failing', '/purged']) {
    t.match((await app.inject(path)).headers, { 'cdn-cache-control': 'no-store', ...explicit }, path)
  }
  const { headers } = await app.inject('/late')
  t.match(headers, { 'cache-status': /hit/, 'surrogate-key': 'late' })
  t.notOk(headers['cdn-cache-control'])
})

t.test('a response with more tags than the field can hold must not be stored in front', async (t) => {
  const clock = createClock()
  const tags = Array.from({ length: 257 }, (_, index) => `t${index}`)
  const { app } = await startPlugins(t, {
    cache: { now: clock.now },
    edge: { now: clock.now },
    proxyCache: { now: clock.now },
    routes: (app) => {
      app.get('/fwd', { config: { proxyCache: { tags } } }, async ({ headers }, reply) => {
        reply.headers({ 'cache-control': 'public, max-age=60', etag: '"a"' })
        return headers['if-none-match'] === '"a"' ? reply.code(304).send() : reply.send('x')
      })
      app.get('/own', { config: { edge: { ttlSeconds: 60, tags } } }, async (_request, reply) =>
        reply.headers(explicit).send('x'),
      )
      app.get('/silent', { config: { edge: { ttlSeconds: 60, tags } } }, async () => 'x')
    },
  })
  for (const path of ['/fwd', '/own', '/silent']) {
    for (const cacheStatus of [/miss/, /hit/]) {
      const { headers } = await app.inject(path)
      t.match(headers, { 'cache-status': cacheStatus, 'cdn-cache-control': 'no-store' }, path)
      t.notOk(headers['surrogate-key'])
    }
  }
  clock.step(61)
  t.match((await app.inject('/fwd')).headers, { 'cache-status': /fwd=stale.*stored/, 'cdn-cache-control': 'no-store' })
  t.match((await app.inject('/fwd')).headers, { 'cache-status': /hit/, 'cdn-cache-control': 'no-store' })
})

t.test('a confirmed response has the lifetimes for CDNs and browsers again', async (t) => {
  const clock = createClock()
  const { app } = await startPlugins(t, {
    cache: { now: clock.now },
    edge: { now: clock.now },
    routes: (app) => {
      app.get('/x', { config: { edge: { ttlSeconds: 60 } } }, async ({ headers }, reply) => {
        reply.header('etag', '"a"')
        return headers['if-none-match'] === '"a"' ? reply.code(304).send() : 'x'
      })
    },
  })
  const cacheStatus = { 'cdn-cache-control': 'max-age=60', 'cache-control': 'max-age=5' }
  t.match((await app.inject('/x')).headers, cacheStatus)
  clock.step(61)
  t.match((await app.inject('/x')).headers, { ...cacheStatus, 'cache-status': /fwd=stale; fwd-status=304/ })
  t.ok(await until(async () => /hit/.test(String((await app.inject('/x')).headers['cache-status']))))
})

t.test('a purged response is a last resort only with stale-if-error, and carries no-cache', async (t) => {
  let isDown = false
  const { app } = await startPlugins(t, {
    cache: { now },
    edge: { now },
    proxyCache: { now },
    routes: (app) => {
      for (const [path, config] of [
        ['/own', { edge: { ttlSeconds: 60, tags: ['t'], staleIfErrorSeconds: 600 } }],
        ['/fwd', { proxyCache: { tags: ['t'], staleIfErrorSeconds: 600 } }],
        ['/own/never', { edge: { ttlSeconds: 60, tags: ['t'] } }],
        ['/fwd/never', { proxyCache: { tags: ['t'] } }],
      ] as const) {
        app.get(path, { config }, async (_request, reply) => {
          if (isDown) return reply.code(503).send('down')
          return path.startsWith('/fwd') ? reply.headers({ 'cache-control': 'max-age=60' }).send('old') : 'old'
        })
      }
    },
  })
  const paths = ['/own', '/fwd', '/own/never', '/fwd/never']
  for (const path of paths) await app.inject(path)
  isDown = true
  for (const path of paths) t.equal((await app.inject(path)).body, 'old', `${path} is fresh`)
  await app.cache.purge({ tags: ['t'] })
  for (const path of ['/own', '/fwd']) {
    for (const which of ['after a failure', 'during the back-off']) {
      const { statusCode, body, headers } = await app.inject(path)
      t.strictSame([statusCode, body], [200, 'old'], `${path}, ${which}`)
      t.match(headers['cache-status'], /ttl=0; detail=stale-if-error/)
      t.equal(headers['cache-control'], 'no-cache')
      t.equal(headers['cdn-cache-control'], undefined)
    }
  }
  for (const path of ['/own/never', '/fwd/never']) t.equal((await app.inject(path)).statusCode, 503, path)
})
