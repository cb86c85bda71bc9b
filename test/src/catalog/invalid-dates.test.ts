import t from 'tap'
import { createInvalidDates, quietMs, summaryMs } from '../../../src/catalog/invalid-dates.js'

interface Line {
  readonly example: string
  readonly message: string
}

function open() {
  const lines: Line[] = []
  let now = 0
  const dates = createInvalidDates({
    warn: (fields, message) => lines.push({ ...fields, message }),
    monotonicNow: () => now,
  })
  const step = (milliseconds: number) => {
    now += milliseconds
  }
  return { dates, lines, step }
}

const first = 'upstream sent invalid start dates, their catalogs are not listed'
const summary = 'upstream is sending invalid start dates'

t.test('the first invalid date is a warning, further ones are counted and summed up', async (t) => {
  const { dates, lines, step } = open()
  dates.report([])
  t.strictSame([dates.total, lines], [0, []])
  dates.report(['soon', 'later'])
  t.match(lines, [{ subject: 'upstream', kind: 'invalid-date', count: 2, example: '"soon"', message: first }])
  step(summaryMs - 1)
  for (let lists = 0; lists < 1_000; lists++) dates.report(['never'])
  t.equal(lines.length, 1)
  step(1)
  dates.report(['today', 'x'])
  t.match(lines[1], { count: 1_002, example: '"today"', message: summary })
  t.equal(dates.total, 1_004)
  t.equal(lines.length, 2)
})

t.test('after a time without invalid dates the next one is a new warning', async (t) => {
  const { dates, lines, step } = open()
  dates.report(['a'])
  step(quietMs - 1)
  dates.report([])
  dates.report(['b'])
  step(quietMs)
  dates.report(['c'])
  t.strictSame(
    lines.map(({ message }) => message),
    [first, summary, first],
  )
})

t.test('the example in the log is short and printable', async (t) => {
  const examples: [date: string, example: string][] = [
    ['2026-13-01', '"2026-13-01"'],
    ['a"b\\c\n\u001b[31m', String.raw`"a\"b\\c\n\u001b[31m"`],
    ['\u202e10-30-6202\u2028', String.raw`"\u202e10-30-6202\u2028"`],
    ['\ud83d\ude00\ud800', String.raw`"\ud83d\ude00\ud800"`],
    ['x'.repeat(1_000_000), `"${'x'.repeat(40)}"…`],
  ]
  for (const [date, example] of examples) {
    const { dates, lines } = open()
    dates.report([date])
    t.equal(lines[0]?.example, example)
  }
})
