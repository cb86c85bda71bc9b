import t from 'tap'
import { createCalendar } from '../../../src/catalog/calendar.js'
import { createDateWords } from '../../../src/panels/date-words.js'
import { textsOf } from '../../../src/texts/index.js'

const at = (instant: string) => Date.parse(instant)
const now = at('2026-03-10T12:00:00Z')

t.test('a day is named in the language of the page and the time zone of the catalog', async (t) => {
  const late = at('2026-03-10T23:30:00Z')
  const days: [zone: string, language: 'en' | 'fr', expected: object][] = [
    ['UTC', 'en', { machine: '2026-03-10', weekday: 'Tuesday', day: '10', month: 'March 2026', when: 'today' }],
    ['Europe/Paris', 'en', { machine: '2026-03-11', weekday: 'Wednesday', day: '11', when: 'tomorrow' }],
    ['Europe/Paris', 'fr', { machine: '2026-03-11', weekday: 'mercredi', month: 'mars 2026', when: 'demain' }],
    ['Asia/Kathmandu', 'fr', { machine: '2026-03-11', when: 'demain' }],
    ['America/Santiago', 'fr', { machine: '2026-03-10', when: 'aujourd’hui' }],
  ]
  for (const [zone, language, expected] of days) {
    const words = createDateWords(createCalendar(zone), textsOf(language))
    t.match(words.dayOf(late, now), expected, `${zone}, ${language}`)
  }
})

t.test('days ahead are counted by the calendar, not by hours, and not beyond a month', async (t) => {
  const words = createDateWords(createCalendar('Europe/Paris'), textsOf('en'))
  const beforeMidnight = at('2026-03-27T22:59:59Z') // 23:59:59 in Paris
  t.equal(words.dayOf(at('2026-03-27T23:00:00Z'), beforeMidnight).when, 'tomorrow', 'a second later')
  t.equal(words.dayOf(at('2026-03-29T23:30:00Z'), beforeMidnight).when, 'in 3 days', 'one of them of 23 hours')
  t.equal(words.dayOf(at('2026-10-26T23:30:00Z'), at('2026-10-24T10:00:00Z')).when, 'in 3 days', 'one of them of 25')
  t.equal(words.dayOf(at('2026-04-10T12:00:00Z'), now).when, 'in 31 days')
  t.equal(words.dayOf(at('2026-04-11T12:00:00Z'), now).when, undefined)
})

t.test('a time is of the catalog’s clocks, for machines of UTC', async (t) => {
  const words = createDateWords(createCalendar('Europe/Paris'), textsOf('fr'))
  t.strictSame(words.timeOf(at('2026-07-01T22:05:00Z')), { machine: '2026-07-01T22:05:00.000Z', text: '00:05' })
})

t.test('a moment of today is a time, one of another day has its date', async (t) => {
  const calendar = createCalendar('Europe/Paris')
  const moment = at('2026-03-09T23:02:00Z')
  for (const [language, today, later] of [
    ['en', '00:02', '10 March 2026, 00:02'],
    ['fr', '00:02', '10 mars 2026, 00:02'],
  ] as const) {
    const words = createDateWords(calendar, textsOf(language))
    t.equal(words.momentOf(moment, now).text, today)
    t.equal(words.momentOf(moment, at('2026-03-10T23:00:00Z')).text, later)
  }
})
