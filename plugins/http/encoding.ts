import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import { exactBytes } from './exact-bytes.js'
import { type Fields, isTooLongToParse, listMembers, singleValue, trim } from './fields.js'

export type Coding = 'br' | 'gzip'

/** Codings that the cache produces; of equal weight the smaller result first. */
export const codings: readonly Coding[] = ['br', 'gzip']

/** A smaller body gains less from a coding than it costs. */
const minBytes = 1_024
const compressible = /^(?:text\/(?!event-stream)|application\/(?:[\w.+-]*\+)?(?:json|xml|javascript)|image\/svg\+xml)/i
/** Codings that an origin may choose from: those that browsers and apps accept. */
const negotiable = ['br', 'gzip', 'deflate', 'zstd'] as const

/** What an `Accept-Encoding` says. */
interface Acceptance {
  /** The codings of this cache that it accepts, the preferred first. */
  readonly codings: readonly Coding[]
  /** The spelling for all values that accept the same codings. */
  readonly normalised: string
}

/** By value of the field, of which browsers and apps send a handful. Each is short. */
const remembered = new LRUCache<string, Acceptance>({ max: 200 })
const acceptsNothing: Acceptance = { codings: [], normalised: 'identity' }

/** The codings that the client accepts, the preferred first. RFC 9110 §12.5.3. */
export function acceptedCodings(acceptEncoding: string | undefined): readonly Coding[] {
  return acceptEncoding === undefined ? acceptsNothing.codings : acceptanceOf(acceptEncoding).codings
}

/**
 * One spelling for all values that accept the same codings, for the key and the origin. Weights are dropped, so that the number of
 * variants is bounded.
 */
export function normaliseAcceptEncoding(acceptEncoding: string): string {
  return acceptanceOf(acceptEncoding).normalised
}

/** No encoding is right for any client: it is what a value that is too long to be parsed gets. */
function acceptanceOf(acceptEncoding: string): Acceptance {
  if (isTooLongToParse(acceptEncoding)) return acceptsNothing
  const known = remembered.get(acceptEncoding)
  if (known !== undefined) return known
  const acceptance = negotiate(acceptEncoding)
  remembered.set(acceptEncoding, acceptance)
  return acceptance
}

function negotiate(acceptEncoding: string): Acceptance {
  const weights = new Map<string, number>()
  for (const member of listMembers(acceptEncoding.toLowerCase())) {
    const [coding = '', ...parameters] = member.includes(';') ? member.split(';').map(trim) : [member]
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    weights.set(coding === 'x-gzip' ? 'gzip' : coding, weight === undefined ? 1 : Number(weight) || 0)
  }
  const weightOf = (coding: string) => weights.get(coding) ?? weights.get('*') ?? 0
  const accepted: string[] = negotiable.filter((coding) => weightOf(coding) > 0)
  const refusesIdentity = (weights.get('identity') ?? weights.get('*') ?? 1) === 0
  if (refusesIdentity) accepted.push('identity;q=0')
  return {
    codings: codings.filter((coding) => weightOf(coding) > 0).sort((a, b) => weightOf(b) - weightOf(a)),
    normalised: accepted.join(', ') || acceptsNothing.normalised,
  }
}

/** Whether a representation may be encoded, and gains by it. RFC 9110 §7.7, RFC 9111 §5.2.2.6. */
export function isCompressible(status: number, fields: Fields, body: Uint8Array): boolean {
  if (status !== 200 || body.length < minBytes || fields['content-encoding'] !== undefined) return false
  if (listMembers(fields['cache-control']).some((directive) => directive.toLowerCase() === 'no-transform')) return false
  return compressible.test(singleValue(fields['content-type']) ?? '')
}

const coders = {
  gzip: promisify(gzip),
  br: (body: Uint8Array) =>
    promisify(brotliCompress)(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
}

/** The bytes in a coding, computed on another thread. */
export async function encode(coding: Coding, body: Uint8Array): Promise<Buffer> {
  return exactBytes(await coders[coding](body))
}
