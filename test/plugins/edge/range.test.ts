import t from 'tap'
import { rangeOf } from '../../../plugins/edge/range.js'

t.test('one part of ten bytes, RFC 9110 §14.1.2', async (t) => {
  const cases = [
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=2-4', { first: 2, last: 4 }],
    ['bytes=2-', { first: 2, last: 9 }],
    ['bytes=2-99', { first: 2, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-99', { first: 0, last: 9 }],
    ['BYTES=0-0', { first: 0, last: 0 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=99999999999999999999-', 'unsatisfiable'],
    ['bytes=4-2', undefined],
    ['bytes=0-0,2-3', undefined],
    ['bytes=-', undefined],
    ['bytes=', undefined],
    ['bytes=a-b', undefined],
    ['bytes 0-0', undefined],
    ['items=0-0', undefined],
    ['', undefined],
  ] as const
  for (const [range, part] of cases) t.strictSame(rangeOf(range, 10), part, range)
})

t.test('of nothing there is no part', async (t) => {
  t.equal(rangeOf('bytes=0-', 0), 'unsatisfiable')
  t.equal(rangeOf('bytes=-5', 0), 'unsatisfiable')
})
