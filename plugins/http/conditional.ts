import { createHash } from 'node:crypto'
import { type Fields, isTooLongToParse, listMembers, singleValue } from './fields.js'
import { parseHttpDate } from './http-date.js'

/** A strong entity-tag that changes with any byte of the representation. RFC 9110 §8.8.3. */
export function entityTagOf(representation: string | Uint8Array): string {
  return `"${createHash('sha256').update(representation).digest('base64url').slice(0, 27)}"`
}

/** What a client's conditions are compared with. */
export interface Validators {
  readonly etag: string | undefined
  /** Milliseconds since the epoch: the last change, or else the date of the response. RFC 9111 §4.3.2. */
  readonly modifiedAt: number
}

/** Request fields with the validators that a client has. */
export const conditionFields = [
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
] as const

/**
 * Whether the client has the representation already. `If-Modified-Since` counts where there is no `If-None-Match`. A list that is too
 * long to be parsed does not match: the complete representation is right for any client.
 */
export function isNotModified(request: Fields, { etag, modifiedAt }: Validators, now: number): boolean {
  const noneMatch = request['if-none-match']
  if (noneMatch !== undefined) return !isTooLongToParse(noneMatch) && matchesAny(noneMatch, etag)
  const since = parseHttpDate(singleValue(request['if-modified-since']), now)
  return since !== undefined && Math.floor(modifiedAt / 1_000) * 1_000 <= since
}

/** Weak comparison with each entity-tag of a list; `*` matches whatever there is. RFC 9110 §13.1.2. */
export function matchesAny(list: string | readonly string[], etag: string | undefined): boolean {
  const given = listMembers(list)
  return isAny(given) || given.some((tag) => isSameTag(tag, etag))
}

/** Whether the members of the list are `*` alone. */
export function isAny(members: readonly string[]): boolean {
  return members.length === 1 && members[0] === '*'
}

/** Weak comparison. RFC 9110 §8.8.3.2. */
export function isSameTag(tag: string, etag: string | undefined): boolean {
  return etag !== undefined && opaqueTag(tag) === opaqueTag(etag)
}

/** Whether a 304 describes another representation than the stored one, and so does not confirm it. RFC 9111 §4.3.4. */
export function describesOtherRepresentation(notModified: Fields, stored: Fields): boolean {
  const etag = singleValue(notModified.etag)
  if (etag !== undefined) return !matchesAny(etag, singleValue(stored.etag))
  const [modified, known] = [notModified['last-modified'], stored['last-modified']].map(singleValue)
  return modified !== undefined && known !== undefined && modified !== known
}

/** Whether `If-Range` allows a part of the representation: a strong match, or the exact date. RFC 9110 §13.1.5. */
export function allowsRange(ifRange: string | undefined, fields: Fields, now: number): boolean {
  if (ifRange === undefined) return true
  if (ifRange.startsWith('"')) return ifRange === singleValue(fields.etag)
  const lastModified = singleValue(fields['last-modified'])
  return lastModified !== undefined && ifRange === lastModified && isStrongDate(fields, now)
}

/** A date is a strong validator if the response was generated at least a second later. RFC 9110 §8.8.2.2. */
function isStrongDate(fields: Fields, now: number): boolean {
  const [modified, generated] = [fields['last-modified'], fields.date].map((field) =>
    parseHttpDate(singleValue(field), now),
  )
  return modified !== undefined && generated !== undefined && generated - modified >= 1_000
}

/** An entity-tag without its weakness. */
export function opaqueTag(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag
}
