import { createHash } from 'node:crypto'
import { type Fields, listMembers, singleValue } from './fields.js'
import { parseHttpDate } from './http-date.js'

/** A strong entity-tag that changes with any byte of the representation. RFC 9110 §8.8.3. */
export function entityTagOf(representation: string | Uint8Array): string {
  return `"${createHash('sha256').update(representation).digest('base64url').slice(0, 27)}"`
}

/** What a client's conditions are held against. */
export interface Validators {
  readonly etag: string | undefined
  /** Milliseconds: when it was last changed, or else when it was made. RFC 9111 §4.3.2. */
  readonly modifiedAt: number
}

/** Request fields by which a client says what it has. */
export const conditionFields = [
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
] as const

/** Whether the client has the representation already. `If-Modified-Since` counts where there is no `If-None-Match`. */
export function isNotModified(request: Fields, { etag, modifiedAt }: Validators, now: number): boolean {
  const noneMatch = request['if-none-match']
  if (noneMatch !== undefined) return matchesAny(noneMatch, etag)
  const since = parseHttpDate(singleValue(request['if-modified-since']), now)
  return since !== undefined && Math.floor(modifiedAt / 1_000) * 1_000 <= since
}

/** Weak comparison with each entity-tag of a list; `*` matches whatever there is. RFC 9110 §13.1.2. */
export function matchesAny(list: string | readonly string[], etag: string | undefined): boolean {
  const given = listMembers(list)
  if (given.length === 1 && given[0] === '*') return true
  return etag !== undefined && given.some((tag) => opaque(tag) === opaque(etag))
}

/** Whether a 304 speaks of another representation than the one that is stored: then it says nothing of that. RFC 9111 §4.3.4. */
export function describesOtherRepresentation(notModified: Fields, stored: Fields): boolean {
  const etag = singleValue(notModified.etag)
  if (etag !== undefined) return !matchesAny(etag, singleValue(stored.etag))
  const [modified, known] = [notModified['last-modified'], stored['last-modified']].map(singleValue)
  return modified !== undefined && known !== undefined && modified !== known
}

/** Whether `If-Range` allows a part of the representation: a strong match, or the very date. RFC 9110 §13.1.5. */
export function allowsRange(ifRange: string | undefined, fields: Fields, now: number): boolean {
  if (ifRange === undefined) return true
  if (ifRange.startsWith('"')) return ifRange === singleValue(fields.etag)
  const lastModified = singleValue(fields['last-modified'])
  return lastModified !== undefined && ifRange === lastModified && isStrongDate(fields, now)
}

/** A date is as good as a strong validator where the response was made a second later at least. RFC 9110 §8.8.2.2. */
function isStrongDate(fields: Fields, now: number): boolean {
  const [modified, made] = [fields['last-modified'], fields.date].map((field) => parseHttpDate(singleValue(field), now))
  return modified !== undefined && made !== undefined && made - modified >= 1_000
}

function opaque(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag
}
