import t, { type Test } from 'tap'
import { CircuitBreaker, type CircuitBreakerOptions } from '../../../plugins/redis/circuit-breaker.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred, type Deferred } from '../../harness/deferred.js'

/** A breaker whose probes wait until the test answers them. */
function createBreaker(t: Test, options: Partial<CircuitBreakerOptions> = {}) {
  const clock = createClock()
  const probes: Deferred<void>[] = []
  let arrival = createDeferred<void>()
  const breaker = new CircuitBreaker({
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
  const keepAlive = setInterval(() => undefined, 1_000) // the timers of the breaker do not keep the process alive
  t.teardown(() => {
    clearInterval(keepAlive)
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
      else probe?.reject(new Error('still down'))
      await new Promise(setImmediate)
    },
  }
}

t.test('the breaker opens after five consecutive failures, and a success resets the count', async (t) => {
  const { breaker } = createBreaker(t)
  for (let failure = 0; failure < 4; failure += 1) breaker.failed()
  breaker.succeeded()
  for (let failure = 0; failure < 4; failure += 1) breaker.failed()
  t.equal(breaker.isOpen, false)
  breaker.failed()
  t.equal(breaker.isOpen, true)
})

t.test('the breaker opens when more than half of twenty requests within ten seconds failed', async (t) => {
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

t.test('trip opens the breaker at once', async (t) => {
  const { breaker } = createBreaker(t)
  breaker.trip()
  t.equal(breaker.isOpen, true)
})

t.test('only two consecutive successful probes close the breaker', async (t) => {
  const { breaker, answerProbe } = createBreaker(t)
  breaker.trip()
  breaker.succeeded() // a late reply
  t.equal(breaker.isOpen, true)
  await answerProbe(true)
  t.equal(breaker.isOpen, true, 'after one probe')
  await answerProbe(false)
  await answerProbe(true)
  t.equal(breaker.isOpen, true)
  await answerProbe(true)
  t.equal(breaker.isOpen, false)
})

t.test('a single failure starts probes, and the breaker opens when they fail', async (t) => {
  const { breaker, answerProbe } = createBreaker(t)
  breaker.failed()
  for (let probe = 0; probe < 4; probe += 1) {
    t.equal(breaker.isOpen, false)
    await answerProbe(false)
  }
  t.equal(breaker.isOpen, true)
})

t.test('onStable is called once after a second without failures', async (t) => {
  let calm = 0
  const { breaker, clock, probes, answerProbe } = createBreaker(t, {
    onStable: () => {
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
  const count = probes.length
  await new Promise((resolve) => setTimeout(resolve, 30)) // six times the interval without a probe
  t.equal(probes.length, count)
})

t.test('at most one probe is in flight', async (t) => {
  const { breaker, probes, answerProbe } = createBreaker(t)
  for (let failure = 0; failure < 50; failure += 1) breaker.failed()
  breaker.trip()
  await answerProbe(false)
  t.equal(probes.length, 1)
})

t.test('an open breaker can be made to probe at once', async (t) => {
  const { breaker, probes, answerProbe } = createBreaker(t, { probeIntervalMs: 60_000 })
  breaker.probeNow()
  t.equal(probes.length, 0, 'not while the breaker is closed')
  breaker.trip()
  breaker.probeNow()
  breaker.probeNow()
  t.equal(probes.length, 1)
  await answerProbe(true)
  await answerProbe(true)
  t.equal(breaker.isOpen, false)
})

t.test('a stopped breaker sends no probe', async (t) => {
  const { breaker, probes } = createBreaker(t)
  breaker.failed()
  breaker.stop()
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.equal(probes.length, 0)
})
