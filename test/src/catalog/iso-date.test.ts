import t from 'tap'
import { parseIsoDate } from '../../../src/catalog/iso-date.js'

// ISO 8601:2004 and RFC 3339. The expected value is a date, a local time or an instant, as JavaScript writes it.

const cases: [title: string, rows: [text: string, expected: string][]][] = [
  [
    'calendar dates',
    [
      ['2026-11-30', '2026-11-30'],
      ['20261130', '2026-11-30'],
      ['2024-02-29', '2024-02-29'],
      ['20240229', '2024-02-29'],
      ['0001-01-01', '0001-01-01'],
      ['0000-02-29', '0000-02-29'],
      ['9999-12-31', '9999-12-31'],
    ],
  ],
  [
    'week dates',
    [
      ['2026-W49-1', '2026-11-30'],
      ['2026W491', '2026-11-30'],
      ['2026-w49-7', '2026-12-06'],
      ['2026-W01-1', '2025-12-29'],
      ['2026-W53-7', '2027-01-03'],
      ['2021-W01-1', '2021-01-04'],
      ['2024W017', '2024-01-07'],
    ],
  ],
  [
    'ordinal dates',
    [
      ['2026-334', '2026-11-30'],
      ['2026334', '2026-11-30'],
      ['2026-001', '2026-01-01'],
      ['2026-365', '2026-12-31'],
      ['2024-366', '2024-12-31'],
    ],
  ],
  [
    'times with a part only',
    [
      ['2026-11-30T10', '2026-11-30T10:00:00.000'],
      ['20261130T10', '2026-11-30T10:00:00.000'],
      ['2026-11-30T10Z', '2026-11-30T10:00:00.000Z'],
      ['2026-11-30T10:30', '2026-11-30T10:30:00.000'],
      ['20261130T1030', '2026-11-30T10:30:00.000'],
      ['20261130T1030Z', '2026-11-30T10:30:00.000Z'],
      ['2026-W49-1T10:30', '2026-11-30T10:30:00.000'],
      ['2026W491T1030Z', '2026-11-30T10:30:00.000Z'],
      ['2026-334T10:30Z', '2026-11-30T10:30:00.000Z'],
    ],
  ],
  [
    'seconds, and the fraction of the last part',
    [
      ['2026-11-30T10:30:15', '2026-11-30T10:30:15.000'],
      ['20261130T103015Z', '2026-11-30T10:30:15.000Z'],
      ['2026-11-30T10:30:15.5Z', '2026-11-30T10:30:15.500Z'],
      ['2026-11-30T10:30:15,25Z', '2026-11-30T10:30:15.250Z'],
      ['20261130T103015.123456789Z', '2026-11-30T10:30:15.123Z'],
      ['2026-11-30T10:30:15.999999999999Z', '2026-11-30T10:30:15.999Z'],
      ['2026-11-30T10:30.5Z', '2026-11-30T10:30:30.000Z'],
      ['20261130T1030,75', '2026-11-30T10:30:45.000'],
      ['2026-11-30T10.5Z', '2026-11-30T10:30:00.000Z'],
      ['2026-11-30T10,25', '2026-11-30T10:15:00.000'],
    ],
  ],
  [
    'the end of a day',
    [
      ['2026-11-30T24:00', '2026-12-01T00:00:00.000'],
      ['2026-11-30T24:00:00Z', '2026-12-01T00:00:00.000Z'],
      ['2026-11-30T24:00:00.000Z', '2026-12-01T00:00:00.000Z'],
      ['20261130T24Z', '2026-12-01T00:00:00.000Z'],
      ['2026-12-31T24:00+01:00', '2026-12-31T23:00:00.000Z'],
    ],
  ],
  [
    'leap seconds',
    [
      ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
      ['2016-12-31T23:59:60.5Z', '2017-01-01T00:00:00.500Z'],
      ['2017-01-01T00:59:60+01:00', '2017-01-01T00:00:00.000Z'],
      ['2017-01-01T05:29:60+05:30', '2017-01-01T00:00:00.000Z'],
      ['2016-12-31T18:59:60-05:00', '2017-01-01T00:00:00.000Z'],
      ['2017-01-01T00:59:60', '2017-01-01T01:00:00.000'],
    ],
  ],
  [
    'offsets',
    [
      ['2026-11-30T10:30+02', '2026-11-30T08:30:00.000Z'],
      ['2026-11-30T10:30+0200', '2026-11-30T08:30:00.000Z'],
      ['2026-11-30T10:30+02:00', '2026-11-30T08:30:00.000Z'],
      ['2026-11-30T10:30-05:45', '2026-11-30T16:15:00.000Z'],
      ['2026-11-30T10:30\u221202:00', '2026-11-30T12:30:00.000Z'],
      ['20261130T1030\u22120200', '2026-11-30T12:30:00.000Z'],
      ['2026-11-30T10:30-00:00', '2026-11-30T10:30:00.000Z'],
      ['2026-11-30T10+14', '2026-11-29T20:00:00.000Z'],
    ],
  ],
  [
    'the variants of RFC 3339, and a mixture of basic and extended form',
    [
      ['2026-11-30t10:30:15z', '2026-11-30T10:30:15.000Z'],
      ['2026-11-30 10:30:15Z', '2026-11-30T10:30:15.000Z'],
      ['2026-11-30 10:30', '2026-11-30T10:30:00.000'],
      ['20261130T10:30:15Z', '2026-11-30T10:30:15.000Z'],
      ['2026-11-30T103015Z', '2026-11-30T10:30:15.000Z'],
    ],
  ],
]

