import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import Fastify from 'fastify'
import t from 'tap'
import cache, { channels, type WriteEvent } from '../../../plugins/cache/index.js'
import redisPlugin from '../../../plugins/redis.js'
import { type CacheProcess, createCacheProcesses } from '../../harness/cache-processes.js'
import type { Outcome } from '../../harness/cache-worker.js'
import { createDeferred } from '../../harness/deferred.js'
import { startRedis } from '../../harness/redis-server.js'
import { until as untilMet } from '../../harness/until.js'

// Real processes on one Redis. A load goes on until the test ends it: what is answered before that has not waited for it.

const redis = await startRedis()
t.teardown(() => redis.stop())
const openProcesses = createCacheProcesses(t, redis)

/** A lease that outlives every deadline here, as does half of it: whoever goes on was told to, and did not wait for its end. */
const endlessMs = 30_000

t.test('four processes with fifty callers each who miss at once load once, and all get that value', async (t) => {
  const { all, giveAll, loads, asked, until } = await openProcesses(t, { count: 4, cache: { leaseMs: endlessMs } })
  const answers = readAll(all, 'k', 50)
  t.ok(await until(() => asked('k') === 4 || loads.length > 1), 'every process has asked for its turn')

  giveAll('v')
  const outcomes = await answers
  t.strictSame(valuesOf(outcomes), Array(200).fill('v'))
  t.equal(loads.length, 1)
  t.equal(outcomes.filter((outcome) => 'reason' in outcome && outcome.reason === 'miss').length, 1)
})

t.test('a process that is killed while it loads delays the others by no more than its lease', async (t) => {
  const leaseMs = 1_000
  const { all, load, loads, giveAll, asked, until } = await openProcesses(t, { cache: { leaseMs } })
  const answers = readAll(all, 'k')
  t.ok(await until(() => asked('k') === 3), 'every process has asked for its turn')
  const first = await load(0)
  await first.by.kill()
  const killedAt = performance.now()

  const second = await load(1)
  t.ok(second.beganAt - killedAt < leaseMs + 4_000, `another one loads, ${second.beganAt - killedAt} ms later`)
  t.not(second.by, first.by)
  giveAll('v')
  t.strictSame(valuesOf(await answers), ['v', 'v'], 'both who are left have their answer')
  t.equal(loads.length, 2)
})

t.test('a load longer than the lease is still one load: the lease is renewed while the load lives', async (t) => {
  const leaseMs = 1_000
  const { all, giveAll, loads, asked, until } = await openProcesses(t, { cache: { leaseMs } })
  const answers = readAll(all, 'k')
  t.ok(await until(() => asked('k') === 3), 'every process has asked for its turn')
  t.notOk(await until(() => loads.length > 1, 2.5 * leaseMs), 'nobody else loads while the load goes on')

  giveAll('v')
  t.strictSame(valuesOf(await answers), ['v', 'v', 'v'])
  t.equal(loads.length, 1)
})

t.test('who has a stale value to serve does not wait for the load of another process', async (t) => {
  const cache = { leaseMs: endlessMs, softTimeoutMs: endlessMs }
  const { all, load, loads, released } = await openProcesses(t, { cache })
  const [a, b, c] = all
  const windows = [
    { key: 'refreshed-behind', policy: { ttlSeconds: 0.05, staleWhileRevalidateSeconds: 600 } },
    { key: 'stale-if-error', policy: { ttlSeconds: 0.05, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 600 } },
  ]
  for (const { key, policy } of windows) {
    const count = loads.length
    const cold = a.read(key, { policy })
    const first = await load(count)
    first.give('old')
    await cold
    await released(key)
    await pause(100) // twice its time to live

    const refreshing = a.read(key, { policy })
    const refresh = await load(count + 1)
    const stale = { value: 'old', state: 'stale', reason: 'stale' }
    t.strictSame(await readAll([b, c], key, 5, policy), Array(10).fill(stale), `${key}: answered while another loads`)
    t.equal(loads.length, count + 2, `${key}: by that one alone`)
    refresh.give('new')
    await refreshing
  }
})

