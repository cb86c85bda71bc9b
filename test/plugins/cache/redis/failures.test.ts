import { readFile } from 'node:fs/promises'
import Fastify from 'fastify'
import cachePlugin from 'fastify-vitrine/cache'
import redisPlugin from 'fastify-vitrine/redis'
import t from 'tap'
import { longTimeouts, startCachePair, untilTracking } from '../../../harness/cache-pair.js'
import { createClock, stopMonotonicClock } from '../../../harness/clock.js'
import { createDeferred } from '../../../harness/deferred.js'
import { createLogBook } from '../../../harness/log.js'
import { startPlugins } from '../../../harness/plugins.js'
import { freePort, startRedis } from '../../../harness/redis-server.js'
import { startTcpProxy } from '../../../harness/tcp-proxy.js'
import { until } from '../../../harness/until.js'

// Whatever Redis stores, replies or refuses, callers receive their values and the log has a line.

const redis = await startRedis()
t.teardown(() => redis.stop())
const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

t.test('with Redis down since before the start, the cache works from memory and reports disconnected', async (t) => {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const { app, book } = await startPlugins(t, { redis: { url, ...longTimeouts.redis }, cache: longTimeouts.cache })
  t.equal(app.cache.stats().coherence, 'disconnected')
  t.equal(await app.cache.fetch('k', () => 'loaded'), 'loaded')
  t.match(await app.cache.read('k', () => 'again'), { value: 'loaded', tier: 'memory', reason: 'hit' })
  t.equal(book.at(40).length, 1)
  const late = await startRedis({ port })
  t.teardown(() => late.stop())
  await untilTracking(app)
})

t.test('a cache registered before Redis uses memory only and logs a warning', async (t) => {
  for (const [options, warnings] of [
    [{}, [{ subject: 'cache', kind: 'order', msg: /register redis first/ }]],
    [{ redis: false as const }, []],
  ] as const) {
    const book = createLogBook()
    const app = Fastify({ logger: { stream: book.stream } })
    t.teardown(() => app.close())
    await app.register(cachePlugin, options)
    await app.register(redisPlugin, { url: redis.url })
    await app.ready()
    t.match(book.at(40), warnings)
    t.equal(book.at(40).length, warnings.length)
    t.equal(app.cache.stats().coherence, 'memory-only')
  }
})

t.test('hostile values under cache keys are misses, are counted, and are replaced by the next write', async (t) => {
  const { a, b, books, prefix } = await startCachePair(t, redis.url, { maxEntryBytes: 100_000 })
  await a.cache.set('valid', 1)
  const valid = String(await redis.client.get(`${prefix}valid`))
  const hostile = {
    'not JSON': '\u0000\u00ff{',
    'nested too deeply': valid.replace(/"v":1/, `"v":${deep(5_000)}`),
    'only nested brackets': deep(100_000),
    'too large': valid.replace(/"v":1/, `"v":"${'x'.repeat(200_000)}"`),
    'a compression bomb': valid.replace(/"v":1/, `"z":"${(await compressionBomb(1_000_000)).toString('base64')}"`),
    'stamped in the future': valid.replace(/"t":"\d+"/, '"t":"9007199254740991"'),
    'purged in the future': valid.replace(/"p":"\d+"/, '"p":"9007199254740991"'),
    'without timestamps': valid.replace(/"e":\[[^\]]*\]/, '"e":[null]'),
  }
  for (const [name, text] of Object.entries(hostile)) {
    await redis.client.set(prefix + name, text, 'PX', 3_600_000)
    t.match(await a.cache.read(name, () => 'loaded'), { value: 'loaded', tier: 'load' }, name)
    t.ok(await until(async () => (await b.cache.get(name)) === 'loaded'), `${name}: replaced`)
  }
  t.ok((a.cache.stats().failures.corrupt ?? 0) >= Object.keys(hostile).length)
  t.strictSame(
    books.flatMap((book) => book.at(40).map(({ kind }) => kind)),
    ['corrupt'],
    'one log line for all of them',
  )
})

