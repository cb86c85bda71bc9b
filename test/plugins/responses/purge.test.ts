import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { startCachePair } from '../../harness/cache-pair.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { multiplyTimeouts } from '../../harness/multiply-timeouts.js'
import { startPlugins } from '../../harness/plugins.js'
import { startRedis } from '../../harness/redis-server.js'
import { until } from '../../harness/until.js'

// A response ends in every process when its data end, whatever the cause.

const redis = await startRedis()
multiplyTimeouts()
t.teardown(() => redis.stop())

/** The data of the routes and their outcome. */
interface Source {
  sellers: number
  catalogs: number
  banner: number
  /** Makes handlers that do not read from the cache fail. */
  isDown: boolean
  /** The number of handler calls. */
  calls: number
}

const ttlSeconds = 600
const madeOfSellers = ['/page', '/json', '/both', '/nested', '/listed']
const madeOfOthers = ['/catalogs', '/plain']

function routesOf(source: Source) {
  return (app: FastifyInstance) => {
    const sellers = () => app.cache.fetch('sellers_all', () => ({ version: source.sellers }), { tags: ['sellers'] })
    const catalogs = () =>
      app.cache.fetch('catalogs_seller_1', () => ({ version: source.catalogs }), { tags: ['catalogs', 'seller:1'] })
    const acknowledgeSkippedHooks = true // of the hook that counts
    const own = { config: { edge: { ttlSeconds, acknowledgeSkippedHooks } } }
    app.addHook('preHandler', async () => {
      source.calls += 1
    })
    app.get('/page', own, async (_request, reply) => reply.type('text/html').send(`<p>${(await sellers()).version}`))
    app.get('/json', own, async () => sellers())
    app.get('/both', own, async () => Promise.all([sellers(), catalogs()]))
    app.get('/nested', own, async () => {
      const { value } = await app.cache.track(() => sellers())
      return value
    })
    app.get('/listed', { config: { edge: { ttlSeconds, acknowledgeSkippedHooks, tags: ['sellers'] } } }, async () => ({
      version: source.sellers,
    }))
    app.get('/catalogs', own, async () => catalogs())
    app.get('/plain', own, async () => ({ version: source.banner }))
    const banner = async () => {
      if (source.isDown) throw new Error('down')
      return { version: source.banner }
    }
    const options = { ttlSeconds, acknowledgeSkippedHooks, staleIfErrorSeconds: 600, tags: () => ['banner'] }
    app.get('/banner', { config: { edge: options } }, banner)
    app.get('/shared', { config: { proxyCache: { ...options, shared: true } } }, banner)
  }
}

async function startWorld(t: Test) {
  const source: Source = { sellers: 1, catalogs: 1, banner: 1, isDown: false, calls: 0 }
  let aheadMs = 0
  const options = { now: () => Date.now() + aheadMs }
  const plugins = { edge: options, proxyCache: options, routes: routesOf(source) }
  const two = await startCachePair(t, redis.url, { ttlSeconds }, plugins)
  /** Ends the back-off after failures. */
  const endPauses = () => {
    aheadMs += 5_000
  }
  return { ...two, both: [two.a, two.b], source, endPauses }
}

async function get(app: FastifyInstance, url: string, headers: Readonly<Record<string, string>> = {}) {
  const { statusCode, body, headers: fields } = await app.inject({ url, headers })
  return { status: statusCode, body, etag: String(fields.etag), told: String(fields['cache-status']) }
}

/** Requests each path until it is stored in every process, and returns the bodies. */
async function settle(
  t: Test,
  apps: readonly FastifyInstance[],
  paths: readonly string[],
): Promise<Map<string, string>> {
  const bodies = new Map<string, string>()
  for (const app of apps) {
    for (const path of paths) {
      const isStored = async () => {
        const { told, body } = await get(app, path)
        bodies.set(path, body)
        return /hit/.test(told)
      }
      if (!(await until(isStored))) t.fail(`${path} is stored`)
    }
  }
  return bodies
}