t.test('those who waited for a load that fails load at once, and not one after another', async (t) => {
  const { all, load, loads, asked, until } = await openProcesses(t, { count: 4, cache: { leaseMs: endlessMs } })
  const answers = readAll(all, 'k', 5)
  t.ok(await until(() => asked('k') === 4), 'every process has asked for its turn')
  const first = await load(0)
  first.fail('the first load fails')

  t.ok(await until(() => loads.length === 4), 'the three others load side by side')
  for (const other of loads.slice(1)) other.fail('this one too')
  const errors = (await answers).map((outcome) => ('error' in outcome ? outcome.error : outcome.value))
  t.equal(errors.filter((error) => error === 'the first load fails').length, 5)
  t.equal(errors.filter((error) => error === 'this one too').length, 15)
  t.equal(loads.length, 4)
  t.equal(new Set(loads.map(({ by }) => by)).size, 4, 'one load in each')
})

t.test('with Redis hung each process loads by itself once its read budget is spent', async (t) => {
  const readTimeoutMs = 1_500
  const { all, loads, until } = await openProcesses(t, {
    cache: { readTimeoutMs, leaseMs: endlessMs },
    redis: { commandTimeoutMs: 10_000 },
  })
  redis.hang()
  t.teardown(() => redis.resume())
  const answers = readAll(all, 'k', 5)
  t.ok(await until(() => loads.length === 3), 'all load side by side')
  for (const { waitedMs } of loads) {
    t.ok(waitedMs < 2 * readTimeoutMs, `${waitedMs} ms are one budget, not one for the value and one for the turn`)
  }
  for (const [index, load] of loads.entries()) load.give(`v${index}`)
  const expected = ['v0', 'v1', 'v2'].flatMap((value) => Array(5).fill(value))
  t.strictSame(valuesOf(await answers).toSorted(), expected)
  t.equal(loads.length, 3)
})

t.test('who waits for another process when Redis hangs loads by itself', async (t) => {
  const { all, load, loads, giveAll, asked, until } = await openProcesses(t, { cache: { leaseMs: endlessMs } })
  const answers = readAll(all, 'k')
  t.ok(await until(() => asked('k') === 3), 'every process has asked for its turn')
  await load(0)

  redis.hang()
  t.teardown(() => redis.resume())
  t.ok(await until(() => loads.length === 3), 'nobody waits for the lease')
  giveAll('v')
  t.strictSame(valuesOf(await answers), ['v', 'v', 'v'])
})

t.test('a process that closes while it loads gives its lease back, and another one loads at once', async (t) => {
  const { all, load, loads, giveAll, asked, until } = await openProcesses(t, { cache: { leaseMs: endlessMs } })
  const answers = readAll(all, 'k')
  t.ok(await until(() => asked('k') === 3), 'every process has asked for its turn')
  const first = await load(0)
  await first.by.close()

  const second = await load(1)
  t.not(second.by, first.by)
  giveAll('v')
  const outcomes = await answers
  t.equal(outcomes.filter((outcome) => 'error' in outcome && outcome.error === 'the cache is closed').length, 1)
  t.strictSame(valuesOf(outcomes), ['v', 'v'])
  t.equal(loads.length, 2)
})

t.test('what a load brings that a purge has overtaken is answered to its callers and not kept as fresh', async (t) => {
  const { all, load, giveAll, loads } = await openProcesses(t, { cache: { leaseMs: endlessMs } })
  const [loading, purging] = all
  const purges = [
    { key: 'by-key', purge: { keys: ['by-key'] }, tagsPurged: 0 },
    { key: 'by-key-hard', purge: { keys: ['by-key-hard'], hard: true }, tagsPurged: 0 },
    { key: 'by-tag', purge: { tags: ['of-by-tag'] }, tagsPurged: 1 },
    { key: 'by-tag-hard', purge: { tags: ['of-by-tag-hard'], hard: true }, tagsPurged: 2 },
  ]
  for (const { key, purge, tagsPurged } of purges) {
    const asking = loading.read(key, { callers: 5, policy: { tags: [`of-${key}`] } })
    const overtaken = await load(loads.length)
    await purging.purge(purge)
    await loading.tagsPurged(tagsPurged)
    overtaken.give('before')
    t.strictSame(valuesOf(await asking), Array(5).fill('before'), `${key}: its callers asked before the purge`)
  }

  giveAll('after')
  for (const { key } of purges) {
    const values = valuesOf(await readAll(all, key, 1, { tags: [`of-${key}`] }))
    t.strictSame(values, Array(3).fill('after'), `${key}: who asks next does not get it`)
  }
})

