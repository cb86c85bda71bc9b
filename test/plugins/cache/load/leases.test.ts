import Fastify from 'fastify'
import t from 'tap'
import { Leases } from '../../../../plugins/cache/load/leases.js'
import { CacheEvents } from '../../../../plugins/cache/observe/cache-events.js'
import { CacheSignals } from '../../../../plugins/cache/signals.js'
import { StoreAccess } from '../../../../plugins/cache/store-access.js'
import { createTestStore } from '../../../../plugins/cache/testing/index.js'
import { OutageLog } from '../../../../plugins/redis/outage-log.js'

const longMs = 20_000

/** The leases of two processes on one store, with a monotonic clock that the test steps. */
function start() {
  const redis = createTestStore()
  const { log } = Fastify()
  let nowMs = 0
  const createLeases = () => {
    const outageLog = new OutageLog({ log, subject: 'cache' })
    const events = new CacheEvents('cat_', undefined, () => undefined)
    const access = new StoreAccess({ store: redis.connect(), outageLog, events })
    const signals = new CacheSignals()
    const leases = new Leases({ access, leaseMs: 120_000, clock: { monotonicNow: () => nowMs }, signals })
    return { leases, signals }
  }
  const step = (ms: number) => {
    nowMs += ms
  }
  return { redis, step, one: createLeases(), other: createLeases() }
}

t.test('one process acquires the lease; the other may acquire it after the release', async (t) => {
  const { one, other } = start()
  const lease = await one.leases.acquire('k', longMs)
  if (typeof lease === 'string') throw new Error(lease)
  t.equal(await other.leases.acquire('k', longMs), 'held-elsewhere')
  await lease.release('stored')
  t.type(await other.leases.acquire('k', longMs), 'object')
  await other.leases.close()
})

t.test('after a release without a stored entry other processes load without a lease', async (t) => {
  const { one, other } = start()
  const lease = await one.leases.acquire('k', longMs)
  if (typeof lease === 'string') throw new Error(lease)
  await lease.release('empty')
  t.equal(await other.leases.acquire('k', longMs), 'unavailable')
})

t.test('a lease is assumed to be held elsewhere for 250 ms, or until it changes', async (t) => {
  const { one, other, step } = start()
  await one.leases.acquire('k', longMs)
  t.notOk(other.leases.isHeldElsewhere('k'))
  await other.leases.acquire('k', longMs)
  t.ok(other.leases.isHeldElsewhere('k'))
  step(249)
  t.ok(other.leases.isHeldElsewhere('k'))
  step(1)
  t.notOk(other.leases.isHeldElsewhere('k'))
  await other.leases.acquire('k', longMs)
  other.signals.leaseChanged('k')
  t.notOk(other.leases.isHeldElsewhere('k'))
  await one.leases.close()
})

t.test('without time left, or without a store, no lease is requested', async (t) => {
  const { redis, one } = start()
  t.equal(await one.leases.acquire('k', 0), 'unavailable')
  redis.down()
  t.equal(await one.leases.acquire('k', longMs), 'unavailable')
})

t.test('a signal of the lease or the store wakes callers that wait', async (t) => {
  const { one } = start()
  for (const signal of [() => one.signals.leaseChanged('k'), () => one.signals.storeChanged()]) {
    const waiting = one.leases.listen('k')
    const changed = waiting.changed()
    signal()
    await changed
    waiting.stop()
  }
  t.pass('both')
})
