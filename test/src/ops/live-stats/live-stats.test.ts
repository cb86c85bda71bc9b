import { mock } from 'node:test'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { startApp } from '../../../harness/app.js'
import { createClock } from '../../../harness/clock.js'
import { makeSellers } from '../../../harness/upstream.js'

const environment = { PURGE_TOKEN: 'open-sesame' }
const data = () => ({ sellers: makeSellers(3) })

mock.timers.enable({ apis: ['setInterval'] }) // else a busy machine takes a sample in the middle of a test
t.teardown(() => mock.timers.reset())

/** The sample since the last call. */
function sampleOf(app: FastifyInstance) {
  app.liveStats.tick()
  return app.liveStats.samples.all.at(-1)
}

t.test('a sample is taken each second', async (t) => {
  const { app } = await startApp(t, { environment })
  mock.timers.tick(3_000)
  t.equal(app.liveStats.samples.all.length, 3)
  await app.close()
  mock.timers.tick(1_000)
  t.equal(app.liveStats.samples.all.length, 3, 'until the application closes')
})

t.test('a sample counts the responses of its second by tier', async (t) => {
  const { app } = await startApp(t, { environment, upstream: data() })
  sampleOf(app)
  for (const url of ['/api/v1/sellers', '/api/v1/sellers', '/api/v1/sellers?page=2']) await app.inject(url)
  t.match(sampleOf(app), {
    requests: 3,
    catalogResponses: 3,
    edgeRequests: 3,
    edgeHits: 1,
    reads: 2,
    memoryHits: 1,
    redisHits: 0,
    loads: 1,
  })
  t.match(sampleOf(app), { requests: 0, catalogResponses: 0, edgeRequests: 0, reads: 0, loads: 0, p50Ms: undefined })
})

t.test('edge hits, which run no handler, are timed too', async (t) => {
  const { app } = await startApp(t, { environment, upstream: data() })
  await app.inject('/api/v1/sellers')
  sampleOf(app)
  t.match((await app.inject('/api/v1/sellers')).headers['cache-status'], /hit/)
  const { requests, p50Ms = 0, p99Ms = 0 } = sampleOf(app) ?? {}
  t.equal(requests, 1)
  t.ok(p50Ms > 0 && p99Ms >= p50Ms)
})

t.test('the last minute is summarized as a whole, also when its last second had no requests', async (t) => {
  const { app } = await startApp(t, { environment, upstream: data() })
  t.match(app.liveStats.lastMinute, { requestsPerSecond: 0, p50Ms: undefined, p99Ms: undefined })
  for (let second = 0; second < 10; second += 1) {
    app.liveStats.recordResponse(second < 5 ? 10 : 20, true)
    app.liveStats.tick()
  }
  for (let second = 0; second < 10; second += 1) app.liveStats.tick()
  const { requestsPerSecond, p50Ms = 0, p99Ms = 0 } = app.liveStats.lastMinute
  t.equal(requestsPerSecond, 0.5)
  t.match([p50Ms, p99Ms].map(Math.round), [10, 20])
  for (let second = 0; second < 60; second += 1) app.liveStats.tick()
  t.match(app.liveStats.lastMinute, { requestsPerSecond: 0, p50Ms: undefined, p99Ms: undefined }, 'after a minute')
})

t.test('requests of operators and monitors are not counted', async (t) => {
  const { app } = await startApp(t, { environment })
  sampleOf(app)
  for (const url of ['/healthz', '/readyz', '/metrics', '/ops/cache']) await app.inject(url)
  t.equal(sampleOf(app)?.requests, 0)
})

t.test('five minutes of samples are stored', async (t) => {
  const { app } = await startApp(t, { environment })
  for (let second = 0; second < 301; second += 1) app.liveStats.tick()
  t.equal(app.liveStats.samples.all.length, 300)
})

t.test('a failure and a recovery of the marketplace are one change each, however many loads fail', async (t) => {
  const clock = createClock()
  const { app, upstream } = await startApp(t, { environment, upstream: data(), now: clock.now })
  upstream.fail(({ query }) => (['a', 'c'].includes(query.name ?? '') ? { status: 500 } : undefined))
  for (const name of ['a', 'b', 'c', 'd']) await app.inject(`/api/v1/sellers?name=${name}`)
  clock.step(10)
  for (const name of ['e', 'f']) await app.inject(`/api/v1/sellers?name=${name}`)
  t.match(
    app.liveStats.changes.all.map(({ change }) => change),
    [
      { kind: 'upstream', isFailing: false },
      { kind: 'upstream', isFailing: true, reason: /500/ },
    ],
    'newest first',
  )
})

t.test('the oldest of more than 100 changes is dropped', async (t) => {
  const { app } = await startApp(t, { environment })
  for (let count = 0; count < 101; count += 1) await app.cache.purge({ tags: [`tag-${count}`] })
  t.equal(app.liveStats.changes.all.length, 100)
  t.match(app.liveStats.changes.all.at(0)?.change, { kind: 'purge', tags: ['tag-100'] })
  t.match(app.liveStats.changes.all.at(-1)?.change, { tags: ['tag-1'] })
})

t.test('two applications in one process are counted separately', async (t) => {
  const { app } = await startApp(t, { environment: { ...environment, CACHE_KEY_PREFIX: 'one_' }, upstream: data() })
  const other = await startApp(t, { environment: { ...environment, CACHE_KEY_PREFIX: 'two_' }, upstream: data() })
  await app.inject('/api/v1/sellers')
  t.equal(app.liveStats.busiestKeyGroups()[0]?.reads, 1)
  t.strictSame(other.app.liveStats.busiestKeyGroups(), [])
})
