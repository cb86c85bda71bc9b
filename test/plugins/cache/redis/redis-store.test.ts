import { spawnSync } from 'node:child_process'
import { Redis } from 'ioredis'
import t from 'tap'
import { CacheClock } from '../../../../plugins/cache/clock.js'
import { createRedisStore } from '../../../../plugins/cache/redis/redis-store.js'
import { CircuitBreaker } from '../../../../plugins/redis/circuit-breaker.js'
import { singleServerBreakers } from '../../../../plugins/redis/server-breakers.js'
import { entryIn, entryOf, lifetimesMs, storeContract } from '../../../contracts/store.js'
import { stopMonotonicClock } from '../../../harness/clock.js'
import { startRedis } from '../../../harness/redis-server.js'

const redis = await startRedis()
const client = new Redis(redis.port, '127.0.0.1', { enableOfflineQueue: true })
client.on('error', () => undefined) // hung and resumed below
t.teardown(async () => {
  breaker.stop()
  client.disconnect()
  await redis.stop()
})

/** A breaker with limits so high that these tests do not open it. */
const breaker = new CircuitBreaker({ probe: () => client.ping(), failureThreshold: 1_000, minSamples: 1_000 })
const options = {
  client,
  breakers: singleServerBreakers(breaker),
  clock: new CacheClock(Date.now, { isCorrected: false }),
  random: Math.random,
  keyPrefix: 'cat_test:',
  readTimeoutMs: 600_000,
  writeTimeoutMs: 600_000,
  leaseMs: 600_000,
  compressAboveBytes: undefined,
  maxEntryBytes: 2 ** 20,
  onTrackingUnsupported: () => undefined,
  onCorruptKey: () => undefined,
}

/** A program that exits once the server at the port has answered a GET and a later command. */
const waitForGet = `
import { connect } from 'node:net'
const [, port] = process.argv
const socket = connect(Number(port), '127.0.0.1')
let answers = 0
socket.setEncoding('utf8').on('data', (text) => {
  if (text.includes('cmdstat_get:')) answers += 1
  if (answers === 2) process.exit(0)
  socket.write('INFO commandstats\\r\\n')
})
socket.write('INFO commandstats\\r\\n')`

await storeContract(t, async () => {
  await redis.client.flushall()
  return createRedisStore(options)
})

t.test('every key begins with the prefix and expires with the last stale window', async (t) => {
  await redis.client.flushall()
  const before = Date.now()
  const { entry, text } = entryOf(1, before)
  await createRedisStore(options).set('k', entry, text)
  t.strictSame(await redis.client.keys('*'), ['cat_test:k'])
  const leftMs = await redis.client.pttl('cat_test:k')
  const tookMs = Date.now() - before
  const totalMs = lifetimesMs.fresh + lifetimesMs.stale
  t.ok(leftMs <= totalMs && leftMs >= totalMs - tookMs, `${leftMs} ms: the fresh and the stale lifetime`)
})

t.test('an expired entry is not written', async (t) => {
  await redis.client.flushall()
  const { entry, text } = entryOf(1, Date.now() - lifetimesMs.fresh - lifetimesMs.stale)
  await createRedisStore(options).set('k', entry, text)
  t.equal(await redis.client.dbsize(), 0)
})

t.test('data of another client under the key is a failure with a kind and not an outage', async (t) => {
  const store = createRedisStore(options)
  const cases = [
    { name: 'a list', write: () => redis.client.lpush('cat_test:k', 'x'), kind: 'wrong-type' },
    { name: 'a hash', write: () => redis.client.hset('cat_test:k', 'f', 'v'), kind: 'wrong-type' },
    { name: 'corrupt data', write: () => redis.client.set('cat_test:k', '\u0000\u00ff{'), kind: 'corrupt' },
    { name: 'an empty string', write: () => redis.client.set('cat_test:k', ''), kind: 'corrupt' },
    { name: 'JSON of another application', write: () => redis.client.set('cat_test:k', '{"a":1}'), kind: 'corrupt' },
  ]
  for (const { name, write, kind } of cases) {
    await redis.client.del('cat_test:k')
    await write()
    await t.rejects(store.get('k'), { name: 'StoreFailure', kind, isOutage: false }, name)
    const { entry, text } = entryOf('ours')
    await store.set('k', entry, text)
    t.equal((await entryIn(store, 'k'))?.value, 'ours', `${name} is replaced by the next write`)
  }
})

t.test('a full Redis refuses writes with the kind full and still answers reads', async (t) => {
  const store = createRedisStore(options)
  const { entry, text } = entryOf('stored')
  await store.set('k', entry, text)
  await redis.client.config('SET', 'maxmemory', '1')
  const monotonic = stopMonotonicClock(t) // the pause after a refusal uses the monotonic clock
  await t.rejects(store.set('other', entry, text), { name: 'StoreFailure', kind: 'full', isOutage: false })
  t.equal((await entryIn(store, 'k'))?.value, 'stored')
  await redis.client.config('SET', 'maxmemory', '0')
  await t.rejects(
    store.set('other', entry, text),
    { kind: 'full', message: /./ },
    'Redis is not asked again for a second',
  )
  monotonic.step(1_000)
  await store.set('other', entry, text)
  t.equal((await entryIn(store, 'other'))?.value, 'stored')
})

