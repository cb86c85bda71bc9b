import t from 'tap'
import { delayAfter, GuessLimit } from '../../../src/ops/guess-limit.js'
import { createClock } from '../../harness/clock.js'

t.test('the delay grows with the number of wrong tokens, up to a minute', async (t) => {
  const seconds = Array.from({ length: 13 }, (_, wrong) => delayAfter(wrong) / 1_000)
  t.strictSame(seconds, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60])
})

t.test('each wrong token of a network counts, and the same one again does not', async (t) => {
  const limit = new GuessLimit(createClock().now)
  for (let count = 0; count < 100; count += 1) limit.recordWrong('a', 'same')
  t.equal(limit.waitMs('a'), 0)
  for (let count = 0; count < 4; count += 1) limit.recordWrong('a', String(count))
  t.equal(limit.waitMs('a'), 1_000)
  t.equal(limit.waitMs('b'), 0, 'another network')
})

t.test('a network may try again after its delay, once', async (t) => {
  const clock = createClock()
  const limit = new GuessLimit(clock.now)
  for (let count = 0; count < 5; count += 1) limit.recordWrong('a', String(count))
  clock.step(0.5)
  t.equal(limit.waitMs('a'), 500)
  clock.step(0.5)
  t.equal(limit.waitMs('a'), 0)
  limit.recordWrong('a', 'next')
  t.equal(limit.waitMs('a'), 2_000)
})

t.test('the right token, or a quarter of an hour, resets the delay', async (t) => {
  const clock = createClock()
  const limit = new GuessLimit(clock.now)
  const guess = () => {
    for (let count = 0; count < 20; count += 1) limit.recordWrong('a', String(count))
  }
  guess()
  t.equal(limit.waitMs('a'), 60_000)
  limit.recordRight('a')
  t.equal(limit.waitMs('a'), 0)
  guess()
  clock.step(15 * 60)
  t.equal(limit.waitMs('a'), 0)
  limit.recordWrong('a', 'x')
  t.equal(limit.waitMs('a'), 0)
})

t.test('networks are bounded: the one that was seen longest ago is dropped', async (t) => {
  const limit = new GuessLimit(createClock().now)
  for (let count = 0; count < 20; count += 1) limit.recordWrong('first', String(count))
  for (let n = 0; n < 10_000; n += 1) limit.recordWrong(`other ${n}`, 'x')
  t.equal(limit.waitMs('first'), 0)
})

t.test('the delay is exact for any fraction of a millisecond', async (t) => {
  const instants = Array.from({ length: 1_000 }, (_, at) => at * 1_234.567_891)
  const waits = instants.map((at) => {
    const limit = new GuessLimit(() => at)
    for (let count = 0; count < 5; count += 1) limit.recordWrong('a', String(count))
    return limit.waitMs('a')
  })
  t.strictSame([...new Set(waits)], [1_000])
})
