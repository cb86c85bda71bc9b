import { allowsRange, isNotModified, matchesAny, type Validators } from '../http/conditional.js'
import { acceptedCodings, type Coding, codings } from '../http/encoding.js'
import { type Fields, headerValues, listMembers, singleValue } from '../http/fields.js'
import { rangeOf } from '../http/range.js'
import { Head } from './head.js'
import type { StoredResponse } from './stored-response.js'

/** What is sent: the head, and the body where there is one. */
export interface Answer {
  readonly status: number
  readonly head: Head
  readonly body: Buffer | undefined
}

export interface AnswerOptions {
  readonly stored: StoredResponse
  readonly method: string
  /** Of the request. */
  readonly fields: Fields
  readonly now: number
  /** Member of `Cache-Status`, or several, with the seconds that the response stays fresh. */
  readonly status: (ttl: number) => string
  /** Of `Server-Timing`; `undefined`: none. */
  readonly timing: string | undefined
  /** Whether heads of this status are made again and again, so that they are worth keeping. */
  readonly isHeadReused: boolean
  /** Whether it is sent because there is nothing else to be had. */
  readonly isStaleIfError?: boolean
  /** Bytes that codings take have been added. */
  readonly onEncoded: () => void
}

/** The answer that a stored response gives to a request: all of it, a part, or that the client has it already. */
export function answerFrom(parts: AnswerOptions): Answer {
  const { stored, method, fields } = parts
  const isWhole = stored.status === 200
  if (isWhole && (fields['if-none-match'] !== undefined || fields['if-modified-since'] !== undefined)) {
    const tag = matchingTag(validatorsOf(stored), fields, parts.now)
    if (tag !== undefined) return notModified(parts, tag)
  }
  if (isWhole && fields.range !== undefined && method === 'GET') {
    const part = partOf(parts)
    if (part !== undefined) return part
  }
  const { coding, body } = representation(parts)
  const head = headOf(parts, coding ?? 'identity', () => ({
    coding,
    ...(stored.status === 204 ? {} : { 'content-length': String(body.length) }),
  }))
  return { status: stored.status, head, body: method === 'HEAD' ? undefined : body }
}

/** What a client's conditions are held against, and whether that also comes in codings of ours. */
export interface ClientValidators extends Validators {
  readonly compresses: boolean
}

