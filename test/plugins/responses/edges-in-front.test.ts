import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { lifetimeIn } from '../../harness/caches-in-front.js'
import { createClock } from '../../harness/clock.js'
import { startPlugins } from '../../harness/plugins.js'
import { until } from '../../harness/until.js'

// Fields for caches in front, which must not store what they could not purge. RFC 9213.

const { now } = createClock()
/** Kinds of caches in front, in `test/harness/caches-in-front.ts`. */
const fronts = ['fastly', 'surrogate', 'targeted', 'plain'] as const
const withTargets = ['fastly', 'surrogate', 'targeted'] as const
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
    const { headers } = await app.inject(path)
    t.match(headers, { 'cdn-cache-control': 'no-store', ...explicit }, path)
    for (const front of withTargets) t.equal(lifetimeIn(front, headers), undefined, `${path}: ${front}`)
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
      for (const front of withTargets) t.equal(lifetimeIn(front, headers), undefined, `${path}: ${front}`)
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

t.test('a purged response is a last resort only with stale-if-error, and is for browsers only', async (t) => {
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
      t.equal(headers['cache-control'], 'private, no-cache')
      t.equal(headers['cdn-cache-control'], undefined)
      t.equal(headers['surrogate-control'], undefined)
      for (const front of fronts) t.equal(lifetimeIn(front, headers), undefined, front)
    }
  }
  for (const path of ['/own/never', '/fwd/never']) t.equal((await app.inject(path)).statusCode, 503, path)
})

t.test('what must not be shared is not stored in front, whatever a cache there honours', async (t) => {
  const { app } = await startPlugins(t, {
    edge: { now, ttlSeconds: 60 },
    routes: (app) => {
      app.get('/silent', { config: { edge: {} } }, async () => 'x')
      app.get('/cookie', { config: { edge: {} } }, async (_request, reply) =>
        reply.header('set-cookie', 'sid=1').send('x'),
      )
      app.get(
        '/explicit',
        { config: { edge: { bypass: ({ headers }) => headers['x-debug'] } } },
        async (_request, reply) => reply.headers(explicit).send('x'),
      )
      app.get('/targeted', { config: { edge: {} } }, async (_request, reply) =>
        reply.headers({ 'cdn-cache-control': 'max-age=60', 'surrogate-control': 'max-age=60' }).send('x'),
      )
      app.get('/forbidden', { config: { edge: {} } }, async (_request, reply) =>
        reply.header('cache-control', 'no-store').send('x'),
      )
    },
  })
  const cookie = { cookie: 'sid=1' }
  const debug = { 'x-debug': '1' }
  const noStore = { 'cdn-cache-control': 'no-store' }
  const cases = [
    { name: 'bypassed by a cookie', url: '/silent', headers: cookie, says: { 'cache-control': 'private, no-store' } },
    {
      name: 'of a response with a cookie',
      url: '/cookie',
      headers: {},
      says: { 'cache-control': 'private, no-store' },
    },
    {
      name: 'bypassed, with a lifetime of its own',
      url: '/explicit',
      headers: debug,
      says: { ...explicit, ...noStore },
    },
    { name: 'bypassed, with a lifetime for CDNs', url: '/targeted', headers: cookie, says: noStore },
    {
      name: 'forbidden by the handler',
      url: '/forbidden',
      headers: {},
      says: { 'cache-control': 'no-store', ...noStore },
    },
  ]
  for (const { name, url, headers: sent, says } of cases) {
    const { headers } = await app.inject({ url, headers: sent })
    t.match(headers, says, name)
    for (const front of withTargets)
      t.equal(lifetimeIn(front, { ...headers, 'set-cookie': undefined }), undefined, `${name}: ${front}`)
  }
})

