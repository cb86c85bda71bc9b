import t from 'tap'
import { createCalendar } from '../../../src/catalog/calendar.js'

/** The instant in UTC, for readable failures. */
function utc(instant: number | undefined): string {
  return instant === undefined ? 'no instant' : new Date(instant).toISOString()
}

const hourMs = 3_600_000

t.test('a day starts and ends by its time zone', async (t) => {
  const days: [zone: string, date: string, startsAt: string, endsAt: string, why: string][] = [
    ['UTC', '2026-03-10', '2026-03-10T00:00Z', '2026-03-11T00:00Z', 'an ordinary day'],
    ['UTC', '2024-02-29', '2024-02-29T00:00Z', '2024-03-01T00:00Z', 'a leap day'],
    ['UTC', '2026-12-31', '2026-12-31T00:00Z', '2027-01-01T00:00Z', 'the last day of a year'],
    ['Europe/Paris', '2026-03-10', '2026-03-09T23:00Z', '2026-03-10T23:00Z', 'winter'],
    ['Europe/Paris', '2026-07-10', '2026-07-09T22:00Z', '2026-07-10T22:00Z', 'summer'],
    ['Europe/Paris', '2026-03-28', '2026-03-27T23:00Z', '2026-03-28T23:00Z', 'the day before 23 hours'],
    ['Europe/Paris', '2026-03-29', '2026-03-28T23:00Z', '2026-03-29T22:00Z', '23 hours'],
    ['Europe/Paris', '2026-03-30', '2026-03-29T22:00Z', '2026-03-30T22:00Z', 'the day after 23 hours'],
    ['Europe/Paris', '2026-10-25', '2026-10-24T22:00Z', '2026-10-25T23:00Z', '25 hours'],
    ['America/Santiago', '2026-09-05', '2026-09-05T04:00Z', '2026-09-06T04:00Z', 'ends at 24:00, which is 01:00'],
    ['America/Santiago', '2026-09-06', '2026-09-06T04:00Z', '2026-09-07T03:00Z', 'has no midnight: begins at 01:00'],
    ['America/Santiago', '2026-04-04', '2026-04-04T03:00Z', '2026-04-05T04:00Z', 'has its last hour twice'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00Z', '2026-04-24T21:00Z', 'has no midnight either'],
    ['Pacific/Kiritimati', '2026-03-10', '2026-03-09T10:00Z', '2026-03-10T10:00Z', 'UTC+14'],
    ['Pacific/Pago_Pago', '2026-03-10', '2026-03-10T11:00Z', '2026-03-11T11:00Z', 'UTC-11'],
    ['Asia/Kathmandu', '2026-03-10', '2026-03-09T18:15Z', '2026-03-10T18:15Z', 'a quarter of an hour'],
    ['Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00Z', '2026-04-05T13:30Z', 'half an hour more'],
    ['Pacific/Apia', '2011-12-29', '2011-12-29T10:00Z', '2011-12-30T10:00Z', 'the 30th was left out'],
  ]
  for (const [zone, date, start, end, why] of days) {
    await t.test(`${date} in ${zone}: ${why}`, async (t) => {
      const [startsAt, endsAt] = [Date.parse(start), Date.parse(end)]
      for (const instant of [startsAt, startsAt + 1, (startsAt + endsAt) / 2, endsAt - 1]) {
        t.strictSame(createCalendar(zone).dayAt(instant), { date, startsAt, endsAt }, utc(instant))
      }
      t.not(createCalendar(zone).dayAt(startsAt - 1).date, date, 'the millisecond before is the previous day')
      t.not(createCalendar(zone).dayAt(endsAt).date, date, 'its end is the next day')
    })
  }
})

t.test('the days of a year have no gaps and no overlaps in any zone', async (t) => {
  for (const zone of ['UTC', 'Europe/Paris', 'America/Santiago', 'Africa/Cairo', 'Pacific/Kiritimati', 'Asia/Beirut']) {
    const calendar = createCalendar(zone)
    const expected = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }) // writes YYYY-MM-DD
    const mistakes: unknown[] = []
    let day = calendar.dayAt(Date.parse('2026-01-01T12:00Z'))
    for (let count = 0; count < 366; count += 1) {
      const next = calendar.dayAt(day.endsAt)
      const isInside = [day.startsAt, day.endsAt - 1].every((instant) => expected.format(instant) === day.date)
      if (!isInside || next.startsAt !== day.endsAt || next.date <= day.date) mistakes.push({ day, next })
      day = next
    }
    t.strictSame(mistakes, [], zone)
  }
})

t.test('results do not depend on earlier calls', async (t) => {
  const instants = ['2026-03-29T12:00Z', '2026-03-28T12:00Z', '2026-03-28T23:30Z', '2026-03-28T22:59Z'].map(Date.parse)
  const calendar = createCalendar('Europe/Paris')
  for (const instant of [...instants, ...instants.toReversed()]) {
    t.strictSame(calendar.dayAt(instant), createCalendar('Europe/Paris').dayAt(instant), utc(instant))
  }
})

