import t from 'tap'
import { formatHttpDate, parseHttpDate } from '../../../plugins/edge/http-date.js'

const now = Date.parse('2026-11-25T12:00:00Z')
const instant = Date.parse('1994-11-06T08:49:37Z')

t.test('the three forms of a date are understood, in any case, RFC 9110 §5.6.7', async (t) => {
  for (const text of [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    'sun, 06 nov 1994 08:49:37 gmt',
  ]) {
    t.equal(parseHttpDate(text, now), instant, text)
  }
})

t.test('a year of two digits that seems to be more than 50 years ahead is past', async (t) => {
  t.equal(parseHttpDate('Wednesday, 25-Nov-76 08:00:00 GMT', now), Date.parse('2076-11-25T08:00:00Z'))
  t.equal(parseHttpDate('Thursday, 25-Nov-77 08:00:00 GMT', now), Date.parse('1977-11-25T08:00:00Z'))
})

t.test('nothing else is a date, whatever JavaScript makes of it', async (t) => {
  for (const text of [
    '',
    '0',
    '-1',
    'tomorrow',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun 06 Nov 1994 08:49:37 GMT',
    'Sun, 06-Nov-1994 08:49:37 GMT',
    'Thu, 31 Feb 2026 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
  ]) {
    t.equal(parseHttpDate(text, now), undefined, `“${text}”`)
  }
  t.equal(parseHttpDate(undefined, now), undefined)
})

t.test('a leap second is one of the next minute', async (t) => {
  t.equal(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT', now), Date.parse('2017-01-01T00:00:00Z'))
})

t.test('a date is written in the form of today, and read back', async (t) => {
  t.equal(formatHttpDate(instant), 'Sun, 06 Nov 1994 08:49:37 GMT')
  t.equal(parseHttpDate(formatHttpDate(instant + 900), now), instant)
})
