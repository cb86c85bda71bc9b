import type { Language } from '../../languages.js'
import { textsOf } from '../../texts/index.js'
import { type OperatorTexts, operatorTexts } from '../../texts/operator.js'

/** Numbers, sizes and instants as the operator page writes them in one language; instants in UTC, as in the log. */
export interface OperatorWords {
  readonly says: OperatorTexts
  number(value: number): string
  share(part: number, whole: number): string
  bytes(value: number): string
  ms(value: number | undefined): string
  ago(seconds: number): string
  instant(at: number): { readonly machine: string; readonly text: string }
}

export function createOperatorWords(language: Language): OperatorWords {
  const { locale } = textsOf(language)
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 })
  const megabytes = new Intl.NumberFormat(locale, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 })
  const milliseconds = new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: 'millisecond',
    maximumSignificantDigits: 2,
  })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const instant = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })
  return {
    says: operatorTexts[language],
    number: (value) => number.format(value),
    share: (part, whole) => (whole === 0 ? '–' : percent.format(part / whole)),
    bytes: (value) => megabytes.format(value / 2 ** 20),
    ms: (value) => (value === undefined ? '–' : milliseconds.format(value)),
    ago: (seconds) =>
      seconds < 120
        ? relative.format(-Math.round(seconds), 'second')
        : relative.format(-Math.round(seconds / 60), 'minute'),
    instant: (at) => ({ machine: new Date(at).toISOString(), text: `${instant.format(at)} UTC` }),
  }
}
