import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import { type Fields, listMembers, singleValue } from './fields.js'

export type Coding = 'br' | 'gzip'

/** Codings that the cache produces; of equal weight the smaller result first. */
export const codings: readonly Coding[] = ['br', 'gzip']

/** A smaller body gains less from a coding than it costs. */
const minBytes = 1_024
const compressible = /^(?:text\/(?!event-stream)|application\/(?:[\w.+-]*\+)?(?:json|xml|javascript)|image\/svg\+xml)/i
/** Accepted codings by `Accept-Encoding`, of which browsers and apps send a handful of values. */
const remembered = new LRUCache<string, readonly Coding[]>({ max: 200 })
const none: readonly Coding[] = []

/** The codings that the client accepts, the preferred first. RFC 9110 §12.5.3. */
export function acceptedCodings(acceptEncoding: string | undefined): readonly Coding[] {
  if (acceptEncoding === undefined) return none
  const known = remembered.get(acceptEncoding)
  if (known !== undefined) return known
  const accepted = negotiate(acceptEncoding)
  remembered.set(acceptEncoding, accepted)
  return accepted
}

function negotiate(acceptEncoding: string): readonly Coding[] {
  const weights = new Map<string, number>()
  for (const member of listMembers(acceptEncoding)) {
    const [coding = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    weights.set(coding === 'x-gzip' ? 'gzip' : coding, weight === undefined ? 1 : Number(weight) || 0)
  }
  const weightOf = (coding: Coding) => weights.get(coding) ?? weights.get('*') ?? 0
  return codings.filter((coding) => weightOf(coding) > 0).sort((a, b) => weightOf(b) - weightOf(a))
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
export function encode(coding: Coding, body: Uint8Array): Promise<Buffer> {
  return coders[coding](body)
}
