import t from 'tap'
import { jitterOf } from '../../../../plugins/backoff.js'
import { RefreshBackoff } from '../../../../plugins/cache/load/refresh-backoff.js'

const load = { stamp: 1, tags: ['x'] }
const never = () => false

/** Milliseconds for which the key is paused, counted from `now`. */
function pauseMsOf(backoff: RefreshBackoff, key: string, now: number): number {
  let lengthMs = 0
  while (backoff.isBackingOff(key, now + lengthMs)) lengthMs += 1
  return lengthMs
}

t.test('a pause doubles from 0.5 s to 5 s, less up to 20 % of jitter', async (t) => {
  const backoff = new RefreshBackoff(never)
  let now = 0
  for (const maxMs of [500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
    backoff.failed('k', load, now)
    const lengthMs = pauseMsOf(backoff, 'k', now)
    t.ok(lengthMs <= maxMs && lengthMs >= maxMs * 0.8, `${lengthMs} of ${maxMs} ms`)
    now += lengthMs
  }
})

t.test('after a success the next pause is short again', async (t) => {
  const backoff = new RefreshBackoff(never)
  for (let failure = 0; failure < 5; failure += 1) backoff.failed('k', load, 0)
  backoff.clear('k')
  t.equal(backoff.isBackingOff('k', 0), false)
  backoff.failed('k', load, 0)
  t.ok(pauseMsOf(backoff, 'k', 0) <= 500)
})

t.test('keys are paused independently, and jitter spreads the end of their pauses', async (t) => {
  const backoff = new RefreshBackoff(never)
  backoff.failed('a', load, 0)
  t.equal(backoff.isBackingOff('b', 0), false)
  const keys = Array.from({ length: 50 }, (_, n) => `catalogs_seller_${n}`)
  for (const key of keys) backoff.failed(key, load, 0)
  t.ok(new Set(keys.map((key) => pauseMsOf(backoff, key, 0))).size > 25)
})

t.test('jitter is constant for a key, from 0 to 1, and evenly spread over keys', async (t) => {
  const values = Array.from({ length: 1_000 }, (_, n) => jitterOf(`catalogs_seller_${n}`))
  t.ok(values.every((value) => value >= 0 && value < 1))
  t.equal(jitterOf('k'), jitterOf('k'))
  for (const quarter of [0, 0.25, 0.5, 0.75]) {
    const share = values.filter((value) => value >= quarter && value < quarter + 0.25).length
    t.ok(share > 150 && share < 350, `${share} of 1,000 from ${quarter}`)
  }
})
