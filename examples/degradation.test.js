// How to test that your own routes survive a dead Redis, without a Redis: node --test examples/degradation.test.js
import assert from 'node:assert/strict'
import test from 'node:test'
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import { countLoads, createManualClock, createTestStore } from 'fastify-vitrine/cache/testing'

/** The application under test: it takes the options of its cache, so that a test can hand in a store and a clock. */
async function buildApp({ askTheBank, cacheOptions }) {
  const app = Fastify()
  await app.register(cache, { ttlSeconds: 60, ...cacheOptions })
  app.get('/rates', async (_request, reply) => {
    const { value, state } = await app.cache.read('rates', askTheBank, { tags: ['rates'] })
    reply.header('x-state', state)
    return value
  })
  return app
}

async function start(t) {
  const clock = createManualClock()
  const redis = createTestStore({ clock })
  let isBankUp = true
  const bank = countLoads(() => {
    if (!isBankUp) throw new Error('the bank is closed')
    return { EUR: 1 }
  })
  // A read may wait for 100 ms by default, which a busy machine exceeds although its Redis is well.
  const build = (store) =>
    buildApp({
      askTheBank: bank.load,
      cacheOptions: { store, now: clock.now, readTimeoutMs: 2_000, writeTimeoutMs: 2_000 },
    })
  const [app, other] = [await build(redis.store), await build(redis.connect())] // two processes, one Redis
  t.after(() => Promise.all([app.close(), other.close()]))
  return { app, other, redis, clock, bank, closeTheBank: () => (isBankUp = false) }
}

for (const [mode, turn] of Object.entries({
  up: (redis) => redis.up(),
  down: (redis) => redis.down(),
  hung: (redis) => redis.hang(),
  slow: (redis) => redis.slow(20),
  flaky: (redis) => redis.flaky(2),
  corrupt: (redis) => redis.corrupt(),
})) {
  test(`the rates are answered while Redis is ${mode}, and the bank is asked once`, async (t) => {
    const { app, redis, bank } = await start(t)
    turn(redis)
    for (let at = 0; at < 3; at += 1) assert.equal((await app.inject('/rates')).statusCode, 200)
    assert.equal(bank.count, 1)
  })
}

test('with Redis and the bank gone the last rates are answered, as stale', async (t) => {
  const { app, redis, clock, closeTheBank } = await start(t)
  await app.inject('/rates')
  redis.down()
  closeTheBank()
  clock.step(3_600)
  const answer = await app.inject('/rates')
  assert.deepEqual(answer.json(), { EUR: 1 })
  assert.equal(answer.headers['x-state'], 'stale')
})

test('two processes ask the bank once, and a purge in one is heard in the other', async (t) => {
  const { app, other, bank } = await start(t)
  await Promise.all([app.inject('/rates'), other.inject('/rates')])
  assert.equal(bank.count, 1)
  await app.cache.purge({ tags: ['rates'] })
  await other.inject('/rates')
  assert.equal(bank.count, 2)
})

test('a purge while Redis is down says that it is queued', async (t) => {
  const { app, redis } = await start(t)
  redis.down()
  const { isDone, queued } = await app.cache.purge({ tags: ['rates'] })
  assert.deepEqual({ isDone, tags: queued.tags }, { isDone: false, tags: ['rates'] })
  assert.equal(app.cache.stats().coherence, 'disconnected')
})
