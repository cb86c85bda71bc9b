import t, { type Test } from 'tap'
import { Breaker, type BreakerOptions } from '../../../plugins/redis/circuit-breaker.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred, type Deferred } from '../../harness/deferred.js'

/** A breaker whose every probe waits for the test, and tells when it is made. */
function createBreaker(t: Test, options: Partial<BreakerOptions> = {}) {
  const clock = createClock()
  const probes: Deferred<void>[] = []
  let arrival = createDeferred<void>()
  const breaker = new Breaker({
    probe: () => {
      const probe = createDeferred<void>()
      probes.push(probe)
      arrival.resolve()
      return probe.promise
    },
    probeIntervalMs: 5,
    now: clock.now,
    ...options,
  })
  const alive = setInterval(() => undefined, 1_000) // the breaker itself holds no process
  t.teardown(() => {
    clearInterval(alive)
    breaker.stop()
  })
  return {
    breaker,
    clock,
    probes,
    /** Waits for the next probe and lets it succeed or fail. */
    async answerProbe(works: boolean) {
      await arrival.promise
      arrival = createDeferred<void>()
      const probe = probes.at(-1)
      if (works) probe?.resolve()
      else probe?.reject(new Error('still not there'))
      await new Promise(setImmediate)
    },
  }
}

t.test('opens after five failures in a row, and a success between them starts the count again', async (t) => {
  const { breaker } = createBreaker(t)
  for (let failure = 0; failure < 4; failure += 1) breaker.failed()
  breaker.succeeded()
  for (let failure = 0; failure < 4; failure += 1) breaker.failed()
  t.equal(breaker.isOpen, false)
  breaker.failed()
  t.equal(breaker.isOpen, true)
})

t.test('opens when more than half of twenty requests within ten seconds failed', async (t) => {
  const { breaker } = createBreaker(t)
  for (let round = 0; round < 9; round += 1) {
    breaker.failed()
    breaker.succeeded()
  }
  breaker.failed()
  t.equal(breaker.isOpen, false, 'ten of nineteen')
  breaker.failed()
  t.equal(breaker.isOpen, true, 'eleven of twenty')
})

t.test('failures of an earlier window do not count', async (t) => {
  const { breaker, clock } = createBreaker(t)
  for (let round = 0; round < 9; round += 1) {
    breaker.failed()
    breaker.succeeded()
  }
  clock.step(10)
  breaker.failed()
  breaker.failed()
  t.equal(breaker.isOpen, false)
})

t.test('opens at once when told that the connection is gone', async (t) => {
  const { breaker } = createBreaker(t)
  breaker.trip()
  t.equal(breaker.isOpen, true)
})

t.test('only probes close it: two in a row', async (t) => {
  const { breaker, answerProbe } = createBreaker(t)
  breaker.trip()
  breaker.succeeded() // a late answer
  t.equal(breaker.isOpen, true)
  await answerProbe(true)
  t.equal(breaker.isOpen, true, 'one may have been luck')
  await answerProbe(false)
  await answerProbe(true)
  t.equal(breaker.isOpen, true)
  await answerProbe(true)
  t.equal(breaker.isOpen, false)
})

t.test('after a single failure it looks for itself, and opens when the server stays away', async (t) => {
  const { breaker, answerProbe } = createBreaker(t)
  breaker.failed()
  for (let probe = 0; probe < 4; probe += 1) {
    t.equal(breaker.isOpen, false)
    await answerProbe(false)
  }
  t.equal(breaker.isOpen, true)
})

t.test('says once that it is calm, when there has been no failure for a second', async (t) => {
  let calm = 0
  const { breaker, clock, probes, answerProbe } = createBreaker(t, {
    onCalm: () => {
      calm += 1
    },
  })
  breaker.failed()
  await answerProbe(true)
  await answerProbe(true)
  t.equal(calm, 0, 'too early')
  clock.step(1)
  await answerProbe(true)
  t.equal(calm, 1)
  const made = probes.length
  await new Promise((resolve) => setTimeout(resolve, 30)) // six times the interval: nobody looks any more
  t.equal(probes.length, made)
})

t.test('never has two probes under way', async (t) => {
  const { breaker, probes, answerProbe } = createBreaker(t)
  for (let failure = 0; failure < 50; failure += 1) breaker.failed()
  breaker.trip()
  await answerProbe(false)
  t.equal(probes.length, 1)
})

t.test('probes at once when something says that the server may be back', async (t) => {
  const { breaker, probes, answerProbe } = createBreaker(t, { probeIntervalMs: 60_000 })
  breaker.hurry()
  t.equal(probes.length, 0, 'not while nothing is wrong')
  breaker.trip()
  breaker.hurry()
  breaker.hurry()
  t.equal(probes.length, 1)
  await answerProbe(true)
  await answerProbe(true)
  t.equal(breaker.isOpen, false)
})

t.test('makes no probe after it was stopped', async (t) => {
  const { breaker, probes } = createBreaker(t)
  breaker.failed()
  breaker.stop()
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.equal(probes.length, 0)
})
