import { type OperatorLabels, operatorLabelsOf, textsOf } from '../../texts/index.js'
import type { Language } from '../../texts/languages.js'

/** Formats numbers, sizes and instants for the operator page in one language. Instants are in UTC, as in the log. */
export interface OperatorFormatter {
  readonly labels: OperatorLabels
  number(value: number): string
  share(part: number, total: number): string
  bytes(value: number): string
  ms(value: number | undefined): string
  ago(seconds: number): string
  time(instant: number): { readonly iso: string; readonly text: string }
}

export function createOperatorFormatter(language: Language): OperatorFormatter {
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
  const time = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })
  return {
    labels: operatorLabelsOf(language),
    number: (value) => number.format(value),
    share: (part, total) => (total === 0 ? '–' : percent.format(part / total)),
    bytes: (value) => megabytes.format(value / 2 ** 20),
    ms: (value) => (value === undefined ? '–' : milliseconds.format(value)),
    ago: (seconds) =>
      seconds < 120
        ? relative.format(-Math.round(seconds), 'second')
        : relative.format(-Math.round(seconds / 60), 'minute'),
    time: (instant) => ({ iso: new Date(instant).toISOString(), text: `${time.format(instant)} UTC` }),
  }
}