t.test('a response that is not stored may be validated by browsers, and is not stored in front', async (t) => {
  const { app } = await startPlugins(t, {
    edge: { now },
    routes: (app) => {
      app.get('/x', { config: { edge: {} } }, async () => 'x')
      app.get('/fails', { config: { edge: { ttlSeconds: 60 } } }, async (_request, reply) =>
        reply.code(503).send('down'),
      )
    },
  })
  for (const url of ['/x', '/fails']) {
    const { headers } = await app.inject(url)
    t.match(headers, { 'cache-control': 'private, no-cache' }, url)
    for (const front of fronts) t.equal(lifetimeIn(front, headers), undefined, `${url}: ${front}`)
  }
  t.ok((await app.inject('/x')).headers.etag)
})

t.test(
  'surrogates get the same lifetime and stale windows as other CDNs, with the first response and with hits',
  async (t) => {
    const { app } = await startPlugins(t, {
      edge: { now, ttlSeconds: 60, staleWhileRevalidateSeconds: 30, staleIfErrorSeconds: 600 },
      routes: (app) => {
        app.get('/x', { config: { edge: { tags: ['t'] } } }, async () => 'x')
      },
    })
    for (const cacheStatus of [/stored/, /hit/]) {
      const { headers } = await app.inject('/x')
      t.match(headers, { 'cache-status': cacheStatus, 'surrogate-key': 't' })
      t.equal(headers['surrogate-control'], 'max-age=60, stale-while-revalidate=30, stale-if-error=600')
      t.equal(headers['cdn-cache-control'], headers['surrogate-control'])
      for (const front of ['fastly', 'surrogate', 'targeted'] as const) t.equal(lifetimeIn(front, headers), 60, front)
      t.equal(lifetimeIn('plain', headers), 5)
    }
  },
)

t.test('fields for CDNs that the handler sets stay as they are', async (t) => {
  const stated = { 'surrogate-control': 'max-age=5' }
  const { app } = await startPlugins(t, {
    edge: { now, ttlSeconds: 60 },
    routes: (app) => {
      app.get('/x', { config: { edge: {} } }, async (_request, reply) => reply.headers(stated).send('x'))
    },
  })
  for (const cacheStatus of [/stored/, /hit/]) {
    t.match((await app.inject('/x')).headers, {
      ...stated,
      'cdn-cache-control': 'max-age=60',
      'cache-status': cacheStatus,
    })
  }
})

t.test('tags that do not fit into the bytes of the option are not sent, with one warning', async (t) => {
  const tags = Array.from({ length: 40 }, (_, index) => `${index}`.padStart(120, 't'))
  for (const [maxTagHeaderBytes, isSent] of [
    [undefined, false],
    [16_384, true],
  ] as const) {
    const options = { now, ...(maxTagHeaderBytes === undefined ? {} : { maxTagHeaderBytes }) }
    const { app, book } = await startPlugins(t, {
      edge: { ...options, ttlSeconds: 60 },
      proxyCache: options,
      routes: (app) => {
        app.get('/own', { config: { edge: { tags } } }, async () => 'x')
        app.get('/fwd', { config: { proxyCache: { ttlSeconds: 60, tags } } }, async () => 'x')
      },
    })
    for (const path of ['/own', '/fwd', '/own', '/fwd']) {
      const { headers } = await app.inject(path)
      t.equal(headers['surrogate-key'], isSent ? tags.join(' ') : undefined, path)
      if (!isSent) {
        for (const front of withTargets) t.equal(lifetimeIn(front, headers), undefined, `${path}: ${front}`)
      }
    }
    const warnings = book.at(40).filter(({ msg }) => /do not fit into Surrogate-Key/.test(String(msg)))
    t.strictSame(
      warnings.map(({ url }) => url),
      isSent ? [] : ['/own', '/fwd'],
    )
  }
})

