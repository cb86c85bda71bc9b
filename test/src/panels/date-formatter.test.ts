import t from 'tap'
import { createCalendar } from '../../../src/catalog/calendar.js'
import { createDateFormatter } from '../../../src/panels/date-formatter.js'
import { textsOf } from '../../../src/texts/index.js'

const at = (instant: string) => Date.parse(instant)
const now = at('2026-03-10T12:00:00Z')

t.test('a day is formatted in the language of the page and the time zone of the catalog', async (t) => {
  const late = at('2026-03-10T23:30:00Z')
  const days: [zone: string, language: 'en' | 'fr', expected: object][] = [
    ['UTC', 'en', { iso: '2026-03-10', weekday: 'Tuesday', day: '10', month: 'March 2026', relative: 'today' }],
    ['Europe/Paris', 'en', { iso: '2026-03-11', weekday: 'Wednesday', day: '11', relative: 'tomorrow' }],
    ['Europe/Paris', 'fr', { iso: '2026-03-11', weekday: 'mercredi', month: 'mars 2026', relative: 'demain' }],
    ['Asia/Kathmandu', 'fr', { iso: '2026-03-11', relative: 'demain' }],
    ['America/Santiago', 'fr', { iso: '2026-03-10', relative: 'aujourd’hui' }],
  ]
  for (const [zone, language, expected] of days) {
    const dates = createDateFormatter(createCalendar(zone), textsOf(language))
    t.match(dates.formatDay(late, now), expected, `${zone}, ${language}`)
  }
})

t.test('relative days are counted by the calendar, not by hours, up to a month', async (t) => {
  const dates = createDateFormatter(createCalendar('Europe/Paris'), textsOf('en'))
  const beforeMidnight = at('2026-03-27T22:59:59Z') // 23:59:59 in Paris
  t.equal(dates.formatDay(at('2026-03-27T23:00:00Z'), beforeMidnight).relative, 'tomorrow', 'a second later')
  t.equal(
    dates.formatDay(at('2026-03-29T23:30:00Z'), beforeMidnight).relative,
    'in 3 days',
    'including one of 23 hours',
  )
  t.equal(
    dates.formatDay(at('2026-10-26T23:30:00Z'), at('2026-10-24T10:00:00Z')).relative,
    'in 3 days',
    'including one of 25 hours',
  )
  t.equal(dates.formatDay(at('2026-04-10T12:00:00Z'), now).relative, 'in 31 days')
  t.equal(dates.formatDay(at('2026-04-11T12:00:00Z'), now).relative, undefined)
})

t.test('a time is in the time zone of the catalog, its machine-readable form in UTC', async (t) => {
  const dates = createDateFormatter(createCalendar('Europe/Paris'), textsOf('fr'))
  t.strictSame(dates.formatTime(at('2026-07-01T22:05:00Z')), { iso: '2026-07-01T22:05:00.000Z', text: '00:05' })
})

t.test('an instant of today is formatted as a time, one of another day with its date', async (t) => {
  const calendar = createCalendar('Europe/Paris')
  const moment = at('2026-03-09T23:02:00Z')
  for (const [language, today, later] of [
    ['en', '00:02', '10 March 2026, 00:02'],
    ['fr', '00:02', '10 mars 2026, 00:02'],
  ] as const) {
    const dates = createDateFormatter(calendar, textsOf(language))
    t.equal(dates.formatDateTime(moment, now).text, today)
    t.equal(dates.formatDateTime(moment, at('2026-03-10T23:00:00Z')).text, later)
  }
})
