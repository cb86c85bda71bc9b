import t from 'tap'
import { ErrorCache } from '../../../../plugins/cache/load/error-cache.js'

const load = { stamp: 1, tags: ['x'] }
const never = () => false

/** Milliseconds for which the error is cached, counted from `now`. */
function lifetimeMsOf(errors: ErrorCache, key: string, now: number): number {
  let lengthMs = 0
  while (errors.get(key, now + lengthMs) !== undefined) lengthMs += 1
  return lengthMs
}

t.test('the first error is not cached, later ones for 125 ms, doubling up to a second', async (t) => {
  const errors = new ErrorCache(never)
  const lengths = [1, 2, 3, 4, 5, 6].map((failure) => {
    errors.failed('k', new Error(`failure ${failure}`), load, 0)
    return lifetimeMsOf(errors, 'k', 0)
  })
  t.strictSame(lengths, [0, 125, 250, 500, 1_000, 1_000])
  t.match(errors.get('k', 0), { error: { message: 'failure 6' } }, 'the latest one')
  t.equal(errors.get('other', 0), undefined)
})

t.test('a cleared key starts again with the first failure', async (t) => {
  const errors = new ErrorCache(never)
  for (let failure = 0; failure < 4; failure += 1) errors.failed('k', new Error('down'), load, 0)
  errors.clear('k')
  t.equal(errors.get('k', 0), undefined)
  errors.failed('k', new Error('down'), load, 0)
  t.equal(errors.get('k', 0), undefined)
})

t.test('a purge of the loaded key or tags removes the error, and the next failure counts as the first', async (t) => {
  let purgedUpTo = 0
  const errors = new ErrorCache(({ stamp }) => stamp <= purgedUpTo)
  for (let failure = 0; failure < 3; failure += 1) errors.failed('k', new Error('down'), load, 0)
  t.ok(errors.get('k', 0))
  purgedUpTo = load.stamp
  t.equal(errors.get('k', 0), undefined)
  errors.failed('k', new Error('down'), { ...load, stamp: 2 }, 0)
  t.equal(errors.get('k', 0), undefined)
})
