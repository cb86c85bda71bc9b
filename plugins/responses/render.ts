import { allowsRange, isAny, isNotModified, isSameTag, opaqueTag, type Validators } from '../http/conditional.js'
import { acceptedCodings, type Coding, codings } from '../http/encoding.js'
import { type Fields, headerValues, isTooLongToParse, listMembers, singleValue } from '../http/fields.js'
import { rangeOf } from '../http/range.js'
import { Head } from './head.js'
import type { StoredResponse } from './stored-response.js'

/** A response to send: the head, and the body if there is one. */
export interface Answer {
  readonly status: number
  readonly head: Head
  readonly body: Buffer | undefined
}

export interface AnswerOptions {
  readonly stored: StoredResponse
  readonly method: string
  /** Request fields. */
  readonly fields: Fields
  readonly now: number
  /** Gives the member of `Cache-Status`, or several, for the remaining freshness in seconds. */
  readonly formatStatus: (ttl: number) => string
  /** Metric of `Server-Timing`; `undefined`: none. */
  readonly timing: string | undefined
  /** Whether many requests get this status, so that the head is cached. */
  readonly isHeadReused: boolean
  /** Whether it is sent because the handler failed. */
  readonly isStaleIfError?: boolean
  /** Called when an encoded body or a head has been added to the stored response. */
  readonly onEncoded: () => void
}

/** The answer of a stored response to a request: complete, a part, or a 304. */
export function answerFrom(options: AnswerOptions): Answer {
  const { stored, method, fields } = options
  const isWhole = stored.status === 200
  if (isWhole && (fields['if-none-match'] !== undefined || fields['if-modified-since'] !== undefined)) {
    const tag = matchingTag(validatorsOf(stored), fields, options.now)
    if (tag !== undefined) return notModified(options, tag)
  }
  if (isWhole && fields.range !== undefined && method === 'GET') {
    const part = partFor(options)
    if (part !== undefined) return part
  }
  const { coding, body } = representation(options)
  const head = headOf(options, coding ?? 'identity', () => ({
    coding,
    ...(stored.status === 204 ? {} : { 'content-length': String(body.length) }),
  }))
  return { status: stored.status, head, body: method === 'HEAD' ? undefined : body }
}

/** What a client's conditions are compared with, and whether the representation also has codings of this cache. */
export interface ClientValidators extends Validators {
  readonly compresses: boolean
}

/** The entity-tag that the client has, in any coding; `undefined` if its copy is not current. */
export function matchingTag(
  { compresses, ...validators }: ClientValidators,
  fields: Fields,
  now: number,
): { readonly etag: string | undefined } | undefined {
  const { etag } = validators
  const noneMatch = fields['if-none-match']
  // The usual case first: parsing lists would be the most expensive step of a hit.
  if (noneMatch !== undefined && noneMatch === etag) return { etag }
  if (noneMatch === undefined || !compresses) return isNotModified(fields, validators, now) ? { etag } : undefined
  if (codings.some((coding) => noneMatch === encodedTag(etag, coding))) return { etag: String(noneMatch) }
  if (isTooLongToParse(noneMatch)) return undefined // as in `isNotModified`
  const given = listMembers(noneMatch)
  if (given.some((tag) => isSameTag(tag, etag)) || isAny(given)) return { etag }
  const encoded = codings.map((coding) => encodedTag(etag, coding))
  const match = given.find((tag) => encoded.some((one) => isSameTag(tag, one)))
  return match === undefined ? undefined : { etag: opaqueTag(match) }
}

function validatorsOf({ etag, modifiedAt, compresses }: StoredResponse): ClientValidators {
  return { etag, modifiedAt, compresses }
}

function notModified(options: AnswerOptions, { etag }: { readonly etag: string | undefined }): Answer {
  const head = headOf(options, `not modified ${etag}`, () => ({
    isEmpty: true,
    ...(etag === undefined ? {} : { etag }),
  }))
  return { status: 304, head, body: undefined }
}

