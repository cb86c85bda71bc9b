import t from 'tap'
import { drawChart, niceMax } from '../../../../src/ops/live-stats/chart.js'

const box = { capacity: 5, max: 10, height: 20 }

t.test('values are a line from the left to the newest at the right edge, the highest at the top', async (t) => {
  const { width, height, line, area } = drawChart({ ...box, values: [0, 5, 10, 2.5, 0] })
  t.strictSame({ width, height }, { width: 4, height: 20 })
  t.equal(line, 'M0 20L1 10L2 0L3 15L4 20')
  t.equal(area, 'M0 20L1 10L2 0L3 15L4 20V20H0Z', 'closed along the bottom')
})

t.test('a history that is short yet begins in the middle', async (t) => {
  t.equal(drawChart({ ...box, values: [10, 10] }).line, 'M3 0L4 0')
})

t.test('where there is no value the line is broken, and a value between two gaps is seen all the same', async (t) => {
  const { line } = drawChart({ ...box, values: [10, undefined, 5, undefined, undefined] })
  t.equal(line, 'M0 0h1M2 10h1')
})

t.test('what is beyond the height is cut off there, and nothing is drawn of nothing', async (t) => {
  t.equal(drawChart({ ...box, values: [11, -1, 10, 0, 5] }).line, 'M0 0L1 20L2 0L3 20L4 10')
  t.equal(drawChart({ ...box, values: [] }).line, '')
  t.equal(drawChart({ ...box, max: 0, values: [3] }).line, 'M4 20h1')
})

t.test('the height stands for the next 1, 2 or 5 times a power of ten', async (t) => {
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
