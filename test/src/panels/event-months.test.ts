import t from 'tap'
import { createCalendar } from '../../../src/catalog/calendar.js'
import { createDateFormatter } from '../../../src/panels/date-formatter.js'
import { groupByMonth } from '../../../src/panels/event-months.js'
import type { Catalog } from '../../../src/schemas/catalog.js'
import { textsOf } from '../../../src/texts/index.js'

/** Titles and times of events with these start dates, by month and day. */
function grouped(zone: string, starts: (string | null)[]) {
  const calendar = createCalendar(zone)
  const catalogs: Catalog[] = starts.map((start_date, index) => {
    return { id: index, title: `${start_date}`, customer_catalog_id: null, start_date }
  })
  const months = groupByMonth({
    catalogs,
    instantOf: calendar.instantOf,
    dates: createDateFormatter(calendar, textsOf('en')),
    now: Date.parse('2026-03-10T12:00:00Z'),
  })
  return months.map(({ name, days }) => [
    name,
    days.map(({ iso, events }) => [iso, events.map(({ title, time }) => `${title} ${time?.text ?? '-'}`)]),
  ])
}

t.test('events are grouped by day and month, in their order', async (t) => {
  t.strictSame(grouped('UTC', ['2026-03-10', '2026-03-10T09:00:00Z', '2026-03-11', '2026-04-01', '2027-04-01']), [
    [
      'March 2026',
      [
        ['2026-03-10', ['2026-03-10 -', '2026-03-10T09:00:00Z 09:00']],
        ['2026-03-11', ['2026-03-11 -']],
      ],
    ],
    ['April 2026', [['2026-04-01', ['2026-04-01 -']]]],
    ['April 2027', [['2027-04-01', ['2027-04-01 -']]]],
  ])
})

t.test('the day is in the catalog’s time zone, whatever offset the upstream sent', async (t) => {
  t.strictSame(grouped('Europe/Paris', ['2026-03-31T23:30:00Z', '2026-03-31T20:30:00-05:00', '2026-04-01']), [
    ['April 2026', [['2026-04-01', ['2026-03-31T23:30:00Z 01:30', '2026-03-31T20:30:00-05:00 03:30', '2026-04-01 -']]]],
  ])
})

t.test('an event without a valid date is left out', async (t) => {
  t.strictSame(grouped('UTC', [null, 'soon', '2026-02-31']), [])
})
