import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { AppTimeouts } from '../../src/app.js'
import { longAppTimeouts, startApp, type TestApp } from '../harness/app.js'
import type { LogBook, LogLine } from '../harness/log.js'
import { type RedisServer, startRedis } from '../harness/redis-server.js'
import { until } from '../harness/until.js'
import { makeCatalogs, makeSellers, type Upstream, type UpstreamOptions } from '../harness/upstream.js'

// The application with a real Redis that is killed, stopped, filled, corrupted and flushed. All requests are answered
// with 200 meanwhile, and the log stays readable. bench/outage.js measures how long requests wait for Redis.
//

/** Those of production, which detect a Redis that hangs. */
const timeoutsOfProduction = { cache: { softTimeoutMs: longAppTimeouts.cache.softTimeoutMs } }

/** Maximum of log lines per outage, for any number of requests. */
const warningLimit = 5
const sellerCount = 1_200
const pagesOfAWalk = 3

/** Waits until Redis contains the entries and no leases. */
async function areStored(app: FastifyInstance, redis: RedisServer, entries: number): Promise<void> {
  await until(async () => app.cache.stats().writes.stored === entries && (await redis.client.dbsize()) === entries)
}

t.test('every key has the prefix, the identity of the upstream, and the name of its content', async (t) => {
  const { app, redis } = await openApp(t)
  await ask(app, '/api/v1/sellers')
  await ask(app, '/api/v1/sellers/7/catalogs')
  await areStored(app, redis, 2)
  const keys = (await redis.client.keys('*')).sort()
  t.equal(keys.length, 2)
  t.match(keys[0], /^cat_[\da-f]{8}:catalogs_seller_7$/)
  t.match(keys[1], /^cat_[\da-f]{8}:sellers_all$/)
})

t.test('a list loaded by one process is served by another without an upstream request', async (t) => {
  const { app, redis, upstream } = await openApp(t)
  const urls = ['/api/v1/sellers?page=3', '/api/v1/sellers/7/catalogs']
  const first = await Promise.all(urls.map((url) => app.inject(url)))
  await areStored(app, redis, 2)
  upstream.reset()
  const another = await startBeside(t, redis, upstream)
  const second = await Promise.all(urls.map((url) => another.app.inject(url)))
  t.strictSame(
    second.map((answer) => answer.json()),
    first.map((answer) => answer.json()),
  )
  t.equal(upstream.requests.length, 0)
})

t.test('two upstreams on one Redis do not share data', async (t) => {
  const { app, redis } = await openApp(t)
  await ask(app, '/api/v1/sellers')
  await areStored(app, redis, 1)
  const other = await startBeside(t, redis, { sellers: makeSellers(3) })
  t.match((await other.app.inject('/api/v1/sellers')).json(), { total: 3 })
})

t.test('a request with a filter writes nothing to Redis', async (t) => {
  const { app, redis } = await openApp(t)
  await ask(app, '/api/v1/sellers')
  await areStored(app, redis, 1)
  for (const url of [
    '/api/v1/sellers?name=Seller%200001',
    '/api/v1/sellers?customer_display_id=C-0001&page_size=5',
    '/api/v1/sellers/7/catalogs?title=Sale',
    '/panels/sellers?name=0002',
  ]) {
    t.equal(await ask(app, url), 200)
  }
  await app.close() // waits for writes in flight
  t.equal(await redis.client.dbsize(), 1)
})

t.test('without Redis at the start it serves, warns once, and uses Redis when it is available', async (t) => {
  const redis = await redisFor(t)
  await redis.kill()
  const { app, book } = await startApp(t, { upstream: manySellers(), environment: { REDIS_URL: redis.url } })
  checkServed(t, await askMany(app, 1, 50))
  t.match(book.at(40), [{ subject: 'redis', msg: /redis/ }])
  t.equal(book.at(40).length, 1, 'one warning')
  t.match(await readiness(app), { status: 'degraded', redis: 'down' })

  await redis.start()
  let sellerId = 100
  const caches = async () => {
    await ask(app, `/api/v1/sellers/${sellerId++}/catalogs`)
    return (await redis.client.dbsize()) > 0
  }
  t.ok(await until(caches), 'it caches')
  await book.until(({ level, msg }) => level === 30 && /redis connection restored/.test(msg))
  t.ok(await until(async () => (await readiness(app)).status === 'ready'))
  t.equal(recoveries(book).length, 1, 'one line for the recovery')
  t.equal(book.at(50).length, 0)
})

