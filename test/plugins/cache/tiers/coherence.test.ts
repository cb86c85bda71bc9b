import t from 'tap'
import {
  isInMemory,
  longTimeouts,
  nextPrefix,
  startCachePair,
  untilTracking,
  whileTracking,
} from '../../../harness/cache-pair.js'
import { createClock } from '../../../harness/clock.js'
import { createDeferred } from '../../../harness/deferred.js'
import { startPlugins } from '../../../harness/plugins.js'
import { startRedis } from '../../../harness/redis-server.js'
import { startSlowTcpProxy, startTcpProxy } from '../../../harness/tcp-proxy.js'
import { until } from '../../../harness/until.js'

// Two applications on one Redis represent two processes. leased-loads.test.ts uses real ones.

const redis = await startRedis({ flags: ['--maxmemory-policy', 'allkeys-lru'] })
t.teardown(() => redis.stop())

t.test('a change by any client ends the freshness of the entry in other processes', async (t) => {
  const { a, b, prefix } = await startCachePair(t, redis.url)
  const changes: { name: string; change: (key: string) => Promise<unknown> }[] = [
    { name: 'set', change: (key) => a.cache.set(key, 'new') },
    { name: 'delete', change: (key) => a.cache.delete(key) },
    { name: 'purge', change: (key) => a.cache.purge({ keys: [key] }) },
    { name: 'tag', change: (key) => a.cache.purge({ tags: [`of-${key}`] }) },
    { name: 'other-client-del', change: (key) => redis.client.del(prefix + key) },
    { name: 'other-client-set', change: (key) => redis.client.set(prefix + key, 'corrupt') },
    { name: 'expiry', change: (key) => redis.client.pexpire(prefix + key, 1) },
  ]
  for (const { name, change } of changes) {
    await a.cache.set(name, 'old', { tags: [`of-${name}`] })
    t.equal(await b.cache.get(name), 'old', name)
    await change(name)
    t.ok(await until(async () => (await b.cache.fetch(name, () => 'loaded')) !== 'old'), `${name} invalidates`)
  }
})

t.test('a flush invalidates every entry', async (t) => {
  const { a, b } = await startCachePair(t, redis.url)
  for (const key of ['x', 'y']) {
    await a.cache.set(key, 'old')
    t.equal(await b.cache.get(key), 'old')
  }
  await redis.client.flushall()
  for (const key of ['x', 'y']) t.ok(await until(async () => (await b.cache.fetch(key, () => 'loaded')) === 'loaded'))
})

t.test('the result of a load during which a client removes the entry is not stored', async (t) => {
  const clock = createClock()
  const { a, b, prefix } = await startCachePair(t, redis.url, { now: clock.now })
  const changes = [
    { name: 'DEL', change: () => redis.client.del(`${prefix}k`), isRemoved: true },
    { name: 'FLUSHALL', change: () => redis.client.flushall(), isRemoved: true },
    { name: 'PEXPIRE', change: () => redis.client.pexpire(`${prefix}k`, 60_000), isRemoved: false },
  ]
  for (const { name, change, isRemoved } of changes) {
    await a.cache.set('k', 'old')
    t.ok(await until(() => isInMemory(a, 'k')))
    clock.step(301)
    const [upstream, began] = [createDeferred<string>(), createDeferred<void>()]
    const load = () => {
      began.resolve()
      return upstream.promise
    }
    const { stored, purged } = a.cache.stats().writes
    t.equal(await a.cache.fetch('k', load), 'old', `${name}: refreshed in the background`)
    await began.promise
    await change()
    t.ok(await until(async () => (await a.cache.explain('k')).state === 'purged'), 'the invalidation arrives')
    upstream.resolve('before')
    const count = isRemoved ? { stored, purged: (purged ?? 0) + 1 } : { stored: (stored ?? 0) + 1, purged }
    t.ok(await until(() => a.cache.stats().writes.stored !== stored || a.cache.stats().writes.purged !== purged))
    t.match(a.cache.stats().writes, count, name)
    for (const app of [a, b]) {
      const value = await app.cache.fetch('k', () => 'after')
      t.equal(value, isRemoved ? 'after' : 'before', name)
    }
    await a.cache.delete('k')
  }
})

t.test('a read while a load ends does not treat its value as one that Redis has lost', async (t) => {
  const { a } = await startCachePair(t, redis.url)
  const reasons = new Set<string>()
  for (let n = 0; n < 50; n += 1) {
    const [upstream, began] = [createDeferred<string>(), createDeferred<void>()]
    const load = () => {
      began.resolve()
      return upstream.promise
    }
    const first = a.cache.read(`k${n}`, load)
    await began.promise
    const second = a.cache.read(`k${n}`, load) // Redis does not have the entry yet
    upstream.resolve('v')
    await first
    reasons.add((await second).reason)
  }
  t.equal(a.cache.stats().loads.succeeded, 50)
  t.strictSame(
    [...reasons].filter((reason) => reason !== 'hit' && reason !== 'collapsed'),
    [],
  )
})

