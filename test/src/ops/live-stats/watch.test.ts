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

/** The sample of what has been asked since the last one. */
function sampleOf(app: FastifyInstance) {
  app.watch.tick()
  return app.watch.samples.all.at(-1)
}

t.test('a sample is taken each second', async (t) => {
  const { app } = await startApp(t, { environment })
  mock.timers.tick(3_000)
  t.equal(app.watch.samples.all.length, 3)
  await app.close()
  mock.timers.tick(1_000)
  t.equal(app.watch.samples.all.length, 3, 'until the application closes')
})

t.test('a sample counts what was answered in its second, by the tier that answered', async (t) => {
  const { app } = await startApp(t, { environment, upstream: data() })
  sampleOf(app)
  for (const url of ['/api/v1/sellers', '/api/v1/sellers', '/api/v1/sellers?page=2']) await app.inject(url)
  t.match(sampleOf(app), {
    requests: 3,
    answers: 3,
    edgeRequests: 3,
    edgeAnswers: 1,
    reads: 2,
    memoryHits: 1,
    redisHits: 0,
    loads: 1,
  })
  t.match(sampleOf(app), { requests: 0, answers: 0, edgeRequests: 0, reads: 0, loads: 0, p50Ms: undefined })
})

t.test('answers of the edge, which are sent before the handler, are timed as well', async (t) => {
  const { app } = await startApp(t, { environment, upstream: data() })
  await app.inject('/api/v1/sellers')
  sampleOf(app)
  t.match((await app.inject('/api/v1/sellers')).headers['cache-status'], /hit/)
  const { requests, p50Ms = 0, p99Ms = 0 } = sampleOf(app) ?? {}
  t.equal(requests, 1)
  t.ok(p50Ms > 0 && p99Ms >= p50Ms)
})

t.test('the last minute is told as a whole, also when its last second was quiet', async (t) => {
  const { app } = await startApp(t, { environment, upstream: data() })
  t.match(app.watch.lastMinute, { requestsPerSecond: 0, p50Ms: undefined, p99Ms: undefined })
  for (let second = 0; second < 10; second += 1) {
    app.watch.answered(second < 5 ? 10 : 20, true)
    app.watch.tick()
  }
  for (let second = 0; second < 10; second += 1) app.watch.tick()
  const { requestsPerSecond, p50Ms = 0, p99Ms = 0 } = app.watch.lastMinute
  t.equal(requestsPerSecond, 0.5)
  t.match([p50Ms, p99Ms].map(Math.round), [10, 20])
  for (let second = 0; second < 60; second += 1) app.watch.tick()
  t.match(app.watch.lastMinute, { requestsPerSecond: 0, p50Ms: undefined, p99Ms: undefined }, 'and no longer')
})

t.test('operators and monitors, who ask all the time, are not counted', async (t) => {
  const { app } = await startApp(t, { environment })
  sampleOf(app)
  for (const url of ['/healthz', '/readyz', '/metrics', '/ops/cache']) await app.inject(url)
  t.equal(sampleOf(app)?.requests, 0)
})

t.test('five minutes are remembered, and no more', async (t) => {
  const { app } = await startApp(t, { environment })
  for (let second = 0; second < 301; second += 1) app.watch.tick()
  t.equal(app.watch.samples.all.length, 300)
})

t.test(
  'a marketplace that fails, and answers again for a while, is a change each, however many loads fail',
  async (t) => {
    const clock = createClock()
    const { app, upstream } = await startApp(t, { environment, upstream: data(), now: clock.now })
    upstream.fail(({ query }) => (['a', 'c'].includes(query.name ?? '') ? { status: 500 } : undefined))
    for (const name of ['a', 'b', 'c', 'd']) await app.inject(`/api/v1/sellers?name=${name}`)
    clock.step(10)
    for (const name of ['e', 'f']) await app.inject(`/api/v1/sellers?name=${name}`)
    t.match(
      app.watch.log.all.map(({ change }) => change),
      [
        { kind: 'upstream', isFailing: false },
        { kind: 'upstream', isFailing: true, reason: /500/ },
      ],
      'newest first',
    )
  },
)

t.test('changes beyond a hundred push out the oldest', async (t) => {
  const { app } = await startApp(t, { environment })
  for (let count = 0; count < 101; count += 1) await app.cache.purge({ tags: [`tag-${count}`] })
  t.equal(app.watch.log.all.length, 100)
  t.match(app.watch.log.all.at(0)?.change, { kind: 'purge', tags: ['tag-100'] })
  t.match(app.watch.log.all.at(-1)?.change, { tags: ['tag-1'] })
})

t.test('two applications of one process do not count each other’s', async (t) => {
  const { app } = await startApp(t, { environment: { ...environment, CACHE_KEY_PREFIX: 'one_' }, upstream: data() })
  const other = await startApp(t, { environment: { ...environment, CACHE_KEY_PREFIX: 'two_' }, upstream: data() })
  await app.inject('/api/v1/sellers')
  t.equal(app.watch.busiestFamilies()[0]?.reads, 1)
  t.strictSame(other.app.watch.busiestFamilies(), [])
})