interface Outage {
  readonly name: string
  readonly timeouts?: AppTimeouts
  begin(redis: RedisServer): unknown
  end(redis: RedisServer): unknown
}
const absences: Outage[] = [
  { name: 'dies', begin: (redis) => redis.kill(), end: (redis) => redis.start() },
  {
    name: 'hangs',
    timeouts: timeoutsOfProduction,
    begin: (redis) => redis.hang(),
    end: (redis) => redis.resume(),
  },
]
const outages: Outage[] = [
  ...absences,
  {
    name: 'has become the replica of a dead master, and refuses reads,',
    begin: async ({ client }) => {
      await client.config('SET', 'replica-serve-stale-data', 'no')
      await client.replicaof('127.0.0.1', 1)
    },
    end: ({ client }) => client.replicaof('NO', 'ONE'),
  },
]
for (const { name, timeouts, begin, end } of outages) {
  t.test(`when Redis ${name} at run time all requests are served, twice in a row`, async (t) => {
    const { app, book, redis } = await openApp(t, timeouts)
    checkServed(t, await askMany(app, 1, 10))
    const isReady = async () => (await readiness(app)).status === 'ready' // a busy machine may exceed the budgets
    t.ok(await until(isReady), 'ready')
    for (const from of [100, 200]) {
      const warningsBefore = book.at(40).length
      await begin(redis)
      checkServed(t, await askMany(app, from, 50))
      checkServed(t, await askMany(app, 1, 10)) // what was cached before
      t.ok(await until(async () => !(await isReady())), 'degraded')
      const warnings = book.at(40).slice(warningsBefore)
      t.match(warnings[0], { subject: 'redis', kind: /./, msg: /redis/ })
      t.ok(warnings.length <= warningLimit, `${warnings.length} warnings`)

      await end(redis)
      let sellerId = 500 + from
      const recovers = async () => {
        await ask(app, `/api/v1/sellers/${sellerId++}/catalogs`)
        return isReady()
      }
      t.ok(await until(recovers), 'recovered')
      const storedWrites = () => app.cache.stats().writes.stored ?? 0
      const writesBefore = storedWrites()
      const statuses: number[] = []
      const storesAgain = async () => {
        // A busy machine may exceed the budget of one write.
        statuses.push(await ask(app, `/api/v1/sellers/${sellerId++}/catalogs`))
        return storedWrites() > writesBefore
      }
      t.ok(await until(storesAgain), 'new lists are stored in Redis again')
      checkServed(t, statuses)
    }
    // On a busy machine there may be more outages, each logged and recovered.
    const [outages, over] = [book.at(40).length, recoveries(book).length]
    t.ok(over >= 2 && over <= outages, `a line for each recovery: ${over}, after ${outages} warnings`)
    t.equal(book.at(50).length, 0)
  })
}

t.test('a read-only Redis is read from, and refused writes are one warning however rare', async (t) => {
  const { app, book, redis, upstream } = await openApp(t)
  await ask(app, '/api/v1/sellers/1/catalogs')
  await areStored(app, redis, 1)
  await redis.client.replicaof('127.0.0.1', 1)
  const isRefused = (writes: number) => until(() => app.cache.stats().writes.failed === writes)
  await ask(app, '/api/v1/sellers/2/catalogs') // Redis answers the read and refuses the write
  t.ok(await isRefused(1))
  await pause(1_100) // longer than the quiet period, so that a second outage would be a second warning
  await ask(app, '/api/v1/sellers/3/catalogs')
  t.ok(await isRefused(2))
  upstream.reset()
  checkServed(t, [await ask(app, '/api/v1/sellers/1/catalogs')])
  t.equal(upstream.requests.length, 0, 'existing entries are read')
  const refusals = book.at(40).filter(({ kind }) => kind === 'readonly')
  t.match(refusals, [{ subject: 'redis' }])
  t.equal(refusals.length, 1)
  t.equal(book.at(40).length, 1, 'it is not an outage')
  t.equal(recoveries(book).length, 0, 'without recovery')
})

t.test('readiness recovers without requests', async (t) => {
  const { app, redis } = await openApp(t, timeoutsOfProduction)
  for (const [index, { begin, end }] of absences.entries()) {
    await begin(redis)
    await ask(app, `/api/v1/sellers/${index + 1}/catalogs`)
    t.ok(await until(async () => (await readiness(app)).status === 'degraded'))
    await end(redis)
    t.ok(await until(async () => (await readiness(app)).status === 'ready'))
  }
})

