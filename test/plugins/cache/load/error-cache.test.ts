import t from 'tap'
import { ErrorMemos } from '../../../../plugins/cache/load/error-cache.js'

const load = { stamp: 1, tags: ['x'] }
const never = () => false

/** Milliseconds for which the failure is remembered from `now` on. */
function lengthOf(memos: ErrorMemos, key: string, now: number): number {
  let lengthMs = 0
  while (memos.of(key, now + lengthMs) !== undefined) lengthMs += 1
  return lengthMs
}

t.test('the first failure is not remembered, later ones for 125 ms, doubling up to a second', async (t) => {
  const memos = new ErrorMemos(never)
  const lengths = [1, 2, 3, 4, 5, 6].map((failure) => {
    memos.failed('k', new Error(`failure ${failure}`), load, 0)
    return lengthOf(memos, 'k', 0)
  })
  t.strictSame(lengths, [0, 125, 250, 500, 1_000, 1_000])
  t.match(memos.of('k', 0), { error: { message: 'failure 6' } }, 'the latest one')
  t.equal(memos.of('other', 0), undefined)
})

t.test('a cleared key begins anew', async (t) => {
  const memos = new ErrorMemos(never)
  for (let failure = 0; failure < 4; failure += 1) memos.failed('k', new Error('down'), load, 0)
  memos.clear('k')
  t.equal(memos.of('k', 0), undefined)
  memos.failed('k', new Error('down'), load, 0)
  t.equal(memos.of('k', 0), undefined)
})

t.test('a purge of what the load was to bring ends it, and the next failure is the first one again', async (t) => {
  let upTo = 0
  const memos = new ErrorMemos(({ stamp }) => stamp <= upTo)
  for (let failure = 0; failure < 3; failure += 1) memos.failed('k', new Error('down'), load, 0)
  t.ok(memos.of('k', 0))
  upTo = load.stamp
  t.equal(memos.of('k', 0), undefined)
  memos.failed('k', new Error('down'), { ...load, stamp: 2 }, 0)
  t.equal(memos.of('k', 0), undefined)
})
