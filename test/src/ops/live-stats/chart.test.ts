import t from 'tap'
import { drawChart, niceMax } from '../../../../src/ops/live-stats/chart.js'

const box = { capacity: 5, max: 10, height: 20 }

t.test('values are a line with the newest at the right edge and the highest at the top', async (t) => {
  const { width, height, line, area } = drawChart({ ...box, values: [0, 5, 10, 2.5, 0] })
  t.strictSame({ width, height }, { width: 4, height: 20 })
  t.equal(line, 'M0 20L1 10L2 0L3 15L4 20')
  t.equal(area, 'M0 20L1 10L2 0L3 15L4 20V20H0Z', 'closed at the bottom')
})

t.test('a short history is at the right', async (t) => {
  t.equal(drawChart({ ...box, values: [10, 10] }).line, 'M3 0L4 0')
})

t.test('a missing value is a gap, and a value between two gaps is visible', async (t) => {
  const { line } = drawChart({ ...box, values: [10, undefined, 5, undefined, undefined] })
  t.equal(line, 'M0 0h1M2 10h1')
})

t.test('larger values are clipped, and an empty history draws nothing', async (t) => {
  t.equal(drawChart({ ...box, values: [11, -1, 10, 0, 5] }).line, 'M0 0L1 20L2 0L3 20L4 10')
  t.equal(drawChart({ ...box, values: [] }).line, '')
  t.equal(drawChart({ ...box, max: 0, values: [3] }).line, 'M4 20h1')
})

t.test('the maximum is the next of 1, 2 and 5 times a power of ten', async (t) => {
  for (const [most, expected] of [
    [0, 1],
    [0.03, 0.05],
    [1, 1],
    [1.1, 2],
    [20, 20],
    [21, 50],
    [501, 1_000],
  ] as const) {
    t.equal(niceMax([undefined, 0, most]), expected)
  }
  t.equal(niceMax([]), 1)
})
