// Tests that routes work while Redis fails, without a Redis server: node --test examples/degradation.test.js
import assert from 'node:assert/strict'
import test from 'node:test'
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import { countLoads, createManualClock, createTestStore } from 'fastify-vitrine/cache/testing'

/** The application under test. Cache options are a parameter, so that tests can pass a store and a clock. */
async function buildApp({ loadRates, cacheOptions }) {
  const app = Fastify()
  await app.register(cache, { ttlSeconds: 60, ...cacheOptions })
  app.get('/rates', async (_request, reply) => {
    const { value, state } = await app.cache.read('rates', loadRates, { tags: ['rates'] })
    reply.header('x-state', state)
    return value
  })
  return app
}

async function start(t) {
  const clock = createManualClock()
  const redis = createTestStore({ clock })
  let isUpstreamUp = true
  const upstream = countLoads(() => {
    if (!isUpstreamUp) throw new Error('the upstream is down')
    return { EUR: 1 }
  })
  // The default read budget is 100 ms, which a busy machine may exceed.
  const build = (store) =>
    buildApp({
      loadRates: upstream.load,
      cacheOptions: { store, now: clock.now, readTimeoutMs: 2_000, writeTimeoutMs: 2_000 },
    })
  const [app, other] = [await build(redis.store), await build(redis.connect())] // two processes, one Redis
  t.after(() => Promise.all([app.close(), other.close()]))
  return { app, other, redis, clock, upstream, stopUpstream: () => (isUpstreamUp = false) }
}

for (const [mode, turn] of Object.entries({
  up: (redis) => redis.up(),
  down: (redis) => redis.down(),
  hung: (redis) => redis.hang(),
  slow: (redis) => redis.slow(20),
  flaky: (redis) => redis.flaky(2),
  corrupt: (redis) => redis.corrupt(),
})) {
  test(`rates are served and loaded once while Redis is ${mode}`, async (t) => {
    const { app, redis, upstream } = await start(t)
    turn(redis)
    for (let at = 0; at < 3; at += 1) assert.equal((await app.inject('/rates')).statusCode, 200)
    assert.equal(upstream.count, 1)
  })
}

test('while Redis and the upstream are down the last rates are served as stale', async (t) => {
  const { app, redis, clock, stopUpstream } = await start(t)
  await app.inject('/rates')
  redis.down()
  stopUpstream()
  clock.step(3_600)
  const answer = await app.inject('/rates')
  assert.deepEqual(answer.json(), { EUR: 1 })
  assert.equal(answer.headers['x-state'], 'stale')
})

test('two processes share one load, and a purge in one reaches the other', async (t) => {
  const { app, other, upstream } = await start(t)
  await Promise.all([app.inject('/rates'), other.inject('/rates')])
  assert.equal(upstream.count, 1)
  await app.cache.purge({ tags: ['rates'] })
  await other.inject('/rates')
  assert.equal(upstream.count, 2)
})

test('a purge while Redis is down is reported as queued', async (t) => {
  const { app, redis } = await start(t)
  redis.down()
  const { isDone, queued } = await app.cache.purge({ tags: ['rates'] })
  assert.deepEqual({ isDone, tags: queued.tags }, { isDone: false, tags: ['rates'] })
  assert.equal(app.cache.stats().coherence, 'disconnected')
})