t.test('while Redis hangs, concurrent requests for a list share one walk', async (t) => {
  const { app, redis, upstream } = await openApp(t, timeoutsOfProduction)
  redis.hang()
  const pages = Array.from({ length: 50 }, (_, index) => ask(app, `/api/v1/sellers?page=${index + 1}`))
  checkServed(t, await Promise.all(pages))
  t.equal(upstream.requests.length, pagesOfAWalk)
})

t.test('a full Redis is read from, and entries it does not store are served', async (t) => {
  const { app, book, redis, upstream } = await openApp(t)
  await ask(app, '/api/v1/sellers')
  await areStored(app, redis, 1)
  await redis.client.config('SET', 'maxmemory-policy', 'noeviction')
  await redis.client.config('SET', 'maxmemory', '1')
  upstream.reset()
  const another = await startBeside(t, redis, upstream)
  t.equal(await ask(another.app, '/api/v1/sellers'), 200)
  t.equal(upstream.requests.length, 0, 'existing entries are used')
  checkServed(t, await askMany(app, 1, 50))
  let sellerAfter = 51
  const isLogged = async () => {
    checkServed(t, await askMany(app, sellerAfter++, 1)) // writes finish after the response
    return book.at(40).some(({ kind }) => kind === 'full')
  }
  t.ok(await until(isLogged), 'logged')
  const warnings = book.at(40)
  t.ok(warnings.length <= warningLimit, `${warnings.length} warnings`)

  await redis.client.config('SET', 'maxmemory', '0')
  let sellerId = 100
  const caches = async () => {
    await ask(app, `/api/v1/sellers/${sellerId++}/catalogs`)
    return (await redis.client.dbsize()) >= 5
  }
  t.ok(await until(caches), 'it caches again')
  t.equal(book.at(50).length, 0)
})

t.test('a FLUSHALL by another client causes no failure', async (t) => {
  const { app, book, redis } = await openApp(t)
  checkServed(t, await askMany(app, 1, 10))
  await redis.client.flushall()
  checkServed(t, await askMany(app, 1, 10))
  const fills = async () => {
    checkServed(t, await askMany(app, 1, 10))
    return (await redis.client.dbsize()) >= 10
  }
  t.ok(await until(fills), 'the cache fills again')
  t.strictSame([...book.at(40), ...book.at(50)], [])
})

/** Values that another client may write under our key, from the existing entry. */
const foreignValues: {
  name: string
  put(redis: RedisServer, key: string, entry: StoredEntry): unknown
  kind: string
}[] = [
  {
    name: 'a list',
    put: async ({ client }, key) => {
      await client.del(key)
      await client.lpush(key, 'x')
    },
    kind: 'wrong-type',
  },
  {
    name: 'random bytes',
    put: ({ client }, key) => client.set(key, Buffer.from([0x80, 4, 0, 255, 46])),
    kind: 'corrupt',
  },
  { name: 'an empty string', put: ({ client }, key) => client.set(key, ''), kind: 'corrupt' },
  { name: 'a list of sellers', put: ({ client }, key) => client.set(key, '[{"id":1,"name":"x"}]'), kind: 'corrupt' },
  { name: 'null', put: ({ client }, key) => client.set(key, 'null'), kind: 'corrupt' },
  { name: 'JSON of another client', put: ({ client }, key) => client.set(key, '{"items":[]}'), kind: 'corrupt' },
  {
    name: 'half an entry',
    put: async ({ client }, key, entry) => client.set(key, JSON.stringify(entry).slice(0, -5)),
    kind: 'corrupt',
  },
  {
    name: 'an entry in a future format',
    put: ({ client }, key, entry) => client.set(key, JSON.stringify({ ...entry, f: 99 })),
    kind: 'corrupt',
  },
  {
    name: 'an entry with invalid instants',
    put: ({ client }, key, entry) => client.set(key, JSON.stringify({ ...entry, e: ['soon', null, 1] })),
    kind: 'corrupt',
  },
  {
    name: 'an entry with values of another shape',
    put: ({ client }, key, entry) => client.set(key, JSON.stringify({ ...entry, v: [{ id: 1, title: 'x' }] })),
    kind: 'other-schema',
  },
  {
    // Stale: a fresh one belongs to another version of the application, and is not overwritten.
    name: 'a stale entry with the fingerprint of another schema',
    put: ({ client }, key, entry) => {
      const [, ...windows] = entry.e
      return client.set(
        key,
        JSON.stringify({ ...entry, s: '0123456789ab', e: [Date.now() - 1, ...windows], u: '0'.repeat(16) }),
      )
    },
    kind: 'other-schema',
  },
]
t.test('a value that is not an entry is a miss and a warning, and the next write replaces it', async (t) => {
  const { app, redis, upstream } = await openApp(t)
  const wanted = (await app.inject('/api/v1/sellers')).json()
  const isWritten = async () => (await redis.client.keys('cat_????????:sellers_all')).length === 1
  t.ok(await until(isWritten), 'the list, not only the lease')
  await app.close()
  const [key = ''] = await redis.client.keys('cat_????????:sellers_all')
  const entry = JSON.parse((await redis.client.get(key)) ?? '') as StoredEntry

  async function storedAt(key: string): Promise<Partial<StoredEntry> | undefined> {
    try {
      const { s, v } = JSON.parse((await redis.client.get(key)) ?? '')
      return { s, v }
    } catch {
      return undefined // the value of the test, not an entry
    }
  }

  for (const { name, put, kind } of foreignValues) {
    await t.test(name, async (t) => {
      await put(redis, key, entry)
      upstream.reset()
      const reader = await startBeside(t, redis, upstream)
      t.strictSame((await reader.app.inject('/api/v1/sellers')).json(), wanted)
      t.equal(upstream.requests.length, pagesOfAWalk, 'a miss')
      t.match(reader.book.at(40), [{ kind, key: 'sellers_all', msg: /./ }])
      t.equal(reader.book.at(40).length, 1, 'one warning')
      t.match(await readiness(reader.app), { status: 'ready' }, 'Redis itself is well')
      t.ok(await until(async () => isDeepStrictEqual(await storedAt(key), { s: entry.s, v: entry.v })), 'healed')
      await reader.app.close()
    })
  }
})

