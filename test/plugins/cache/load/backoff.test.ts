import t from 'tap'
import { jitterOf } from '../../../../plugins/cache/jitter.js'
import { RefreshPauses } from '../../../../plugins/cache/load/backoff.js'

const load = { stamp: 1, tags: ['x'] }
const never = () => false

/** Milliseconds for which the key is paused, counted from `now`. */
function pauseMsOf(pauses: RefreshPauses, key: string, now: number): number {
  let lengthMs = 0
  while (pauses.isPaused(key, now + lengthMs)) lengthMs += 1
  return lengthMs
}

t.test('a pause doubles from 0.5 s to 5 s, less up to 20 % of jitter', async (t) => {
  const pauses = new RefreshPauses(never)
  let now = 0
  for (const maxMs of [500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
    pauses.failed('k', load, now)
    const lengthMs = pauseMsOf(pauses, 'k', now)
    t.ok(lengthMs <= maxMs && lengthMs >= maxMs * 0.8, `${lengthMs} of ${maxMs} ms`)
    now += lengthMs
  }
})

t.test('after a success the next pause is short again', async (t) => {
  const pauses = new RefreshPauses(never)
  for (let failure = 0; failure < 5; failure += 1) pauses.failed('k', load, 0)
  pauses.clear('k')
  t.equal(pauses.isPaused('k', 0), false)
  pauses.failed('k', load, 0)
  t.ok(pauseMsOf(pauses, 'k', 0) <= 500)
})

t.test('keys are paused independently, and jitter spreads the end of their pauses', async (t) => {
  const pauses = new RefreshPauses(never)
  pauses.failed('a', load, 0)
  t.equal(pauses.isPaused('b', 0), false)
  const keys = Array.from({ length: 50 }, (_, n) => `catalogs_seller_${n}`)
  for (const key of keys) pauses.failed(key, load, 0)
  t.ok(new Set(keys.map((key) => pauseMsOf(pauses, key, 0))).size > 25)
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