const endings: readonly [
  name: string,
  end: (world: { a: FastifyInstance; b: FastifyInstance; prefix: string }) => unknown,
  ended: readonly string[],
][] = [
  ['a purge of its tag', ({ a }) => a.cache.purge({ tags: ['sellers'] }), madeOfSellers],
  ['a purge of its tag, at the other one', ({ b }) => b.cache.purge({ tags: ['sellers'] }), madeOfSellers],
  ['a hard purge of its tag', ({ a }) => a.cache.purge({ tags: ['sellers'], hard: true }), madeOfSellers],
  // From here on only what was read: nothing tells what a handler has listed that it had from elsewhere.
  ['a purge of its key', ({ a }) => a.cache.purge({ keys: ['sellers_all'] }), madeOfSellers.slice(0, 4)],
  ['a delete of its key', ({ b }) => b.cache.delete('sellers_all'), madeOfSellers.slice(0, 4)],
  [
    'another value',
    ({ a }) => a.cache.set('sellers_all', { version: 2 }, { tags: ['sellers'] }),
    madeOfSellers.slice(0, 4),
  ],
  ['a DEL by another program', ({ prefix }) => redis.client.del(`${prefix}sellers_all`), madeOfSellers.slice(0, 4)],
  [
    'an EXPIRE by another program',
    ({ prefix }) => redis.client.pexpire(`${prefix}sellers_all`, 1),
    madeOfSellers.slice(0, 4),
  ],
]

for (const [name, end, ended] of endings) {
  t.test(
    `every response made from something is made again after ${name}, in both processes, and no other is`,
    async (t) => {
      const world = await startWorld(t)
      const { both, source } = world
      const before = await settle(t, both, [...madeOfSellers, ...madeOfOthers])
      source.sellers = 2
      source.banner = 2
      await end(world)
      for (const app of both) {
        for (const path of ended) {
          const isNew = async () => (await get(app, path)).body === before.get(path)?.replace('1', '2')
          t.ok(await until(isNew), `${path} is new`)
        }
        for (const path of [...madeOfOthers, ...madeOfSellers.filter((path) => !ended.includes(path))]) {
          t.match(await get(app, path), { told: /hit/, body: before.get(path) ?? '' })
        }
      }
      await settle(t, both, ended)
    },
  )
}

t.test('a purge of everything and a flush of Redis end the responses in every process', async (t) => {
  for (const end of ['purge', 'flush'] as const) {
    const { a, both, source } = await startWorld(t)
    const paths = [...madeOfSellers.slice(0, 4), '/catalogs']
    const before = await settle(t, both, paths)
    source.sellers = 2
    source.catalogs = 2
    if (end === 'purge') await a.cache.purge({ all: true })
    else await redis.client.flushall()
    for (const app of both) {
      for (const path of paths) {
        const isNew = async () => (await get(app, path)).body === before.get(path)?.replaceAll('1', '2')
        t.ok(await until(isNew), `${path} is new after the ${end}`)
      }
    }
  }
})

t.test('the purging process serves no old response after the purge is confirmed', async (t) => {
  const { a, both, source } = await startWorld(t)
  for (let round = 2; round < 12; round += 1) {
    await settle(t, both, madeOfSellers)
    source.sellers = round
    await a.cache.purge({ tags: ['sellers'] })
    const bodies: string[] = []
    for (const path of madeOfSellers) bodies.push((await get(a, path)).body)
    t.strictSame(
      bodies.filter((body) => !body.includes(String(round))),
      [],
      `round ${round}`,
    )
  }
})