t.test(
  'where Redis accepts no writes, corrupt data under the purge key is not read as an empty purge log',
  async (t) => {
    const store = createRedisStore(options)
    await redis.client.set('cat_test:~purges', 'corrupt')
    await redis.client.config('SET', 'min-replicas-to-write', '1')
    await t.rejects(store.readPurges(undefined), { kind: 'wrong-type', message: /./ })
    await redis.client.config('SET', 'min-replicas-to-write', '0')
    t.equal((await store.readPurges(undefined)).isComplete, true)
    t.equal(await redis.client.exists('cat_test:~purges'), 0, 'the corrupt key is deleted')
  },
)

t.test('an exception thrown by the client is a store failure', async (t) => {
  const broken = {
    get: () => {
      throw new Error('Connection is closed.')
    },
    eval: async () => 'stored',
  }
  await t.rejects(
    createRedisStore({
      ...options,
      client: broken,
      breakers: singleServerBreakers(new CircuitBreaker({ probe: async () => undefined })),
    }).get('k'),
    { name: 'StoreFailure', kind: 'closed' },
  )
})

t.test('a reply that arrives while the event loop is blocked is not a timeout', async (t) => {
  const store = createRedisStore({ ...options, readTimeoutMs: 20 })
  const { entry, text } = entryOf('stored')
  await store.set('k', entry, text)
  await redis.client.config('RESETSTAT')
  const reading = entryIn(store, 'k')
  await new Promise(setImmediate) // the command is sent
  // Blocks for longer than the timeout and until Redis has answered the GET.
  const program = ['--input-type=module', '--eval', waitForGet, String(redis.port)]
  const { status } = spawnSync(process.execPath, program, { timeout: 60_000 })
  t.equal(status, 0)
  t.equal((await reading)?.value, 'stored')
})

t.test('a hung Redis delays reads and writes no longer than their timeouts', async (t) => {
  const store = createRedisStore({ ...options, readTimeoutMs: 50, writeTimeoutMs: 80 })
  const { entry, text } = entryOf(1)
  redis.hang()
  t.teardown(() => redis.resume())
  await t.rejects(store.get('k'), { kind: 'timeout', isOutage: true, message: 'no answer within 50 ms' })
  await t.rejects(store.set('k', entry, text), { kind: 'timeout', message: 'no answer within 80 ms' })
  const purge = { stamp: 1, isHard: true, fenceMs: 1 }
  await t.rejects(store.purgeKey('k', purge), { kind: 'timeout', message: 'no answer within 80 ms' })
})

t.test('with an open breaker reads and writes fail without a command to Redis', async (t) => {
  const open = new CircuitBreaker({ probe: () => new Promise(() => undefined) })
  t.teardown(() => open.stop())
  open.trip()
  const store = createRedisStore({ ...options, breakers: singleServerBreakers(open) })
  const { entry, text } = entryOf(1)
  await redis.client.config('RESETSTAT')
  await t.rejects(store.get('k'), { name: 'StoreFailure', kind: 'circuit-open', isOutage: true })
  await t.rejects(store.set('k', entry, text), { name: 'StoreFailure', kind: 'circuit-open' })
  await t.rejects(store.stampOf('k'), { name: 'StoreFailure', kind: 'circuit-open' })
  t.notMatch(await redis.client.info('commandstats'), /cmdstat_(get|eval|evalsha):/)
})

t.test('timeouts open the breaker, a key of the wrong type does not', async (t) => {
  const breaker = new CircuitBreaker({ probe: () => new Promise(() => undefined) })
  t.teardown(() => breaker.stop())
  const breakers = singleServerBreakers(breaker)
  const store = createRedisStore({ ...options, breakers })
  await redis.client.del('cat_test:list')
  await redis.client.lpush('cat_test:list', 'x')
  for (let read = 0; read < 10; read += 1) await t.rejects(store.get('list'), { kind: 'wrong-type', message: /./ })
  t.equal(breaker.isOpen, false)
  redis.hang()
  t.teardown(() => redis.resume())
  const shortTimeout = createRedisStore({ ...options, breakers, readTimeoutMs: 10 })
  for (let read = 0; read < 5; read += 1) await t.rejects(shortTimeout.get('k'), { kind: 'timeout', message: /./ })
  t.equal(breaker.isOpen, true)
})

t.test('a value above the threshold is compressed in Redis and read unchanged', async (t) => {
  const store = createRedisStore({ ...options, compressAboveBytes: 1_000 })
  const { entry, text } = entryOf(Array.from({ length: 500 }, (_, id) => ({ id, name: `Seller ${id}` })))
  await store.set('packed', entry, text)
  t.ok((await redis.client.strlen('cat_test:packed')) < text.length / 2)
  t.strictSame(await entryIn(createRedisStore(options), 'packed'), entry, 'also by a store without compression')
  t.throws(() => Object.assign((entry.value as object[])[0] ?? {}, { id: 2 }), TypeError)
})