t.test('after a purge who asks does not wait for the load that the purge has overtaken', async (t) => {
  const { all, load, loads, giveAll, until } = await openProcesses(t, { cache: { leaseMs: endlessMs } })
  const [loading, purging, third] = all
  for (const purge of [{ keys: ['k'] }, { tags: ['x'] }]) {
    const count = loads.length
    const policy = { tags: ['x'] }
    const asking = loading.read('k', { policy })
    const overtaken = await load(count)
    await purging.purge(purge)
    const next = third.read('k', { policy })
    t.ok(await until(() => loads.length === count + 2), JSON.stringify(purge))
    const anew = await load(count + 1)
    anew.give('after')
    t.strictSame(valuesOf(await next), ['after'])
    overtaken.give('before')
    await asking
    await purging.purge({ keys: ['k'], hard: true })
  }
  giveAll('')
})

t.test('a Redis that hangs between the look-up and the turn holds a read for one budget', async (t) => {
  const readTimeoutMs = 1_500
  const { all, loads, giveAll, until } = await openProcesses(t, {
    cache: { leaseMs: endlessMs, readTimeoutMs },
    redis: { commandTimeoutMs: 10_000 },
  })
  await redis.client.call('CLIENT', 'PAUSE', '60000', 'WRITE') // what is read passes, what is asked by script waits
  t.teardown(() => redis.client.call('CLIENT', 'UNPAUSE'))
  const answers = readAll(all, 'k')
  t.ok(await untilMet(async () => /blocked_clients:3/.test(await redis.client.info('clients'))))
  redis.hang()
  t.teardown(() => redis.resume())
  t.ok(await until(() => loads.length === 3))
  for (const { waitedMs } of loads) t.ok(waitedMs < 2 * readTimeoutMs, `${waitedMs} ms`)
  giveAll('v')
  t.strictSame(valuesOf(await answers), ['v', 'v', 'v'])
})

t.test('a caller who goes away does not cancel the load, and what it brings is kept', async (t) => {
  const keyPrefix = 'cat_gone:'
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redisPlugin, { url: redis.url })
  await app.register(cache, { keyPrefix })
  const began = createDeferred<AbortSignal>()
  const gone = createDeferred<void>()
  const upstream = createDeferred<string>()
  app.get('/', async (request) => {
    request.raw.socket.once('close', () => gone.resolve())
    return app.cache.fetch('k', ({ signal }) => {
      began.resolve(signal)
      return upstream.promise
    })
  })
  const caller = request(await app.listen({ host: '127.0.0.1', port: 0 }))
  caller.on('error', () => undefined) // goes away below
  caller.end()
  const signal = await began.promise
  caller.destroy()
  await gone.promise
  t.equal(signal.aborted, false)

  const written = createDeferred<void>()
  const hear = (event: unknown) => {
    if ((event as WriteEvent).cache === keyPrefix) written.resolve() // what the channel carries
  }
  channels.write.subscribe(hear)
  t.teardown(() => channels.write.unsubscribe(hear))
  upstream.resolve('v')
  await written.promise
  t.match(await app.cache.read('k', () => 'loaded again'), { value: 'v', reason: 'hit' })
  t.equal(signal.aborted, false)
})

/** What became of all callers of all these processes, who ask at once. */
async function readAll(processes: readonly CacheProcess[], key: string, callers = 1, policy = {}): Promise<Outcome[]> {
  return (await Promise.all(processes.map((process) => process.read(key, { callers, policy })))).flat()
}

/** The values of those who have got one. */
function valuesOf(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap((outcome) => ('value' in outcome ? [outcome.value] : []))
}
