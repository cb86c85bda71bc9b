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
    const [day, hour, minute, second] = [groups.day, groups.hour, groups.minute, groups.second].map(Number)
    if (day === undefined || hour === undefined || minute === undefined || second === undefined) return undefined
    const monthIndex = months.indexOf(groups.month?.toLowerCase() ?? '')
    const year = groups.year?.length === 2 ? wholeYear(Number(groups.year), now) : Number(groups.year)
    const date = new Date(0)
    date.setUTCFullYear(year, monthIndex, day)
    if (hour > 23 || minute > 59 || second > 60 || date.getUTCDate() !== day) return undefined
    return date.setUTCHours(hour, minute, second)
  }
  return undefined
}

/** A year of two digits that seems to be more than 50 years ahead is the last one past that ends so. */
function wholeYear(twoDigits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear()
  const year = Math.floor(thisYear / 100) * 100 + twoDigits
  return year > thisYear + 50 ? year - 100 : year
}

/** The instant as HTTP writes it, to the second. */
export function formatHttpDate(instant: number): string {
  return new Date(instant).toUTCString()
}
