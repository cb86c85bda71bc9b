import t from 'tap'
import { formatHttpDate, parseHttpDate } from '../../../plugins/http/http-date.js'

const now = Date.UTC(2026, 10, 25, 12, 0, 0)
const example = Date.UTC(1994, 10, 6, 8, 49, 37)

t.test('all three formats are parsed in any case (RFC 9110 §5.6.7, RFC 9111 §4.2)', async (t) => {
  const cases = [
    { name: 'IMF-fixdate', text: 'Sun, 06 Nov 1994 08:49:37 GMT', expected: example },
    { name: 'RFC 850', text: 'Sunday, 06-Nov-94 08:49:37 GMT', expected: example },
    { name: 'asctime with a space before the day', text: 'Sun Nov  6 08:49:37 1994', expected: example },
    { name: 'asctime with a two-digit day', text: 'Wed Nov 16 08:49:37 1994', expected: example + 10 * 86_400_000 },
    { name: 'in lower case', text: 'sun, 06 nov 1994 08:49:37 gmt', expected: example },
    { name: 'in upper case', text: 'SUNDAY, 06-NOV-94 08:49:37 GMT', expected: example },
    {
      name: 'a wrong day of the week is ignored',
      text: 'Mon, 06 Nov 1994 08:49:37 GMT',
      expected: example,
    },
    { name: 'the epoch is a date', text: 'Thu, 01 Jan 1970 00:00:00 GMT', expected: 0 },
    { name: 'before the epoch', text: 'Wed, 31 Dec 1969 23:59:59 GMT', expected: -1_000 },
    { name: 'a four-digit year below 100', text: 'Mon, 01 Jan 0001 00:00:00 GMT', expected: -62_135_596_800_000 },
    { name: 'the last year', text: 'Fri, 31 Dec 9999 23:59:59 GMT', expected: Date.UTC(9999, 11, 31, 23, 59, 59) },
    { name: 'a leap second', text: 'Sat, 31 Dec 2016 23:59:60 GMT', expected: Date.UTC(2017, 0, 1) },
  ]
  for (const { name, text, expected } of cases) t.equal(parseHttpDate(text, now), expected, name)
})

t.test('other formats are not dates, even if Date.parse accepts them (RFC 9111 §4.2)', async (t) => {
  const cases = [
    { name: 'a missing field', text: undefined },
    { name: 'an empty one', text: '' },
    { name: 'a number, as in Expires: 0', text: '0' },
    { name: 'milliseconds', text: '784111777000' },
    { name: 'minus one', text: '-1' },
    { name: 'ISO 8601', text: '1994-11-06T08:49:37Z' },
    { name: 'another zone', text: 'Sun, 06 Nov 1994 08:49:37 UTC' },
    { name: 'an offset', text: 'Sun, 06 Nov 1994 08:49:37 +0000' },
    { name: 'no zone', text: 'Sun, 06 Nov 1994 08:49:37' },
    { name: 'asctime with a zone', text: 'Sun Nov  6 08:49:37 1994 GMT' },
    { name: 'no day of the week', text: '06 Nov 1994 08:49:37 GMT' },
    { name: 'no comma', text: 'Sun 06 Nov 1994 08:49:37 GMT' },
    { name: 'two spaces', text: 'Sun,  06 Nov 1994 08:49:37 GMT' },
    { name: 'a day of one digit', text: 'Sun, 6 Nov 1994 08:49:37 GMT' },
    { name: 'an hour of one digit', text: 'Sun, 06 Nov 1994 8:49:37 GMT' },
    { name: 'no seconds', text: 'Sun, 06 Nov 1994 08:49 GMT' },
    { name: 'a fraction', text: 'Sun, 06 Nov 1994 08:49:37.5 GMT' },
    { name: 'a year of two digits in the wrong form', text: 'Sun, 06 Nov 94 08:49:37 GMT' },
    { name: 'a year of four digits in the wrong form', text: 'Sunday, 06-Nov-1994 08:49:37 GMT' },
    { name: 'hyphens with a short day of the week', text: 'Sun, 06-Nov-94 08:49:37 GMT' },
    { name: 'an unknown month', text: 'Sun, 06 Nox 1994 08:49:37 GMT' },
    { name: 'a month written out', text: 'Sun, 06 November 1994 08:49:37 GMT' },
    { name: 'an unknown day of the week', text: 'Abc, 06 Nov 1994 08:49:37 GMT' },
    { name: 'more after it', text: 'Sun, 06 Nov 1994 08:49:37 GMT, 1' },
    { name: 'a line feed after it', text: 'Sun, 06 Nov 1994 08:49:37 GMT\n' },
    { name: 'quotes around it', text: '"Sun, 06 Nov 1994 08:49:37 GMT"' },
    { name: 'digits of another script', text: 'Sun, ٠٦ Nov 1994 08:49:37 GMT' },
  ]
  for (const { name, text } of cases) t.equal(parseHttpDate(text, now), undefined, name)
})

