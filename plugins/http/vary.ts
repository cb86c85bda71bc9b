import { normaliseAcceptEncoding } from './encoding.js'
import { type FieldLines, type Fields, headerValues, isTooLongToParse, listMembers, ownField } from './fields.js'

/** Whether no other request can be answered with the response. RFC 9110 §12.5.5. */
export function variesByEverything(fields: Fields): boolean {
  return listMembers(fields.vary).includes('*')
}

/** The request fields that `Vary` names, in lower case, each once and in order, so that lists can be compared. */
export function varyNames(fields: Fields): string[] {
  return [...new Set(listMembers(fields.vary).map((name) => name.toLowerCase()))].sort()
}

/** Gives the value of a request field that the cache key contains; `undefined`: the field is missing. */
export type Normalise = (value: string | undefined) => string | undefined

/** Request fields whose syntax is a list, so that white space and empty members have no meaning. RFC 9110 §5.6.1, §12.5. */
const lists = new Set(['accept', 'accept-charset', 'accept-language'])
/** Request fields that are always normalised. */
const normalised = [...lists, 'accept-encoding', 'host', ':authority']

/**
 * The value of a request field that the cache key contains: its lines joined. Lists and the host get one spelling, which RFC 9111 §4.1
 * allows where the definition of the field makes the spellings equivalent; `Accept-Encoding` that of the codings that it accepts.
 */
export function keyedValue(name: string, field: FieldLines | undefined): string | undefined {
  if (field === undefined) return undefined
  const text = headerValues(field).join(', ')
  if (name === 'accept-encoding') return normaliseAcceptEncoding(text)
  if (lists.has(name)) return isTooLongToParse(text) || !/[\s,]/.test(text) ? text : listMembers(text).join(', ')
  return name === 'host' || name === ':authority' ? text.toLowerCase() : text
}

/**
 * The request fields with the values that the key contains. The handler sees these, so that it cannot distinguish two requests with
 * one key.
 */
export function keyedFields(
  fields: Fields,
  normalisers: ReadonlyMap<string, Normalise>,
  keyedField: FieldValue = fieldValues(fields, normalisers),
): Fields {
  const keyed: Record<string, FieldLines> = { ...fields }
  for (const name of [...normalised, ...normalisers.keys()]) {
    const value = keyedField(name)
    if (value === undefined) delete keyed[name]
    else keyed[name] = value
  }
  return keyed
}

/** Gives one field of `keyedFields`. */
export type FieldValue = (name: string) => string | undefined

/** Normalises each field of a request once, however many variants it is compared with. */
export function fieldValues(fields: Fields, normalisers: ReadonlyMap<string, Normalise>): FieldValue {
  const known = new Map<string, string | undefined>()
  return (name) => {
    const value = known.get(name)
    if (value !== undefined || known.has(name)) return value
    const normal = normaliseField(fields, name, normalisers)
    known.set(name, normal)
    return normal
  }
}

function normaliseField(fields: Fields, name: string, normalisers: ReadonlyMap<string, Normalise>): string | undefined {
  const field = ownField(fields, name)
  const normalise = normalisers.get(name)
  return normalise === undefined ? keyedValue(name, field) : normalise(field && headerValues(field).join(', '))
}

/** The value in the form in which variants are compared: a missing field differs from an empty one. */
export function variantValue(value: string | undefined): string {
  return value === undefined ? '' : `=${value}`
}

/** The lists joined, each name once. */
export function mergeVary(...fields: readonly (FieldLines | undefined)[]): string {
  const names = new Map(fields.flatMap(listMembers).map((name) => [name.toLowerCase(), name]))
  return names.has('*') ? '*' : [...names.values()].join(', ')
}
