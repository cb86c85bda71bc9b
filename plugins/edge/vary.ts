import { type FieldLines, type Fields, membersOf } from './fields.js'

/** Whether `Vary` says that no other request can be answered with the response. RFC 9110 §12.5.5. */
export function variesByEverything(fields: Fields): boolean {
  return membersOf(fields.vary).includes('*')
}

/** The request fields that `Vary` names, in lower case, each once and in order, so that lists can be compared. */
export function varyNames(fields: Fields): string[] {
  return [...new Set(membersOf(fields.vary).map((name) => name.toLowerCase()))].sort()
}

/**
 * The value of a request field as variants are told apart by it: lines joined, white space between members of no
 * account, and a field that is missing other than one that is empty. RFC 9111 §4.1.
 */
export function variantValue(field: FieldLines | undefined): string {
  if (field === undefined) return ''
  if (typeof field === 'string' && !/[\s,]/.test(field)) return `=${field}`
  return `=${membersOf(field).join(',')}`
}

/** The lists in one, each name once. */
export function mergeVary(...fields: readonly (FieldLines | undefined)[]): string {
  const names = new Map(fields.flatMap(membersOf).map((name) => [name.toLowerCase(), name]))
  return names.has('*') ? '*' : [...names.values()].join(', ')
}