/** The requested part; `undefined` if the complete representation is sent. */
function partFor(options: AnswerOptions): Answer | undefined {
  const { stored, fields, now } = options
  const { body } = stored
  if (!allowsRange(singleValue(fields['if-range']), stored.fields, now)) return undefined
  const range = rangeOf(singleValue(fields.range) ?? '', body.length)
  if (range === undefined) return undefined
  const rare: AnswerOptions = { ...options, isHeadReused: false }
  if (range === 'unsatisfiable') {
    const extras: HeadExtras = {
      isEmpty: true,
      isClientSpecific: true,
      'content-range': `bytes */${body.length}`,
      'content-length': '0',
    }
    return { status: 416, head: headOf(rare, '', () => extras), body: Buffer.alloc(0) }
  }
  const part = body.subarray(range.first, range.last + 1)
  const extras: HeadExtras = {
    'content-range': `bytes ${range.first}-${range.last}/${body.length}`,
    'content-length': String(part.length),
  }
  return { status: 206, head: headOf(rare, '', () => extras), body: part }
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

/** What a head has in addition to the stored fields. */
interface HeadExtras {
  /** Omits fields that describe a body. RFC 9110 §15.4.5. */
  readonly isEmpty?: boolean
  /** Whether it answers this request alone, so that the stored freshness does not apply. */
  readonly isClientSpecific?: boolean
  readonly coding?: Coding | undefined
  readonly etag?: string
  readonly 'content-length'?: string
  readonly 'content-range'?: string
}

const describesBody = /^content-(?!location$|security-policy)|^last-modified$/
const statesFreshness = /^(?:cdn-)?cache-control$|^surrogate-control$|^expires$/
/** Fields that are not sent as stored. */
const regenerated = new Set(['content-length', 'cache-status', 'server-timing', 'etag', 'age'])

function headOf(options: AnswerOptions, kind: string, extras: () => HeadExtras): Head {
  return options.isHeadReused
    ? options.stored.head(kind, options.now, () => createHead(options, extras()), options.onEncoded)
    : createHead(options, extras())
}

function createHead(
  { stored, now, formatStatus, timing, isStaleIfError = false }: AnswerOptions,
  extras: HeadExtras,
): Head {
  const { isEmpty, isClientSpecific = false, coding, etag = encodedTag(stored.etag, coding), ...added } = extras
  const isLastResort = isStaleIfError && stored.isOutdated // caches in front must not treat it as fresh
  const age = stored.ageAt(now)
  const fields = Object.entries({ ...stored.fields, ...stored.cdnFields }).filter(
    ([name]) =>
      !regenerated.has(name) &&
      !((isClientSpecific || isLastResort) && statesFreshness.test(name)) &&
      (isEmpty !== true || !describesBody.test(name) || isOnlyValidator(name, stored)),
  )
  if (etag !== undefined) fields.push(['etag', etag])
  if (coding !== undefined) fields.push(['content-encoding', coding])
  fields.push(...Object.entries(added), ['age', String(age)])
  if (isClientSpecific) fields.push(['cache-control', 'private, no-store'])
  else if (isLastResort) fields.push(['cache-control', 'private, no-cache'])
  else if (stored.browserTtlSeconds !== undefined) {
    fields.push(['cache-control', `max-age=${Math.min(age + stored.browserTtlSeconds, stored.lifetimeSeconds)}`])
  }
  const timings = [...headerValues(stored.fields['server-timing']), ...headerValues(timing)]
  if (timings.length > 0) fields.push(['server-timing', timings])
  fields.push([
    'cache-status',
    [...headerValues(stored.fields['cache-status']), formatStatus(isLastResort ? 0 : stored.ttlAt(now))],
  ])
  return Head.of(fields)
}

function isOnlyValidator(name: string, { etag }: StoredResponse): boolean {
  return name === 'last-modified' && etag === undefined
}

/** Encoded bytes need another strong entity-tag. RFC 9110 §8.8.3.3. */
function encodedTag(etag: string | undefined, coding: Coding | undefined): string | undefined {
  return etag === undefined || coding === undefined || etag.startsWith('W/') ? etag : `${etag.slice(0, -1)}-${coding}"`
}