function format(text: string): string | undefined {
  const date = parseIsoDate(text)
  if (date === undefined) return undefined
  const { midnightMs, timeMs, offsetMs } = date
  const iso = new Date(midnightMs + (timeMs ?? 0) - (offsetMs ?? 0)).toISOString()
  if (timeMs === undefined) return iso.slice(0, 10)
  return offsetMs === undefined ? iso.slice(0, -1) : iso
}

for (const [title, rows] of cases) {
  t.test(`parses ${title}`, async (t) => {
    for (const [text, expected] of rows) t.equal(format(text), expected, text)
  })
}

t.test('refuses everything else', async (t) => {
  const invalid = [
    ...['', ' ', 'tomorrow', '0', '1767225600000', 'P1D', '2026-11-30/2026-12-01', '2026-11-30T10:30Z/P1D'],
    // A month, a week or a year is not a date.
    ...['2026', '2026-11', '2026-W49', '2026W49', '202611'],
    // Two digits or more than four digits of a year, and negative years, need an agreement.
    ...['26-11-30', '261130', '+002026-11-30', '+2026-11-30', '-0001-01-01', '-000001-01-01', '12026-11-30'],
    // Days that do not exist.
    ...['2026-00-10', '2026-13-01', '2026-11-00', '2026-11-31', '2026-02-29', '2100-02-29', '20260229'],
    ...['2026-W00-1', '2026-W54-1', '2025-W53-1', '2026-W49-0', '2026-W49-8', '2026-000', '2026-366', '2024-367'],
    // Times that do not exist.
    ...['25:00', '24:01', '24:00:01', '24:00:00.001', '24,1', '12:60', '12:00:61', '12:00:60Z', '23:59:60+01:00'].map(
      (time) => `2026-11-30T${time}`,
    ),
    ...['12:00:60', '1:30', '10:3', '10:30:', '10:30:15.', '10:30:15.Z', '10:30:15 Z', '.5', '', 'Z', '10:30ZZ'].map(
      (time) => `2026-11-30T${time}`,
    ),
    ...['+24:00', '+02:60', '+2', '+020', '+02:0', '\u221224', '\u201302:00', '[Europe/Paris]'].map(
      (offset) => `2026-11-30T10:30${offset}`,
    ),
    ...[
      '2026-11-30Z',
      '2026-11-30+02:00',
      '2026-1130',
      '202611-30',
      '2026-W491',
      '2026W49-1',
      '2026/11/30',
      '30.11.2026',
    ],
    ...[' 2026-11-30', '2026-11-30 ', '2026-11-30\n', '2026-11-30\0', '2026-11-30<script>', '２０２６-11-30'],
    `2026-11-30T10:30:15.${'1'.repeat(100)}Z`,
    '1'.repeat(1_000_000),
  ]
  for (const text of invalid) t.equal(parseIsoDate(text), undefined, JSON.stringify(text.slice(0, 40)))
})

t.test('every day of the years around a leap year has one calendar, week and ordinal date', async (t) => {
  const mistakes: string[] = []
  for (const day = new Date('2019-12-25'); day < new Date('2028-01-10'); day.setUTCDate(day.getUTCDate() + 1)) {
    const date = day.toISOString().slice(0, 10)
    const year = Number(date.slice(0, 4))
    const ordinal = String((day.getTime() - Date.UTC(year, 0, 0)) / 86_400_000).padStart(3, '0')
    // The week of a day belongs to the year of its Thursday.
    const weekday = day.getUTCDay() || 7
    const thursday = new Date(day.getTime() + (4 - weekday) * 86_400_000)
    const weekYear = thursday.getUTCFullYear()
    const week = Math.ceil((thursday.getTime() - Date.UTC(weekYear, 0, 0)) / 86_400_000 / 7)
    const weekText = `W${String(week).padStart(2, '0')}`
    for (const text of [
      date,
      date.replaceAll('-', ''),
      `${year}-${ordinal}`,
      `${year}${ordinal}`,
      `${weekYear}-${weekText}-${weekday}`,
      `${weekYear}${weekText}${weekday}`,
    ]) {
      if (format(text) !== date) mistakes.push(`${text} is not ${date}`)
    }
  }
  t.strictSame(mistakes, [])
})