/** An entry in Redis: fingerprint, instants, value. */
interface StoredEntry {
  readonly s: string
  readonly e: readonly number[]
  readonly v: unknown
}

async function redisFor(t: Test): Promise<RedisServer> {
  const redis = await startRedis()
  t.teardown(async () => {
    redis.resume()
    await redis.stop()
  })
  return redis
}

/** The application with an upstream with 1,200 sellers, each with an upcoming catalog, and its own Redis. */
async function openApp(t: Test, timeouts: AppTimeouts = longAppTimeouts): Promise<TestApp & { redis: RedisServer }> {
  const redis = await redisFor(t)
  return { redis, ...(await startBeside(t, redis, manySellers(), timeouts)) }
}

/** Another process on a working Redis. */
async function startBeside(
  t: Test,
  redis: RedisServer,
  upstream: Upstream | UpstreamOptions,
  timeouts: AppTimeouts = longAppTimeouts,
): Promise<TestApp> {
  const app = await startApp(t, { upstream, environment: { REDIS_URL: redis.url }, timeouts })
  await until(async () => (await readiness(app.app)).redis === 'up')
  return app
}

function manySellers(): UpstreamOptions {
  const sellers = makeSellers(sellerCount)
  return { sellers, catalogs: sellers.flatMap(({ id }) => makeCatalogs({ sellerId: id, count: 1 })) }
}

async function ask(app: FastifyInstance, url: string): Promise<number> {
  return (await app.inject(url)).statusCode
}

/** Requests the catalogs of `count` sellers, ten at a time. */
async function askMany(app: FastifyInstance, firstSellerId: number, count: number): Promise<number[]> {
  const urls = Array.from({ length: count }, (_, index) => `/api/v1/sellers/${firstSellerId + index}/catalogs`)
  const statuses: number[] = []
  const worker = async () => {
    for (let url = urls.pop(); url !== undefined; url = urls.pop()) statuses.push(await ask(app, url))
  }
  await Promise.all(Array.from({ length: 10 }, worker))
  return statuses
}

function checkServed(t: Test, statuses: readonly number[]): void {
  t.strictSame([...new Set(statuses)], [200], `${statuses.length} requests are answered 200`)
}

function recoveries(book: LogBook): LogLine[] {
  return book.at(30).filter(({ msg }) => msg === 'redis connection restored')
}

async function readiness(app: FastifyInstance): Promise<{ status: string; redis: string }> {
  return (await app.inject('/readyz')).json()
}
