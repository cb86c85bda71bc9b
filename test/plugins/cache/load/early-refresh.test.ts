import t from 'tap'
import { earlyRefreshAt } from '../../../../plugins/cache/load/early-refresh.js'
import { startCachePair } from '../../../harness/cache-pair.js'
import { createClock } from '../../../harness/clock.js'
import { createDeferred } from '../../../harness/deferred.js'
import { startPlugins } from '../../../harness/plugins.js'
import { startRedis } from '../../../harness/redis-server.js'
import { until } from '../../../harness/until.js'

const keys = Array.from({ length: 500 }, (_, n) => `catalogs_seller_${n}`)

function entryOf(loadMs: number) {
  const instants = { freshUntil: 100_000, revalidateUntil: 100_000, staleUntil: 100_000 }
  return { value: 1, stamp: 1_000, ...instants, tags: [], fingerprint: '', loadMs, purgedAt: 0 }
}

t.test('an early refresh begins within the last fifth of the lifetime and not after its end', async (t) => {
  for (const loadMs of [1, 100, 5_000, 1_000_000]) {
    const starts = keys.map((key) => earlyRefreshAt(key, entryOf(loadMs), 0, 'salt'))
    t.ok(
      starts.every((at) => at >= 80_000 && at <= 100_000),
      `a load of ${loadMs} ms`,
    )
  }
})

t.test('a longer load time makes the refresh earlier, and without a load time there is no early refresh', async (t) => {
  const mean = (loadMs: number) =>
    keys.reduce((sum, key) => sum + earlyRefreshAt(key, entryOf(loadMs), 0, 'salt'), 0) / keys.length
  t.ok(Math.abs(100_000 - mean(100) - 100) < 20, `${100_000 - mean(100)} ms early on average`)
  t.ok(mean(2_000) < mean(100))
  t.equal(mean(0), 100_000)
})

t.test('the time is constant for an entry within a process and differs between processes', async (t) => {
  t.equal(earlyRefreshAt('k', entryOf(100), 0, 'salt'), earlyRefreshAt('k', entryOf(100), 0, 'salt'))
  t.not(earlyRefreshAt('k', entryOf(100), 0, 'salt'), earlyRefreshAt('k', entryOf(100), 0, 'pepper'))
})

t.test('a hit late in the lifetime is served at once and refreshed once in the background', async (t) => {
  const clock = createClock()
  const { cache } = (await startPlugins(t, { cache: { ttlSeconds: 0.02, now: clock.now } })).app
  const slow = () => new Promise<string>((resolve) => setTimeout(resolve, 30, 'old'))
  // The load takes longer than the lifetime. So nearly every key is due at the earliest time.
  const someKeys = keys.slice(0, 20)
  await Promise.all(someKeys.map((key) => cache.fetch(key, slow)))
  clock.step(0.019)
  const upstream = createDeferred<string>()
  const loads: string[] = []
  for (const key of [...someKeys, ...someKeys]) {
    const load = () => {
      loads.push(key)
      return upstream.promise
    }
    t.match(await cache.read(key, load), { value: 'old', state: 'fresh', reason: 'hit' })
  }
  t.ok(loads.length > 0)
  t.equal(new Set(loads).size, loads.length, 'each key once')
  upstream.resolve('new')
  await upstream.promise
  await new Promise(setImmediate)
  t.equal(await cache.get(loads[0] ?? ''), 'new')
})

t.test('an early refresh loads even if Redis still has the entry that it replaces', async (t) => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const clock = createClock()
  const { a, b } = await startCachePair(t, redis.url, { ttlSeconds: 0.02, now: clock.now })
  const slow = () => new Promise<string>((resolve) => setTimeout(resolve, 30, 'old'))
  const someKeys = keys.slice(0, 20)
  await Promise.all(someKeys.map((key) => a.cache.fetch(key, slow)))
  for (const key of someKeys) t.ok(await until(async () => (await b.cache.get(key)) === 'old'))
  clock.step(0.019)
  for (const key of someKeys) {
    t.match(await a.cache.read(key, () => 'new'), { value: 'old', state: 'fresh', reason: 'hit' })
  }
  const isRefreshed = async () => (await Promise.all(someKeys.map((key) => b.cache.get(key)))).includes('new')
  t.ok(await until(isRefreshed), 'in both processes')
})