t.test('a response whose data are purged during the request is sent and not stored', async (t) => {
  const source: Source = { sellers: 1, catalogs: 1, banner: 1, isDown: false, calls: 0 }
  const held = createDeferred<void>()
  let waiting = 0
  const routes = (app: FastifyInstance) => {
    const read = () => app.cache.fetch('k', () => ({ version: source.sellers }), { tags: ['sellers'] })
    const listed = () => ({ version: source.sellers })
    for (const [path, tags, make] of [
      ['/read', [], read],
      ['/listed', ['sellers'], listed],
    ] as const) {
      app.get(path, { config: { edge: { ttlSeconds, tags } } }, async () => {
        const made = await make()
        waiting += 1
        await held.promise
        return made
      })
    }
  }
  const { a, b } = await startCachePair(t, redis.url, { ttlSeconds }, { edge: {}, routes })
  const early = ['/read', '/listed'].map((path) => get(a, path))
  t.ok(await until(() => waiting === 2))
  source.sellers = 2
  await b.cache.purge({ tags: ['sellers'] })
  t.ok(await until(async () => (await a.cache.get('k')) === undefined))
  held.resolve()
  for (const { body } of await Promise.all(early)) t.equal(body, '{"version":1}')
  for (const app of [a, b]) {
    for (const path of ['/read', '/listed']) {
      t.equal((await get(app, path)).body, '{"version":2}', path)
    }
  }
})

t.test('a refresh with an equal value keeps the response and its entity-tag in every process', async (t) => {
  const { a, both, source } = await startWorld(t)
  await settle(t, [...both, a], ['/json'])
  const { etag } = await get(a, '/json')
  const hasSameResponse = async () => {
    const { calls } = source
    await a.cache.set('sellers_all', { version: 1 }, { tags: ['sellers'] })
    return (await get(a, '/json')).etag === etag && source.calls === calls
  }
  // Redis distinguishes two writes within a millisecond or two.
  t.ok(await until(hasSameResponse), 'the refreshing process does not regenerate it')
  for (const app of both) {
    t.ok(await until(async () => /hit/.test((await get(app, '/json')).told)))
    t.match(await get(app, '/json', { 'if-none-match': etag }), { status: 304, etag })
  }
  await a.cache.purge({ tags: ['sellers'] })
  for (const app of both) {
    t.match(
      await get(app, '/json', { 'if-none-match': etag }),
      { status: 304, etag },
      'nor does a purge change what is the same',
    )
  }
})

for (const path of ['/banner', '/shared']) {
  t.test(
    `a soft purge of a tag that was listed keeps the response for when there is no other, a hard one does not: ${path}`,
    async (t) => {
      const { a, both, source, endPauses } = await startWorld(t)
      await settle(t, both, [path])
      source.banner = 2
      await a.cache.purge({ tags: ['banner'] })
      source.isDown = true
      for (const app of both) {
        const isLastResort = async () => /stale-if-error/.test((await get(app, path)).told)
        t.ok(await until(isLastResort), 'it is purged and served as a last resort')
        t.match(await get(app, path), { status: 200, body: '{"version":1}' })
      }
      source.isDown = false
      for (const app of both) {
        endPauses()
        const isNew = async () => (await get(app, path)).body === '{"version":2}'
        t.ok(await until(isNew), 'then the new response')
      }
      await settle(t, both, [path])
      source.isDown = true
      await a.cache.purge({ tags: ['banner'], hard: true })
      for (const app of both) {
        t.ok(await until(async () => (await get(app, path)).status === 500), 'no response remains')
        t.equal((await get(app, path)).status, 500)
      }
    },
  )
}

t.test('a response in the shared store is served by the other process until one of them purges it', async (t) => {
  const { a, b, both, source } = await startWorld(t)
  await get(a, '/shared')
  t.ok(await until(async () => /hit/.test((await get(b, '/shared')).told)))
  t.equal(source.calls, 1)
  t.equal((await get(b, '/shared')).etag, (await get(a, '/shared')).etag)
  for (const [round, app] of [b, a, b].entries()) {
    source.banner = round + 2
    await app.cache.purge({ tags: ['banner'] })
    for (const one of both) {
      const isNew = async () => (await get(one, '/shared')).body === `{"version":${round + 2}}`
      t.ok(await until(isNew), `round ${round}`)
    }
  }
})