t.test('a stamp from the future does not advance the clock of any process', async (t) => {
  const { a, b, prefix } = await startCachePair(t, redis.url)
  await redis.client.zadd(`${prefix}~purges`, 0, '#made', '9007199254740991', '.*')
  await a.cache.purge({ tags: ['x'] })
  for (const [writer, reader] of [
    [a, b],
    [b, a],
  ] as const) {
    t.equal(await writer.cache.set('k', 'stored'), true)
    t.ok(await until(async () => (await reader.cache.get('k')) === 'stored'))
    t.equal(await writer.cache.delete('k'), true)
  }
  t.ok(Number((await redis.client.zrange(`${prefix}~purges`, '-1', '-1', 'WITHSCORES'))[1]) < 2 ** 53 - 1)
})

t.test('corrupt data under the internal keys of the cache is replaced, with a warning', async (t) => {
  const { a, b, books, prefix } = await startCachePair(t, redis.url)
  const [lease, purges] = [`${prefix}~lease:k`, `${prefix}~purges`]
  await a.cache.set('tagged', 'old', { tags: ['x'] })
  await a.cache.purge({ tags: ['known'] })
  const corruptions: ((key: string) => Promise<unknown>)[] = [
    (key) => redis.client.set(key, 'corrupt'),
    (key) => redis.client.lpush(key, 'corrupt'),
  ]
  for (const writeCorrupt of corruptions) {
    await writeCorrupt('elsewhere')
    await redis.client.rename('elsewhere', lease)
    t.match(await a.cache.read('k', () => 'loaded'), { value: 'loaded', reason: 'miss' }, 'the read does not wait')
    await a.cache.delete('k')
    await writeCorrupt('elsewhere')
    await redis.client.rename('elsewhere', purges)
    t.match(await a.cache.purge({ tags: ['x'] }), { isDone: true })
    t.ok(await until(async () => (await b.cache.get('tagged')) === undefined))
    t.ok(
      await until(async () => (await redis.client.zscore(purges, '.known')) !== null),
      'the other purges are restored',
    )
  }
  for (const book of books) t.ok(book.at(40).length <= 1, 'one log line per process')
  t.match(
    books.flatMap((book) => book.at(40)),
    [{ kind: 'corrupt' }],
  )
})

t.test('a loaded value that is nested too deeply to be stored is returned', async (t) => {
  const { app } = await startPlugins(t, { redis: { url: redis.url, ...longTimeouts.redis }, cache: longTimeouts.cache })
  for (const depth of [1_000, 2_000, 4_000, 20_000]) {
    const value = JSON.parse(deep(depth))
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await app.cache.set('deep', value)
      t.ok(Array.isArray(await app.cache.fetch('deep', () => value)), String(depth))
    }
  }
})

t.test('a Redis that forbids scripts is not an outage: reads succeed, and the log has one line', async (t) => {
  await redis.client.call('ACL', 'SETUSER', 'noscripts', 'on', '>secret', '~*', '&*', '+@all', '-@scripting')
  const url = `redis://noscripts:secret@127.0.0.1:${redis.port}`
  const { app, book } = await startPlugins(t, { redis: { url, ...longTimeouts.redis }, cache: longTimeouts.cache })
  for (let n = 0; n < 20; n += 1) t.equal(await app.cache.fetch(`k${n}`, () => n), n)
  t.ok(await until(() => (app.cache.stats().failures.denied ?? 0) > 0))
  t.equal(app.redisBreakers.isOpen, false)
  t.equal(book.at(40).length, 1)
  t.match(book.at(40), [{ kind: 'denied' }])
})

