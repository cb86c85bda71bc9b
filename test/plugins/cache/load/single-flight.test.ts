import t from 'tap'
import { SingleFlight } from '../../../../plugins/cache/load/single-flight.js'
import { createDeferred } from '../../../harness/deferred.js'

t.test('one run serves all who ask for the same key meanwhile', async (t) => {
  const flights = new SingleFlight<number>()
  const answer = createDeferred<number>()
  let runs = 0
  const run = () => {
    runs += 1
    return answer.promise
  }
  const flightOfEach = Array.from({ length: 64 }, () => flights.run('k', run))
  answer.resolve(7)
  t.strictSame(new Set(await Promise.all(flightOfEach.map(({ promise }) => promise))), new Set([7]))
  t.equal(runs, 1)
  t.strictSame(
    flightOfEach.map(({ isCollapsed }) => isCollapsed),
    [false, ...Array.from({ length: 63 }, () => true)],
  )
})

t.test('a failing run is shared, not tried again by each waiter in turn', async (t) => {
  const flights = new SingleFlight<number>()
  const answer = createDeferred<number>()
  let runs = 0
  const run = () => {
    runs += 1
    return answer.promise
  }
  const outcomes = Promise.allSettled(Array.from({ length: 20 }, () => flights.run('k', run).promise))
  answer.reject(new Error('no'))
  t.equal((await outcomes).filter(({ status }) => status === 'rejected').length, 20)
  t.equal(runs, 1)
})

t.test('different keys do not wait for each other', async (t) => {
  const flights = new SingleFlight<string>()
  flights.run('slow', () => new Promise(() => undefined))
  t.equal(await flights.run('quick', async () => 'here').promise, 'here')
})

t.test('the next one after the end starts anew', async (t) => {
  const flights = new SingleFlight<number>()
  await flights.run('k', async () => 1).promise
  t.equal(await flights.run('k', async () => 2).promise, 2)
})

t.test('a forgotten flight ends for its waiters, and a new one does not disturb it', async (t) => {
  const flights = new SingleFlight<string>()
  const [first, second] = [createDeferred<string>(), createDeferred<string>()]
  const old = flights.run('k', () => first.promise)
  flights.forget('k')
  const young = flights.run('k', () => second.promise)
  first.resolve('old')
  t.equal(await old.promise, 'old')
  t.equal(flights.run('k', async () => 'third').isCollapsed, true, 'the end of the old one leaves the new one in place')
  second.resolve('young')
  t.equal(await young.promise, 'young')
})