t.test('a response ends with the first of its data, whatever its own lifetime', async (t) => {
  const clock = createClock('2026-03-10T23:58:00Z')
  const midnight = Date.parse('2026-03-11T00:00:00Z')
  let calls = 0
  const { app } = await startPlugins(t, {
    cache: { now: clock.now, staleWhileRevalidateSeconds: 0 },
    edge: { now: clock.now, staleWhileRevalidateSeconds: 300, staleIfErrorSeconds: 3_600 },
    routes: (app) => {
      app.get('/events', { config: { edge: { ttlSeconds } } }, async () => {
        calls += 1
        const freshUntil = calls === 1 ? midnight : midnight + 86_400_000
        const today = await app.cache.fetch('catalogs', () => new Date(clock.now()).toISOString().slice(0, 10), {
          freshUntil,
        })
        return `coming from ${today}`
      })
    },
  })
  const first = await app.inject('/events')
  t.match(first.headers, { 'cdn-cache-control': /^max-age=120(?!,)/, 'cache-control': 'max-age=5' })
  clock.step(117)
  const last = await app.inject('/events')
  t.equal(last.body, 'coming from 2026-03-10')
  t.match(last.headers, { 'cache-status': /hit; ttl=3/, age: '117', 'cache-control': 'max-age=120' })
  clock.step(3)
  t.equal((await app.inject('/events')).body, 'coming from 2026-03-11', 'it is not served stale after that')
  t.equal(calls, 2)
})

t.test('a synchronous handler has tags like an asynchronous one', async (t) => {
  const version = { is: 1 }
  const { app } = await startPlugins(t, {
    edge: {},
    routes: (app) => {
      const listed = { config: { edge: { ttlSeconds, tags: ['sellers'] } } }
      app.get('/returned', listed, () => ({ version: version.is }))
      app.get('/sent', listed, (_request, reply) => {
        reply.send({ version: version.is })
      })
    },
  })
  for (const path of ['/returned', '/sent']) {
    version.is = 1
    await app.inject(path)
    t.match((await app.inject(path)).headers['cache-status'], /hit/)
    version.is = 2
    await app.cache.purge({ tags: ['sellers'] })
    t.strictSame((await app.inject(path)).json(), { version: 2 }, path)
  }
})

t.test('a response that a purge outdates during the request is not cacheable, however its tag was set', async (t) => {
  const held = [createDeferred<void>(), createDeferred<void>()]
  let calls = 0
  const { app } = await startPlugins(t, {
    edge: {},
    routes: (app) => {
      const make = async () => {
        const call = calls++
        await held[call]?.promise
        return `made ${call}`
      }
      app.get('/listed', { config: { edge: { ttlSeconds, tags: ['sellers'] } } }, make)
      app.get('/stated', { config: { edge: { ttlSeconds } } }, async (_request, reply) => {
        const made = await make()
        return reply.header('surrogate-key', 'sellers').send(made)
      })
    },
  })
  const early = [app.inject('/listed'), app.inject('/stated')]
  t.ok(await until(() => calls === 2))
  await app.cache.purge({ tags: ['sellers'] })
  for (const { resolve } of held) resolve()
  await Promise.all(early)
  for (const [at, path] of ['/listed', '/stated'].entries()) {
    t.match(
      (await early[at])?.headers,
      { 'cache-status': /detail=derived/, 'cache-control': 'private, no-cache' },
      path,
    )
    t.notOk((await early[at])?.headers['cdn-cache-control'])
    t.equal((await app.inject(path)).body, `made ${at + 2}`)
    t.match((await app.inject(path)).headers['cache-status'], /hit/)
  }
})
