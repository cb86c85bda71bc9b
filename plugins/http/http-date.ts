const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const month = `(?<month>${months.join('|')})`
const time = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)'
const shortDay = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const longDay = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day'

/** The three forms there are, of today, of RFC 850, and of C's `asctime`, in any case. RFC 9110 §5.6.7, RFC 9111 §4.2. */
const forms = [
  `${shortDay}, (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT`,
  `${longDay}, (?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT`,
  `${shortDay} ${month} (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`, 'i'))

/** Milliseconds of an HTTP date; `undefined` for anything else, which `Date.parse` would make something of. */
export function parseHttpDate(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  for (const form of forms) {
    const { groups } = form.exec(text) ?? {}
    if (groups === undefined) continue
    const [year, day, hour, minute, second] = [groups.year, groups.day, groups.hour, groups.minute, groups.second].map(
      Number,
    )
    if (year === undefined || day === undefined || hour === undefined || minute === undefined || second === undefined)
      return undefined
    if (hour > 23 || minute > 59 || second > 60) return undefined
    const monthIndex = months.indexOf(groups.month?.toLowerCase() ?? '')
    const instantIn = (wholeYear: number) => {
      const date = new Date(0)
      date.setUTCFullYear(wholeYear, monthIndex, day)
      return date.getUTCDate() === day ? date.setUTCHours(hour, minute, second) : undefined
    }
    return groups.year?.length === 2 ? inLastYear(year, now, instantIn) : instantIn(year)
  }
  return undefined
}

/** Of the years that end in the two digits, the last in which the instant is not more than 50 years ahead. */
function inLastYear(
  twoDigits: number,
  now: number,
  instantIn: (wholeYear: number) => number | undefined,
): number | undefined {
  const date = new Date(now)
  const lastYear = date.getUTCFullYear() + 50
  const latest = date.setUTCFullYear(lastYear)
  const year = Math.floor(lastYear / 100) * 100 + twoDigits
  return year > lastYear || (instantIn(year) ?? 0) > latest ? instantIn(year - 100) : instantIn(year)
}

/** The instant as HTTP writes it, to the second. */
export function formatHttpDate(instant: number): string {
  return new Date(instant).toUTCString()
}
