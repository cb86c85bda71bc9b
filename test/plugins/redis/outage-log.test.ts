import Fastify from 'fastify'
import t from 'tap'
import { OutageLog, type OutageLogOptions } from '../../../plugins/redis/outage-log.js'
import { createClock } from '../../harness/clock.js'
import { createLogBook } from '../../harness/log.js'

function createOutageLog(options: Partial<OutageLogOptions> = {}) {
  const book = createLogBook()
  const clock = createClock()
  const { log } = Fastify({ logger: { stream: book.stream } })
  return { book, clock, outages: new OutageLog({ log, subject: 'redis', now: clock.now, ...options }) }
}

const refused = { kind: 'refused', error: new Error('connect ECONNREFUSED'), message: 'redis unavailable' }

t.test('logs the first failure of an outage at once as a warning with its kind and reason', async (t) => {
  const { book, outages } = createOutageLog()
  outages.failed(refused)
  t.match(book.lines, [
    { level: 40, subject: 'redis', kind: 'refused', reason: 'connect ECONNREFUSED', msg: 'redis unavailable' },
  ])
})

t.test('a thousand failures in 30 s are one line and one summary with their number', async (t) => {
  const { book, clock, outages } = createOutageLog()
  outages.failed(refused)
  for (let failure = 0; failure < 1_000; failure += 1) {
    clock.step(0.029)
    outages.failed(refused)
  }
  t.equal(book.lines.length, 1)
  clock.step(1)
  outages.failed(refused)
  t.equal(book.lines.length, 2)
  t.match(book.lines[1], { level: 40, failures: 1_002, outageMs: 30_000 })
})

t.test('the next summary has a changed kind, and the last line all kinds of the outage', async (t) => {
  const { book, clock, outages } = createOutageLog()
  outages.failed(refused)
  outages.failed({ kind: 'auth', message: 'redis unavailable' })
  t.equal(book.lines.length, 1)
  clock.step(30)
  outages.failed({ kind: 'auth', message: 'redis unavailable' })
  clock.step(2)
  outages.succeeded()
  t.match(book.lines, [{ kind: 'refused' }, { kind: 'auth', failures: 3 }, { kinds: ['refused', 'auth'] }])
})

t.test('an urgent kind is logged at once, the first time in an outage', async (t) => {
  const { book, clock, outages } = createOutageLog({ urgentKinds: new Set(['tls']) })
  const failures = [{ kind: 'tls', message: 'redis unavailable' }, refused]
  for (let outage = 0; outage < 2; outage += 1) {
    for (const failure of [refused, ...failures, ...failures]) outages.failed(failure)
    clock.step(2)
    outages.succeeded()
  }
  const lines = [{ level: 40, kind: 'refused' }, { level: 40, kind: 'tls' }, { level: 30 }]
  t.equal(book.lines.length, 6)
  t.match(book.lines, [...lines, ...lines])
})

t.test('a failure is logged as the explain option returns it', async (t) => {
  const { book, clock, outages } = createOutageLog({ explain: (failure) => ({ ...failure, kind: 'tls' }) })
  outages.failed(refused)
  clock.step(2)
  outages.succeeded()
  t.match(book.lines, [{ kind: 'tls', reason: 'connect ECONNREFUSED' }, { kinds: ['tls'] }])
})

t.test('one line with duration, failures and kinds ends an outage', async (t) => {
  const { book, clock, outages } = createOutageLog()
  outages.failed(refused)
  clock.step(5)
  outages.failed(refused)
  clock.step(2)
  outages.succeeded()
  outages.succeeded()
  t.equal(book.lines.length, 2)
  t.match(book.lines[1], { level: 30, msg: 'redis recovered', failures: 2, outageMs: 7_000, kinds: ['refused'] })
  t.equal(outages.hasOutage, false)
})

t.test(
  'failures, skipped commands and duration of summaries and of the last line count from the start of the outage',
  async (t) => {
    const { book, clock, outages } = createOutageLog()
    outages.failed(refused)
    for (let summary = 0; summary < 2; summary += 1) {
      for (let read = 0; read < 10; read += 1) outages.skipped()
      clock.step(30)
      outages.failed(refused)
    }
    clock.step(2)
    outages.succeeded()
    t.strictSame(book.lines.map(({ failures, skipped, outageMs }) => ({ failures, skipped, outageMs })).slice(1), [
      { failures: 2, skipped: 10, outageMs: 30_000 },
      { failures: 3, skipped: 20, outageMs: 60_000 },
      { failures: 3, skipped: 20, outageMs: 62_000 },
    ])
  },
)

t.test('commands skipped because of the outage are counted and not logged', async (t) => {
  const { book, clock, outages } = createOutageLog()
  outages.skipped() // not counted without an outage
  outages.failed(refused)
  for (let read = 0; read < 1_234; read += 1) outages.skipped()
  clock.step(2)
  outages.succeeded()
  t.equal(book.lines.length, 2)
  t.match(book.lines[1], { skipped: 1_234 })
})

t.test('an outage ends after a second without failures, not with the first success', async (t) => {
  const { book, clock, outages } = createOutageLog()
  for (let round = 0; round < 100; round += 1) {
    outages.failed(refused)
    clock.step(0.1)
    outages.succeeded()
  }
  t.equal(book.lines.length, 1)
  clock.step(1)
  outages.succeeded()
  t.equal(book.lines.length, 2)
})

t.test('reports about one key are summarised, too, and are not an outage', async (t) => {
  const { book, clock, outages } = createOutageLog()
  for (let report = 0; report < 50; report += 1) {
    outages.report({ kind: 'corrupt', key: 'k', message: 'corrupt entry in Redis' })
    outages.succeeded()
  }
  t.equal(book.lines.length, 1)
  t.equal(outages.hasOutage, false)
  for (const seconds of [20, 11]) {
    clock.step(seconds)
    outages.report({ kind: 'corrupt', key: 'k', message: 'corrupt entry in Redis' })
  }
  t.equal(book.lines.length, 2)
  t.match(book.lines[1], { level: 40, kind: 'corrupt', key: 'k', failures: 52 })
})

t.test('a report after 30 s of silence starts a new count', async (t) => {
  const { book, clock, outages } = createOutageLog()
  for (let day = 0; day < 3; day += 1) {
    outages.report({ kind: 'corrupt', key: `k${day}`, message: 'corrupt entry in Redis' })
    clock.step(86_400)
  }
  t.strictSame(
    book.lines.map(({ key, failures }) => [key, failures]),
    [
      ['k0', undefined],
      ['k1', undefined],
      ['k2', undefined],
    ],
  )
})