t.test('a calendar has its time zone, and an unknown zone throws', async (t) => {
  t.equal(createCalendar('Europe/Paris').timeZone, 'Europe/Paris')
  t.throws(() => createCalendar('Mars/Olympus_Mons'), { name: 'RangeError' })
})

t.test('a date is the start of that day in the zone, a date-time its instant', async (t) => {
  const cases: [zone: string, startDate: string, instant: string][] = [
    ['UTC', '2026-03-10', '2026-03-10T00:00Z'],
    ['Europe/Paris', '2026-03-10', '2026-03-09T23:00Z'],
    ['Europe/Paris', '2026-03-29', '2026-03-28T23:00Z'],
    ['Europe/Paris', '2026-03-30', '2026-03-29T22:00Z'],
    ['America/Santiago', '2026-09-06', '2026-09-06T04:00Z'],
    ['Pacific/Kiritimati', '2026-03-10', '2026-03-09T10:00Z'],
    ['Pacific/Pago_Pago', '2026-03-10', '2026-03-10T11:00Z'],
    ['Europe/Paris', '2024-02-29', '2024-02-28T23:00Z'],
    ['Europe/Paris', '2026-03-10T12:00:00Z', '2026-03-10T12:00Z'],
    ['Europe/Paris', '2026-03-10T12:00Z', '2026-03-10T12:00Z'],
    ['Europe/Paris', '2026-03-10T12:00:00+02:00', '2026-03-10T10:00Z'],
    ['Europe/Paris', '2026-03-10T12:00:00+0200', '2026-03-10T10:00Z'],
    ['Europe/Paris', '2026-03-10T12:00:00+02', '2026-03-10T10:00Z'],
    ['Europe/Paris', '2026-03-10T12:00:00-05:30', '2026-03-10T17:30Z'],
    ['Europe/Paris', '2026-03-10T12:00:00-0530', '2026-03-10T17:30Z'],
    ['Europe/Paris', '2026-03-10T12:00:00+14:00', '2026-03-09T22:00Z'],
    ['Europe/Paris', '2026-03-10T12:00:00+00:00', '2026-03-10T12:00Z'],
    ['Europe/Paris', '2026-03-10T12:00:00-00:00', '2026-03-10T12:00Z'],
    ['Europe/Paris', '2026-03-10T12:00:00.5Z', '2026-03-10T12:00:00.500Z'],
    ['Europe/Paris', '2026-03-10T12:00:00.123456789Z', '2026-03-10T12:00:00.123Z'],
    ['Europe/Paris', '2026-03-10T12:00:00.250+02:00', '2026-03-10T10:00:00.250Z'],
    ['Europe/Paris', '2026-03-10t12:00:00z', '2026-03-10T12:00Z'],
    ['Europe/Paris', '2026-03-10 12:00:00Z', '2026-03-10T12:00Z'],
    ['Europe/Paris', '2026-W11-2', '2026-03-09T23:00Z'],
    ['Europe/Paris', '20260310T12,5', '2026-03-10T11:30Z'],
    ['Europe/Paris', '2026-03-10T24:00', '2026-03-10T23:00Z'],
    ['Europe/Paris', '9999-12-31T24:00', '9999-12-31T23:00Z'],
    ['Europe/Paris', '2026-03-10T12:00:00', '2026-03-10T11:00Z'],
    ['Europe/Paris', '2026-07-10T12:00', '2026-07-10T10:00Z'],
    ['Pacific/Pago_Pago', '2026-03-10T12:00', '2026-03-10T23:00Z'],
    ['Europe/Paris', '2026-03-29T01:59:59.999', '2026-03-29T00:59:59.999Z'], // the last moment of winter time
    ['Europe/Paris', '2026-03-29T02:30', '2026-03-29T01:30Z'], // in the gap: clocks show 03:30
    ['Europe/Paris', '2026-03-29T03:00', '2026-03-29T01:00Z'],
    ['Europe/Paris', '2026-03-29T12:00', '2026-03-29T10:00Z'],
    ['Europe/Paris', '2026-10-25T02:30', '2026-10-25T00:30Z'], // ambiguous: the first
    ['Europe/Paris', '2026-10-25T12:00', '2026-10-25T11:00Z'],
    ['America/Santiago', '2026-09-06T00:30', '2026-09-06T04:30Z'], // in the gap: clocks show 01:30
    ['America/Santiago', '2026-09-06T02:00', '2026-09-06T05:00Z'],
    ['Asia/Kathmandu', '2026-03-10T12:00', '2026-03-10T06:15Z'],
  ]
  for (const [zone, startDate, instant] of cases) {
    t.equal(utc(createCalendar(zone).instantOf(startDate)), utc(Date.parse(instant)), `${startDate} in ${zone}`)
  }
})

