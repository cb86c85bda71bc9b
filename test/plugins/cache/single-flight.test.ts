import t from 'tap'
import { SingleFlight } from '../../../plugins/cache/single-flight.js'
import { createDeferred } from '../../harness/deferred.js'

t.test('concurrent calls for the same key share one run', async (t) => {
  const flights = new SingleFlight<number>()
  const answer = createDeferred<number>()
  let runs = 0
  const run = () => {
    runs += 1
    return answer.promise
  }
  const callers = Array.from({ length: 64 }, () => flights.run('k', run))
  answer.resolve(7)
  t.strictSame(new Set(await Promise.all(callers.map(({ promise }) => promise))), new Set([7]))
  t.equal(runs, 1)
  t.strictSame(
    callers.map(({ isCollapsed }) => isCollapsed),
    [false, ...Array.from({ length: 63 }, () => true)],
  )
})

t.test('a failing run is shared and not retried by each waiter', async (t) => {
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
  t.equal(await flights.run('quick', async () => 'done').promise, 'done')
})

t.test('a call after the end starts a new run', async (t) => {
  const flights = new SingleFlight<number>()
  await flights.run('k', async () => 1).promise
  t.equal(await flights.run('k', async () => 2).promise, 2)
})

t.test('a forgotten flight still settles for its waiters, and its end does not affect the new one', async (t) => {
  const flights = new SingleFlight<string>()
  const [first, second] = [createDeferred<string>(), createDeferred<string>()]
  const old = flights.run('k', () => first.promise)
  flights.detach('k')
  const latest = flights.run('k', () => second.promise)
  first.resolve('old')
  t.equal(await old.promise, 'old')
  t.equal(flights.run('k', async () => 'third').isCollapsed, true, 'the new flight is still registered')
  second.resolve('latest')
  t.equal(await latest.promise, 'latest')
})
