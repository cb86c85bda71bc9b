import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { InFlightRequests } from '../../../plugins/responses/collapsing.js'
import { FailureBackoff } from '../../../plugins/responses/failure-backoff.js'
import { InvalidationLog } from '../../../plugins/responses/invalidation-log.js'
import { createClock } from '../../harness/clock.js'

t.test('waiting requests receive the outcome', async (t) => {
  const flights = new InFlightRequests(createClock())
  const flight = flights.begin('k')
  t.equal(flights.get('k'), flight)
  const outcome = flight.outcome(10_000)
  flights.end(flight, undefined)
  t.equal(await outcome, undefined)
  t.equal(flights.get('k'), undefined)
})

t.test('after a response that cannot be shared, requests do not wait for ten seconds', async (t) => {
  const clock = createClock()
  const flights = new InFlightRequests(clock)
  flights.end(flights.begin('k'), undefined)
  t.ok(flights.isHitForMiss('k'))
  t.notOk(flights.isHitForMiss('other'))
  clock.step(10)
  t.notOk(flights.isHitForMiss('k'))
})

t.test('an abandoned request does not affect the next one', async (t) => {
  const flights = new InFlightRequests(createClock())
  const flight = flights.begin('k')
  flights.abandon(flight)
  t.ok(flight.isAbandoned)
  t.notOk(flights.isHitForMiss('k'))
  t.equal(await flight.outcome(10_000), undefined)
})

t.test('the wait of a request is limited', async (t) => {
  const alive = setInterval(() => undefined, 1_000) // waiting alone keeps no process
  t.teardown(() => clearInterval(alive))
  const flights = new InFlightRequests(createClock())
  t.equal(await flights.begin('k').outcome(1), undefined)
})

t.test('the end of a request does not end a later one', async (t) => {
  const flights = new InFlightRequests(createClock())
  const first = flights.begin('k')
  const second = flights.begin('k')
  flights.end(first, undefined)
  t.equal(flights.get('k'), second)
})

t.test('pauses grow from 0.5 s to 5 s, and end with a success', async (t) => {
  const clock = createClock()
  const pauses = new FailureBackoff(clock.now)
  for (const seconds of [0.5, 1, 2, 4, 5, 5]) {
    pauses.failed('k')
    clock.step(seconds - 0.001)
    t.ok(pauses.isWaiting('k'), `${seconds} s`)
    clock.step(0.001)
    t.notOk(pauses.isWaiting('k'))
  }
  pauses.failed('k')
  pauses.succeeded('k')
  t.notOk(pauses.isWaiting('k'))
})

t.test('an invalidation applies to requests that began before it', async (t) => {
  const invalidations = new InvalidationLog()
  const before = invalidations.count
  const place = { key: 'other', path: '/other', tags: ['t'] }
  invalidations.add('k')
  t.ok(invalidations.isAfter(before, { ...place, key: 'k' }))
  t.ok(invalidations.isAfter(before, { ...place, path: 'k' }))
  t.notOk(invalidations.isAfter(before, place))
  t.notOk(invalidations.isAfter(invalidations.count, { ...place, key: 'k' }))
  invalidations.addPurge(({ tags }) => tags.includes('t'))
  t.ok(invalidations.isAfter(before, place))
  t.notOk(invalidations.isAfter(before, { ...place, tags: [] }))
  t.notOk(invalidations.isAfter(invalidations.count, place))
})

t.test('invalidations that are no longer remembered may have been of any response', async (t) => {
  const place = { key: 'k', path: '/k', tags: [] }
  for (const [name, invalidate] of [
    ['keys', (log: InvalidationLog, index: number) => log.add(`other ${index}`)],
    ['purges', (log: InvalidationLog) => log.addPurge(() => false)],
  ] as const) {
    const invalidations = new InvalidationLog()
    for (let index = 0; index < 100; index += 1) invalidate(invalidations, index)
    t.notOk(invalidations.isAfter(0, place), `${name}: all remembered`)
    const early = invalidations.count
    for (let index = 100; index < 10_100; index += 1) invalidate(invalidations, index)
    t.ok(invalidations.isAfter(0, place), `${name}: not all remembered`)
    if (name === 'keys') t.notOk(invalidations.isAfter(early, place), `${name}: all remembered since then`)
  }
})

t.test('long names take no more memory than short ones', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void // what the flag makes of it
  const held = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const clock = createClock()
  const [flights, pauses, invalidations] = [
    new InFlightRequests(clock),
    new FailureBackoff(clock.now),
    new InvalidationLog(),
  ]
  const before = held()
  const nameOf = (index: number) => Buffer.alloc(14_000, `${index} `).toString()
  for (let index = 0; index < 1_000; index += 1) {
    flights.end(flights.begin(nameOf(index)), undefined)
    pauses.failed(nameOf(index))
    invalidations.add(nameOf(index))
  }
  t.ok(held() - before < 2 * 2 ** 20)
  const last = { key: nameOf(999), path: '', tags: [] }
  t.ok(flights.isHitForMiss(nameOf(999)) && pauses.isWaiting(nameOf(999)) && invalidations.isAfter(0, last))
})