t.test('an invalid date has no instant', async (t) => {
  const calendar = createCalendar('Europe/Paris')
  const invalidDates = [
    null,
    '',
    ' ',
    'tomorrow',
    'null',
    '2026',
    '2026-03',
    '2026-3-1',
    '10/03/2026',
    '2026-02-29',
    '2026-02-31',
    '2026-06-31',
    '2026-13-01',
    '2026-00-10',
    '2026-03-00',
    '0000-00-00',
    '2026-02-31T12:00:00Z',
    '2026-03-10T',
    '2026-03-10Z',
    '2026-03-10T25:00:00Z',
    '2026-03-10T12:60:00Z',
    '2026-03-10T12:00:60Z',
    '2026-03-10T12:00:00.Z',
    '2026-03-10T12:00:00 Z',
    '2026-03-10T12:00:00+24:00',
    '2026-03-10T12:00:00+2',
    '2026-03-10T12:00:00 Europe/Paris',
    ' 2026-03-10',
    '2026-03-10 ',
    '2026-03-10\n',
    '2026-03-10<script>',
    '+002026-03-10',
    '1767225600000',
    '２０２６-03-10',
  ]
  for (const startDate of invalidDates) t.equal(calendar.instantOf(startDate), undefined, JSON.stringify(startDate))
})

t.test('a date-time near midnight is on the day of the zone', async (t) => {
  const cases: [zone: string, startDate: string, date: string][] = [
    ['UTC', '2026-03-10T23:59:59.999Z', '2026-03-10'],
    ['UTC', '2026-03-11T00:00:00Z', '2026-03-11'],
    ['UTC', '2026-03-10T00:30:00+14:00', '2026-03-09'],
    ['UTC', '2026-03-10T23:30:00-05:00', '2026-03-11'],
    ['Europe/Paris', '2026-03-10T22:59:59Z', '2026-03-10'],
    ['Europe/Paris', '2026-03-10T23:00:00Z', '2026-03-11'],
    ['Europe/Paris', '2026-03-11T00:00:00+01:00', '2026-03-11'],
    ['Europe/Paris', '2026-03-10T23:59:59+01:00', '2026-03-10'],
    ['Europe/Paris', '2026-03-29T23:59:59+02:00', '2026-03-29'],
    ['Europe/Paris', '2026-03-30T00:00:00+02:00', '2026-03-30'],
    ['Europe/Paris', '2026-10-25T23:59:59+01:00', '2026-10-25'],
    ['Europe/Paris', '2026-10-26T00:00:00+01:00', '2026-10-26'],
    ['America/Santiago', '2026-09-06T03:59:59Z', '2026-09-05'],
    ['America/Santiago', '2026-09-06T04:00:00Z', '2026-09-06'],
    ['Pacific/Kiritimati', '2026-03-10T10:00:00Z', '2026-03-11'],
    ['Pacific/Pago_Pago', '2026-03-10T10:59:59Z', '2026-03-09'],
  ]
  for (const [zone, startDate, date] of cases) {
    const calendar = createCalendar(zone)
    t.equal(calendar.dayAt(calendar.instantOf(startDate) ?? Number.NaN).date, date, `${startDate} in ${zone}`)
  }
})

t.test('a date-time without an offset is on the day that it names, also at clock changes', async (t) => {
  const days: [zone: string, date: string][] = [
    ['UTC', '2026-03-10'],
    ['Europe/Paris', '2026-03-10'],
    ['Europe/Paris', '2026-03-29'],
    ['Europe/Paris', '2026-10-25'],
    ['America/Santiago', '2026-04-04'],
    ['America/Santiago', '2026-09-06'],
    ['Australia/Lord_Howe', '2026-10-04'],
    ['Pacific/Kiritimati', '2026-03-10'],
  ]
  for (const [zone, date] of days) {
    const calendar = createCalendar(zone)
    const strays = Array.from({ length: 48 }, (_, half) => new Date(half * (hourMs / 2)).toISOString().slice(11, 16))
      .map((time) => ({ time, instant: calendar.instantOf(`${date}T${time}`) ?? Number.NaN }))
      .filter(({ instant }) => calendar.dayAt(instant).date !== date)
    t.strictSame(strays, [], `${date} in ${zone}`)
  }
})

t.test('dates at the bounds of the calendar have an instant in the past or the future', async (t) => {
  for (const zone of ['UTC', 'Europe/Paris', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
    const calendar = createCalendar(zone)
    const now = Date.parse('2026-03-10T12:00Z')
    for (const date of ['0000-01-01', '0001-01-01', '0001-01-01T00:00:00', '0099-12-31T12:00']) {
      t.ok(Number(calendar.instantOf(date)) < now, `${date} in ${zone}`)
    }
    for (const date of ['9999-12-31', '9999-12-31T23:59:59.9999999']) {
      t.ok(Number(calendar.instantOf(date)) > now, `${date} in ${zone}`)
    }
  }
})