t.test(
  'the stale windows of the data are advertised, and end where a read says that its data mean something else',
  async (t) => {
    const windows = { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 3_600 }
    const limit = (seconds: number) => ({ freshUntil: now() + seconds * 1_000 })
    const cases = [
      { name: 'of one read', policies: [{}], expected: 'max-age=300, stale-while-revalidate=60, stale-if-error=3600' },
      {
        name: 'the shorter one of two reads',
        policies: [{}, { staleWhileRevalidateSeconds: 10, staleIfErrorSeconds: 0 }],
        expected: 'max-age=300, stale-while-revalidate=10, stale-if-error=10',
      },
      {
        name: 'up to the limit of a read',
        policies: [limit(320)],
        expected: 'max-age=300, stale-while-revalidate=20, stale-if-error=20',
      },
      { name: 'none where the limit ends freshness', policies: [limit(100)], expected: 'max-age=100' },
      {
        name: 'the limit of one of two reads',
        policies: [{}, { ...limit(310), ttlSeconds: 3_600 }],
        expected: 'max-age=300, stale-while-revalidate=10, stale-if-error=10',
      },
      {
        name: 'none for a page that the lifetime of its route ends',
        ttlSeconds: 30,
        policies: [{}],
        expected: 'max-age=30',
      },
      { name: 'none without data', policies: [], expected: 'max-age=600' },
    ]
    for (const { name, policies, ttlSeconds = 600, expected } of cases) {
      const { app } = await startPlugins(t, {
        cache: { now, ...windows },
        edge: { now, ttlSeconds },
        routes: (app) => {
          app.get('/x', { config: { edge: {} } }, async () => {
            for (const [index, policy] of policies.entries()) await app.cache.fetch(`k${index}`, () => 'value', policy)
            return 'x'
          })
          app.get('/again', { config: { edge: {} } }, async () => {
            for (const [index, policy] of policies.entries()) await app.cache.read(`k${index}`, () => 'value', policy)
            return 'x'
          })
          app.get('/get', { config: { edge: {} } }, async () => String(await app.cache.get('k0')))
        },
      })
      for (const url of ['/x', '/x', '/again']) {
        const { headers } = await app.inject(url)
        t.equal(headers['cdn-cache-control'], expected, `${name}: ${url}`)
        t.equal(headers['surrogate-control'], expected, `${name}: ${url}`)
      }
      if (policies.length === 1) {
        const { headers } = await app.inject('/get')
        t.match(headers['cdn-cache-control'], /^max-age=\d+$/, `${name}: unknown where the data are read by get`)
      }
    }
  },
)

t.test('what a hook or the validation answers in the place of a cached route is not stored in front', async (t) => {
  const { app } = await startPlugins(t, {
    edge: { now },
    proxyCache: { now },
    routes: (app) => {
      app.addHook('onRequest', async ({ headers }, reply) => {
        if (headers['x-denied'] === 'silently') return reply.code(404).send('hidden')
        if (headers['x-denied'] !== undefined) {
          return reply.code(404).header('surrogate-control', 'max-age=60').send('hidden')
        }
        return undefined
      })
      app.addHook('preHandler', async ({ headers }, reply) =>
        headers['x-moved'] === undefined ? undefined : reply.header('cache-control', 'max-age=9').redirect('/', 301),
      )
      const schema = { querystring: { type: 'object', properties: { page: { type: 'integer' } } } }
      app.get('/own', { schema, config: { edge: { ttlSeconds: 60 } } }, async () => 'page')
      app.get('/fwd', { schema, config: { proxyCache: {} } }, async (_request, reply) =>
        reply.headers(explicit).send('page'),
      )
    },
  })
  for (const path of ['/own', '/fwd']) {
    for (const [query, headers] of [
      ['', { 'x-denied': 'silently' }],
      ['', { 'x-denied': 'and its field stays' }],
      ['?page=none', {}],
    ] as const) {
      const response = await app.inject({ url: `${path}${query}`, headers })
      t.equal(response.headers['cache-control'], 'private, no-store', `${path}${query}`)
      for (const front of fronts) t.equal(lifetimeIn(front, response.headers), undefined, `${front}: ${path}${query}`)
    }
    const moved = await app.inject({ url: path, headers: { 'x-moved': '1' } })
    t.strictSame([moved.statusCode, moved.headers['cache-control']], [301, 'max-age=9'], 'what a hook states stays')
    t.equal((await app.inject(path)).statusCode, 200)
  }
})
