import { conditional } from './conditional.js'
import { directives } from './directives.js'
import { fields } from './fields.js'
import { freshness } from './freshness.js'
import { methods } from './methods.js'
import { range9110 } from './range.js'
import { requests } from './requests.js'
import type { Row } from './row.js'
import { stale } from './stale.js'
import { storing } from './storing.js'
import { targeted } from './targeted.js'
import { validation } from './validation.js'
import { vary } from './vary.js'

/** The rows of all tables; `ROW=…` selects rows by a part of their title. */
export const rows: readonly Row[] = [
  ...storing,
  ...directives,
  ...freshness,
  ...stale,
  ...requests,
  ...vary,
  ...methods,
  ...conditional,
  ...validation,
  ...range9110,
  ...fields,
  ...targeted,
].filter(({ title }) => title.includes(process.env.ROW ?? ''))

export const clauses: readonly string[] = [...new Set(rows.map(({ clause }) => clause))]

/** The clause with its number of rows. */
export function countRows(clause: string): string {
  return `${clause}: ${rows.filter((row) => row.clause === clause).length} rows`
}