/** The entity-tag by which the client has the representation, in whichever coding; `undefined` when it does not have it. */
export function matchingTag(
  { compresses, ...validators }: ClientValidators,
  fields: Fields,
  now: number,
): { readonly etag: string | undefined } | undefined {
  const { etag } = validators
  const noneMatch = fields['if-none-match']
  // What a client says that has one answer of ours. Taking lists apart would be the dearest step of a hit.
  if (noneMatch !== undefined && noneMatch === etag) return { etag }
  if (noneMatch === undefined || !compresses) return isNotModified(fields, validators, now) ? { etag } : undefined
  if (codings.some((coding) => noneMatch === encodedTag(etag, coding))) return { etag: String(noneMatch) }
  for (const given of listMembers(noneMatch)) {
    const inIdentity = given.replace(/-(?:br|gzip)"$/, '"')
    if (matchesAny(inIdentity, etag)) return { etag: inIdentity === given ? etag : given.replace(/^W\//, '') }
  }
  return undefined
}

function validatorsOf({ etag, modifiedAt, compresses }: StoredResponse): ClientValidators {
  return { etag, modifiedAt, compresses }
}

function notModified(parts: AnswerOptions, { etag }: { readonly etag: string | undefined }): Answer {
  const head = headOf(parts, `not modified ${etag}`, () => ({ isEmpty: true, ...(etag === undefined ? {} : { etag }) }))
  return { status: 304, head, body: undefined }
}

/** The part that the client asks for; `undefined` when it gets the whole. */
function partOf(parts: AnswerOptions): Answer | undefined {
  const { stored, fields, now } = parts
  const { body } = stored
  if (!allowsRange(singleValue(fields['if-range']), stored.fields, now)) return undefined
  const range = rangeOf(singleValue(fields.range) ?? '', body.length)
  if (range === undefined) return undefined
  const rare: AnswerOptions = { ...parts, isHeadReused: false }
  if (range === 'unsatisfiable') {
    const more: HeadExtras = {
      isEmpty: true,
      isClientSpecific: true,
      'content-range': `bytes */${body.length}`,
      'content-length': '0',
    }
    return { status: 416, head: headOf(rare, '', () => more), body: Buffer.alloc(0) }
  }
  const part = body.subarray(range.first, range.last + 1)
  const more: HeadExtras = {
    'content-range': `bytes ${range.first}-${range.last}/${body.length}`,
    'content-length': String(part.length),
  }
  return { status: 206, head: headOf(rare, '', () => more), body: part }
}

function representation({ stored, fields, onEncoded }: AnswerOptions): { coding: Coding | undefined; body: Buffer } {
  if (stored.isCompressible) {
    for (const coding of acceptedCodings(singleValue(fields['accept-encoding']))) {
      const body = stored.coded(coding, onEncoded)
      if (body !== undefined && body !== stored.body) return { coding, body }
    }
  }
  return { coding: undefined, body: stored.body }
}

/** What a head has beside the stored fields. */
interface HeadExtras {
  /** Without what describes a body: there is none. RFC 9110 §15.4.5. */
  readonly isEmpty?: boolean
  /** What is kept of freshness is that of the representation, which this is none of. */
  readonly isClientSpecific?: boolean
  readonly coding?: Coding | undefined
  readonly etag?: string
  readonly 'content-length'?: string
  readonly 'content-range'?: string
}

const describesBody = /^content-(?!location$|security-policy)|^last-modified$/
const statesFreshness = /^(?:cdn-)?cache-control$|^expires$/
/** Fields that are not sent as they were stored. */
const regenerated = new Set(['content-length', 'cache-status', 'server-timing', 'etag', 'age'])

function headOf(parts: AnswerOptions, kind: string, more: () => HeadExtras): Head {
  return parts.isHeadReused
    ? parts.stored.head(kind, parts.now, () => makeHead(parts, more()))
    : makeHead(parts, more())
}

function makeHead({ stored, now, status, timing, isStaleIfError = false }: AnswerOptions, more: HeadExtras): Head {
  const { isEmpty, isClientSpecific = false, coding, etag = encodedTag(stored.etag, coding), ...added } = more
  const isLastResort = isStaleIfError && stored.isOutdated // which nobody in front of us is to take for fresh
  const age = stored.ageAt(now)
  const fields = Object.entries(stored.fields).filter(
    ([name]) =>
      !regenerated.has(name) &&
      !((isClientSpecific || isLastResort) && statesFreshness.test(name)) &&
      (isEmpty !== true || !describesBody.test(name) || isOnlyValidator(name, stored)),
  )
  if (etag !== undefined) fields.push(['etag', etag])
  if (coding !== undefined) fields.push(['content-encoding', coding])
  fields.push(...Object.entries(added), ['age', String(age)])
  if (isClientSpecific) fields.push(['cache-control', 'no-store'])
  else if (isLastResort) fields.push(['cache-control', 'no-cache'])
  else if (stored.browserTtlSeconds !== undefined) {
    fields.push(['cache-control', `max-age=${Math.min(age + stored.browserTtlSeconds, stored.lifetimeSeconds)}`])
  }
  const timings = [...headerValues(stored.fields['server-timing']), ...headerValues(timing)]
  if (timings.length > 0) fields.push(['server-timing', timings])
  fields.push([
    'cache-status',
    [...headerValues(stored.fields['cache-status']), status(isLastResort ? 0 : stored.ttlAt(now))],
  ])
  return Head.of(fields)
}

function isOnlyValidator(name: string, { etag }: StoredResponse): boolean {
  return name === 'last-modified' && etag === undefined
}

/** A strong entity-tag is of certain bytes: others want another one. RFC 9110 §8.8.3.3. */
function encodedTag(etag: string | undefined, coding: Coding | undefined): string | undefined {
  return etag === undefined || coding === undefined || etag.startsWith('W/') ? etag : `${etag.slice(0, -1)}-${coding}"`
}
