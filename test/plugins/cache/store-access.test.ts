import Fastify from 'fastify'
import { createTestStore } from 'fastify-vitrine/cache/testing'
import t from 'tap'
import { CacheEvents } from '../../../plugins/cache/observe/cache-events.js'
import { StoreFailure } from '../../../plugins/cache/store.js'
import { StoreAccess } from '../../../plugins/cache/store-access.js'
import { OutageLog } from '../../../plugins/redis/outage-log.js'
import { createLogBook } from '../../harness/log.js'

function start() {
  const book = createLogBook()
  const { log } = Fastify({ logger: { stream: book.stream } })
  const outageLog = new OutageLog({ log, subject: 'cache' })
  const events = new CacheEvents('cat_', undefined, () => undefined)
  const redis = createTestStore()
  return { access: new StoreAccess({ store: redis.store, outageLog, events }), outageLog, events, redis, book }
}

for (const { kind, isOutage, message } of [
  { kind: 'timeout', isOutage: true, message: 'redis unavailable, serving from memory' },
  { kind: 'full', isOutage: false, message: 'cache: redis is out of memory and refuses writes; reads continue' },
  { kind: 'corrupt', isOutage: false, message: 'cache: the stored entry is not readable' },
]) {
  t.test(`a failure of the kind ${kind} is undefined to the caller, counted and logged`, async (t) => {
    const { access, outageLog, events, book } = start()
    const failure = new StoreFailure(kind, { isOutage, message: 'no reply' })
    t.equal(await access.attempt('k', () => Promise.reject(failure)), undefined)
    t.strictSame(events.counters().failures, { [kind]: 1 })
    t.equal(outageLog.hasOutage, isOutage)
    t.match(await book.until(({ level }) => level === 40), { kind, key: 'k', reason: 'no reply', msg: message })
  })
}

t.test('an error of another class is reported as a bug', async (t) => {
  const { access, outageLog, events, book } = start()
  t.equal(await access.attempt('k', () => Promise.reject(new TypeError('x is undefined'))), undefined)
  t.strictSame(events.counters().failures, { bug: 1 })
  t.notOk(outageLog.hasOutage)
  t.match(await book.until(({ level }) => level === 40), { kind: 'bug', key: 'k', reason: 'x is undefined' })
})

t.test('a call that an open circuit rejects is counted and not logged', async (t) => {
  const { access, events, book } = start()
  const failure = new StoreFailure('circuit-open', { isOutage: true, message: 'open' })
  t.equal(await access.attempt('k', () => Promise.reject(failure)), undefined)
  t.strictSame(events.counters().failures, { 'circuit-open': 1 })
  t.strictSame(book.lines, [])
})

t.test('there is no store for a key whose circuit is open', async (t) => {
  const { access, redis } = start()
  t.equal(access.storeFor('k'), redis.store)
  redis.down()
  t.equal(access.storeFor('k'), undefined)
})