t.test('an impossible day or time is not a date and does not overflow into the next (RFC 9110 §5.6.7)', async (t) => {
  const cases = [
    { name: '31 February', text: 'Thu, 31 Feb 2026 00:00:00 GMT', is: false },
    { name: '29 February of another year', text: 'Sun, 29 Feb 2026 00:00:00 GMT', is: false },
    { name: '29 February of a leap year', text: 'Thu, 29 Feb 2024 00:00:00 GMT', is: true },
    { name: '29 February of 1900', text: 'Thu, 29 Feb 1900 00:00:00 GMT', is: false },
    { name: '29 February of 2000', text: 'Tue, 29 Feb 2000 00:00:00 GMT', is: true },
    { name: '31 April', text: 'Fri, 31 Apr 2026 00:00:00 GMT', is: false },
    { name: '31 February of RFC 850', text: 'Thursday, 31-Feb-26 00:00:00 GMT', is: false },
    { name: '31 February of asctime', text: 'Thu Feb 31 00:00:00 2026', is: false },
    { name: 'the day 0', text: 'Fri, 00 May 2026 00:00:00 GMT', is: false },
    { name: 'the day 32', text: 'Fri, 32 May 2026 00:00:00 GMT', is: false },
    { name: 'the last second of a day', text: 'Fri, 01 May 2026 23:59:59 GMT', is: true },
    { name: 'the hour 24', text: 'Fri, 01 May 2026 24:00:00 GMT', is: false },
    { name: 'the minute 60', text: 'Fri, 01 May 2026 00:60:00 GMT', is: false },
    { name: 'the second 61', text: 'Fri, 01 May 2026 00:00:61 GMT', is: false },
  ]
  for (const { name, text, is } of cases) t.equal(parseHttpDate(text, now) !== undefined, is, name)
})

t.test('a two-digit year is the latest one that is at most 50 years in the future (RFC 9110 §5.6.7)', async (t) => {
  const in1999 = Date.UTC(1999, 11, 31)
  const in2060 = Date.UTC(2060, 5, 1)
  const cases = [
    { name: 'this year', text: 'Wednesday, 25-Nov-26 12:00:00 GMT', at: now, year: 2026 },
    { name: 'next year', text: 'Thursday, 25-Nov-27 12:00:00 GMT', at: now, year: 2027 },
    { name: '49 years ahead', text: 'Monday, 25-Nov-75 12:00:00 GMT', at: now, year: 2075 },
    { name: '50 years ahead to the second', text: 'Wednesday, 25-Nov-76 12:00:00 GMT', at: now, year: 2076 },
    { name: 'a second more than 50 years', text: 'Thursday, 25-Nov-76 12:00:01 GMT', at: now, year: 1976 },
    { name: 'the end of the 50th year', text: 'Friday, 31-Dec-76 23:59:59 GMT', at: now, year: 1976 },
    { name: '51 years ahead', text: 'Friday, 25-Nov-77 12:00:00 GMT', at: now, year: 1977 },
    { name: 'the last year of the century before', text: 'Friday, 31-Dec-99 12:00:00 GMT', at: now, year: 1999 },
    { name: 'the first year of this century', text: 'Saturday, 01-Jan-00 12:00:00 GMT', at: now, year: 2000 },
    { name: 'the day after a century ends', text: 'Saturday, 01-Jan-00 00:00:00 GMT', at: in1999, year: 2000 },
    { name: 'in 1999, 49 years ahead', text: 'Friday, 01-Jan-49 00:00:00 GMT', at: in1999, year: 2049 },
    { name: 'in 1999, 51 years ahead', text: 'Sunday, 01-Jan-50 00:00:00 GMT', at: in1999, year: 1950 },
    { name: 'in 2060, 49 years ahead', text: 'Monday, 01-Jun-09 00:00:00 GMT', at: in2060, year: 2109 },
    { name: 'in 2060, 51 years ahead', text: 'Wednesday, 01-Jun-11 00:00:00 GMT', at: in2060, year: 2011 },
    { name: '29 February, in a leap year', text: 'Tuesday, 29-Feb-72 00:00:00 GMT', at: now, year: 2072 },
  ]
  for (const { name, text, at, year } of cases) {
    const date = parseHttpDate(text, at)
    t.equal(date === undefined ? undefined : new Date(date).getUTCFullYear(), year, name)
  }
})

t.test('dates are written as IMF-fixdate, to the second (RFC 9110 §5.6.7)', async (t) => {
  const cases = [
    { name: 'an instant', instant: example, expected: 'Sun, 06 Nov 1994 08:49:37 GMT' },
    { name: 'a day is padded with 0', instant: 0, expected: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    { name: 'milliseconds are truncated', instant: example + 999, expected: 'Sun, 06 Nov 1994 08:49:37 GMT' },
    { name: 'a year has four digits', instant: Date.UTC(999, 0, 1), expected: 'Tue, 01 Jan 0999 00:00:00 GMT' },
  ]
  for (const { name, instant, expected } of cases) t.equal(formatHttpDate(instant), expected, name)
})

t.test('formatted dates are parsed to the same instant', async (t) => {
  for (const instant of [0, example, now, Date.UTC(2038, 0, 19, 3, 14, 8)]) {
    t.equal(parseHttpDate(formatHttpDate(instant), now), instant, formatHttpDate(instant))
  }
})