t.test('the invalidation of an own write does not invalidate the entry of the writer', async (t) => {
  const { a, prefix } = await startCachePair(t, redis.url)
  await a.cache.set('k', 'stored')
  const reads = await whileTracking(a, prefix, async () => {
    await until(() => isInMemory(a, 'k'))
    return Promise.all(Array.from({ length: 20 }, () => a.cache.read('k', () => 'loaded')))
  })
  for (const read of reads) t.match(read, { value: 'stored', tier: 'memory', reason: 'hit' })
})

t.test('tracking is verified over a network with a delay of a few milliseconds', async (t) => {
  const port = await startSlowTcpProxy(t, redis.port, 10)
  const url = `redis://127.0.0.1:${port}`
  const { app } = await startPlugins(t, { redis: { url, ...longTimeouts.redis }, cache: longTimeouts.cache })
  await untilTracking(app)
  t.strictSame(app.cache.stats().failures, {})
})

t.test('changes made while connections were closed are detected after the reconnect', async (t) => {
  const { a, b, prefix } = await startCachePair(t, redis.url)
  for (const type of ['pubsub', 'normal']) {
    const key = `cut-${type}`
    await a.cache.set(key, 'old')
    t.equal(await b.cache.get(key), 'old')
    await redis.client.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
    await redis.client.del(prefix + key)
    t.ok(await until(async () => (await b.cache.fetch(key, () => 'loaded')) === 'loaded'), type)
    for (const app of [a, b]) await untilTracking(app)
  }
})

t.test('when Redis refuses tracking, one warning is logged and memory is trusted for a second', async (t) => {
  await redis.client.call('ACL', 'SETUSER', 'notracking', 'on', '>secret', '~*', '&*', '+@all', '-client')
  const prefix = nextPrefix()
  const url = `redis://notracking:secret@127.0.0.1:${redis.port}`
  const { app, book } = await startPlugins(t, {
    redis: { url, ...longTimeouts.redis },
    cache: { keyPrefix: prefix, ...longTimeouts.cache },
  })
  await book.until(({ kind }) => kind === 'no-tracking')
  await app.cache.set('k', 'old')
  t.equal(await app.cache.get('k'), 'old')
  await redis.client.del(`${prefix}k`)
  t.ok(await until(async () => (await app.cache.fetch('k', () => 'loaded')) === 'loaded'))
  t.equal(app.cache.stats().coherence, 'polling')
  t.equal(book.at(40).length, 1)
})

t.test('a server that refuses tracking with its own message is asked once', async (t) => {
  const refusal = '-ERR Client tracking is currently not supported for RESP2. Please use RESP3.'
  const keyPrefix = nextPrefix()
  const changes = `${keyPrefix}~changes`
  /** TRACKING and SUBSCRIBE commands with the number of their connection. */
  const sent: string[] = []
  let connections = 0
  const port = await startTcpProxy(t, redis.port, () => {
    connections += 1
    const connection = connections
    return {
      toServer(data, send, reply) {
        if (String(data).includes(changes)) sent.push(`subscribe ${connection}`)
        if (!String(data).includes('TRACKING')) return send(data)
        sent.push(`track ${connection}`)
        reply(sent.length === 1 ? '-LOADING it is not ready yet\r\n' : `${refusal}\r\n`)
      },
    }
  })
  const url = `redis://127.0.0.1:${port}`
  const cache = { keyPrefix, ...longTimeouts.cache }
  const { app, book } = await startPlugins(t, { redis: { url, ...longTimeouts.redis }, cache })
  await book.until(({ kind }) => kind === 'no-tracking')
  await until(async () => (await redis.client.pubsub('NUMSUB', changes))[1] === 1)
  t.strictSame(sent, ['track 2', 'track 3', 'subscribe 3'], 'asked again only after LOADING')
  t.equal(app.cache.stats().coherence, 'polling')
  t.equal(book.at(40).length, 1)
})

t.test('while Redis is down memory serves entries for their lifetimes, and the state is disconnected', async (t) => {
  const { a, b } = await startCachePair(t, redis.url)
  await a.cache.set('k', 'stored')
  t.ok(await until(() => isInMemory(b, 'k')))
  await redis.kill()
  t.teardown(() => redis.start())
  await until(() => b.cache.stats().coherence === 'disconnected')
  let loads = 0
  const load = () => {
    loads += 1
    return 'loaded'
  }
  for (let read = 0; read < 20; read += 1) t.equal(await b.cache.fetch('k', load), 'stored')
  t.equal(loads, 0)
  const purge = await b.cache.purge({ keys: ['k'] })
  t.strictSame(purge, { isDone: false, queued: { tags: [], keys: ['k'], all: false } })
  t.equal(await b.cache.fetch('k', load), 'loaded', 'a purge applies in this process at once')
  await redis.start()
  t.ok(
    await until(async () => (await a.cache.fetch('k', () => 'loaded')) !== 'stored'),
    'it reaches the other process later',
  )
  for (const app of [a, b]) await untilTracking(app)
  await until(() => b.cache.stats().purges.queued === 0)
})