t.test('the documented ACL rule is sufficient: Redis denies no command', async (t) => {
  const documentation = await readFile(new URL('../../../../plugins/docs/reference.md', import.meta.url), 'utf8')
  const rule = /ACL SETUSER cache ([^`]*)/.exec(documentation)?.[1] ?? ''
  await redis.client.call('ACL', 'SETUSER', 'cache', ...rule.trim().split(/\s+/))
  await redis.client.call('ACL', 'LOG', 'RESET')
  const url = `redis://cache:secret@127.0.0.1:${redis.port}`
  const { a, b } = await startCachePair(t, url, { keyPrefix: 'cat_' })
  await a.cache.fetch('k', () => 'loaded', { tags: ['x'] })
  t.ok(await until(async () => (await b.cache.get('k')) === 'loaded'))
  await Promise.all(['k', 'l', 'm'].map((key) => b.cache.get(key)))
  for (const purge of [{ tags: ['x'] }, { keys: ['k'] }, { all: true, hard: true }]) {
    t.match(await a.cache.purge(purge), { isDone: true })
  }
  await redis.client.del('cat_~purges') // and is put back
  t.ok(await until(async () => (await redis.client.zscore('cat_~purges', '.x')) !== null))
  t.equal(await a.cache.set('k', 'set'), true)
  t.equal(await a.cache.delete('k'), true)
  for (const { cache } of [a, b]) t.strictSame(cache.stats().failures, {})
  t.strictSame(await redis.client.call('ACL', 'LOG'), [])
})

t.test(
  'the circuit breaker opens when Redis is too slow for reads, and stays open while replies exceed the read timeout',
  async (t) => {
    let isLate = false
    let probes = 0
    // A late reply arrives after the next command, which is sent after the previous one has timed out.
    const port = await startTcpProxy(t, redis.port, () => {
      const delayed: Buffer[] = []
      return {
        toServer(data, send, reply) {
          if (isLate && /ping/i.test(String(data))) probes += 1
          for (const late of delayed.splice(0)) reply(late)
          send(data)
        },
        toClient: (data, send) => (isLate ? delayed.push(data) : send(data)),
      }
    })
    const url = `redis://127.0.0.1:${port}`
    const cache = { readTimeoutMs: 100, writeTimeoutMs: 250 }
    const { app, book } = await startPlugins(t, { redis: { url, ...longTimeouts.redis }, cache })
    await untilTracking(app)
    const changes: boolean[] = []
    app.redisBreakers.onChange((isOpen) => changes.push(isOpen))
    isLate = true
    await until(async () => {
      await app.cache.get('k')
      return app.redisBreakers.isOpen
    })
    const before = probes
    await until(() => probes >= before + 4)
    t.strictSame(changes, [true], 'it opens and stays open')
    t.equal(book.at(40).filter(({ subject }) => subject === 'redis').length, 1)
  },
)

t.test(
  'while another process refreshes, readers with a stale value ask for the lease at most once in 250 ms',
  async (t) => {
    const clock = createClock()
    const { a, b } = await startCachePair(t, redis.url, { staleWhileRevalidateSeconds: 600, now: clock.now })
    await a.cache.set('k', 'old')
    t.equal(await b.cache.get('k'), 'old')
    clock.step(301)
    const slow = createDeferred<string>()
    const began = createDeferred<void>()
    const load = () => {
      began.resolve()
      return slow.promise
    }
    t.equal(await a.cache.fetch('k', load), 'old')
    await began.promise
    const client = b.redis as { evalsha(...args: unknown[]): unknown } // the overloads of evalsha do not accept a spread
    const { evalsha } = client
    let leaseRequests = 0
    client.evalsha = (...args) => {
      if (String(args[2]).includes('~lease:')) leaseRequests += 1
      return evalsha.apply(client, args)
    }
    const monotonic = stopMonotonicClock(t)
    const readTwice = async () => {
      leaseRequests = 0
      for (const reader of [1, 2]) t.equal(await b.cache.fetch('k', () => 'elsewhere'), 'old', `reader ${reader}`)
      while (b.cache.stats().loads.inFlight > 0) await new Promise(setImmediate)
      return leaseRequests
    }
    t.equal(await readTwice(), 1)
    for (let round = 0; round < 5; round += 1) t.equal(await readTwice(), 0, 'within 250 ms')
    monotonic.step(250)
    t.equal(await readTwice(), 1)
    monotonic.release()
    slow.resolve('new')
    await until(async () => (await b.cache.get('k')) === 'new')
  },
)

async function compressionBomb(bytes: number): Promise<Buffer> {
  const { gzipSync } = await import('node:zlib')
  return gzipSync(`[${'{},'.repeat(bytes / 3)}{}]`)
}
