import Fastify from 'fastify'
import t from 'tap'
import { OutageLog, type OutageLogOptions } from '../../../plugins/redis/outage-log.js'
import { createClock } from '../../harness/clock.js'
import { createLogBook } from '../../harness/log.js'

function createGovernor(options: Partial<OutageLogOptions> = {}) {
  const book = createLogBook()
  const clock = createClock()
  const { log } = Fastify({ logger: { stream: book.stream } })
  return { book, clock, governor: new OutageLog({ log, subject: 'redis', now: clock.now, ...options }) }
}

const refused = { kind: 'refused', error: new Error('connect ECONNREFUSED'), message: 'redis does not answer' }

t.test('tells the first failure of an outage at once, as a warning with its kind and reason', async (t) => {
  const { book, governor } = createGovernor()
  governor.failed(refused)
  t.match(book.lines, [
    { level: 40, subject: 'redis', kind: 'refused', reason: 'connect ECONNREFUSED', msg: 'redis does not answer' },
  ])
})

t.test('a thousand failures in half a minute are one line, and then one summary with their number', async (t) => {
  const { book, clock, governor } = createGovernor()
  governor.failed(refused)
  for (let failure = 0; failure < 1_000; failure += 1) {
    clock.step(0.029)
    governor.failed(refused)
  }
  t.equal(book.lines.length, 1)
  clock.step(1)
  governor.failed(refused)
  t.equal(book.lines.length, 2)
  t.match(book.lines[1], { level: 40, failures: 1_001, sinceMs: 30_000 })
})

t.test('when the reason changes within an outage the next summary tells, and the last line all of them', async (t) => {
  const { book, clock, governor } = createGovernor()
  governor.failed(refused)
  governor.failed({ kind: 'auth', message: 'redis does not answer' })
  t.equal(book.lines.length, 1)
  clock.step(30)
  governor.failed({ kind: 'auth', message: 'redis does not answer' })
  clock.step(2)
  governor.succeeded()
  t.match(book.lines, [{ kind: 'refused' }, { kind: 'auth', failures: 2 }, { kinds: ['refused', 'auth'] }])
})

t.test('an urgent kind is a line at once, the first time in an outage', async (t) => {
  const { book, clock, governor } = createGovernor({ urgentKinds: new Set(['tls']) })
  const failures = [{ kind: 'tls', message: 'redis does not answer' }, refused]
  for (let outage = 0; outage < 2; outage += 1) {
    for (const failure of [refused, ...failures, ...failures]) governor.failed(failure)
    clock.step(2)
    governor.succeeded()
  }
  const lines = [{ level: 40, kind: 'refused' }, { level: 40, kind: 'tls' }, { level: 30 }]
  t.equal(book.lines.length, 6)
  t.match(book.lines, [...lines, ...lines])
})

t.test('a failure is reported as explained', async (t) => {
  const { book, clock, governor } = createGovernor({ explain: (trouble) => ({ ...trouble, kind: 'tls' }) })
  governor.failed(refused)
  clock.step(2)
  governor.succeeded()
  t.match(book.lines, [{ kind: 'tls', reason: 'connect ECONNREFUSED' }, { kinds: ['tls'] }])
})

t.test('one line tells that it is over, with what it cost', async (t) => {
  const { book, clock, governor } = createGovernor()
  governor.failed(refused)
  clock.step(5)
  governor.failed(refused)
  clock.step(2)
  governor.succeeded()
  governor.succeeded()
  t.equal(book.lines.length, 2)
  t.match(book.lines[1], { level: 30, msg: 'redis works again', failures: 2, outageMs: 7_000, kinds: ['refused'] })
  t.equal(governor.hasOutage, false)
})

t.test('what was not tried because of the outage is counted, and is no line', async (t) => {
  const { book, clock, governor } = createGovernor()
  governor.skipped() // nothing is wrong: nothing to tell
  governor.failed(refused)
  for (let read = 0; read < 1_234; read += 1) governor.skipped()
  clock.step(2)
  governor.succeeded()
  t.equal(book.lines.length, 2)
  t.match(book.lines[1], { skipped: 1_234 })
})

t.test('successes between failures do not end an outage until it has been quiet for a second', async (t) => {
  const { book, clock, governor } = createGovernor()
  for (let round = 0; round < 100; round += 1) {
    governor.failed(refused)
    clock.step(0.1)
    governor.succeeded()
  }
  t.equal(book.lines.length, 1)
  clock.step(1)
  governor.succeeded()
  t.equal(book.lines.length, 2)
})

t.test('an incident with one key is summed up too, and does not count as an outage', async (t) => {
  const { book, clock, governor } = createGovernor()
  for (let incident = 0; incident < 50; incident += 1) {
    governor.report({ kind: 'corrupt', key: 'k', message: 'what lies in Redis is no entry' })
    governor.succeeded()
  }
  t.equal(book.lines.length, 1)
  t.equal(governor.hasOutage, false)
  for (const seconds of [20, 11]) {
    clock.step(seconds)
    governor.report({ kind: 'corrupt', key: 'k', message: 'what lies in Redis is no entry' })
  }
  t.equal(book.lines.length, 2)
  t.match(book.lines[1], { level: 40, kind: 'corrupt', key: 'k', failures: 51 })
})

t.test('an incident that comes again after half a minute of quiet is a new one', async (t) => {
  const { book, clock, governor } = createGovernor()
  for (let day = 0; day < 3; day += 1) {
    governor.report({ kind: 'corrupt', key: `k${day}`, message: 'what lies in Redis is no entry' })
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
