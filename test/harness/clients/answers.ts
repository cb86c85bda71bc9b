import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

/** A request of one client, without a body. */
export interface ClientRequest {
  readonly method: 'GET' | 'HEAD'
  readonly target: string
  /** Header fields by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  /** Response fields by lower-case name. */
  readonly fields: Readonly<Record<string, string>>
  /** Without the content coding. */
  readonly body: string
}

export async function send(app: FastifyInstance, { method, target, headers }: ClientRequest): Promise<Answer> {
  const { statusCode, headers: given, rawPayload } = await app.inject({ method, url: target, headers })
  const fields = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, [value].flat().join('\n')]))
  return { status: statusCode, fields, body: decoded(fields['content-encoding'], rawPayload).toString('latin1') }
}

function decoded(coding: string | undefined, body: Buffer): Buffer {
  if (body.length === 0) return body
  if (coding === 'br') return brotliDecompressSync(body)
  return coding === 'gzip' ? gunzipSync(body) : body
}

export function cacheStatusOf({ fields }: Answer): string {
  return fields['cache-status'] ?? ''
}

/**
 * Response fields that say how and when a response was sent. They differ between two answers with the same content; the length and the
 * coding follow from the body, which is compared decoded.
 */
const ofDelivery = [
  'age',
  'cache-status',
  'connection',
  'content-encoding',
  'content-length',
  'date',
  'keep-alive',
  'server-timing',
  'transfer-encoding',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
]
/** Response fields with seconds that decrease with age: only the names of their directives are compared. */
const ofFreshness = ['cache-control', 'cdn-cache-control', 'surrogate-control']

/** Response fields that a stream can have only when it is sent again. */
const unknownOfStreams = ['etag', 'vary', 'cache-control', 'cdn-cache-control', 'surrogate-control']

function isStream({ fields }: Answer): boolean {
  return fields['content-length'] === undefined
}

/**
 * Fields that a stored response may lack or have otherwise. One that is withheld from caches is sent to its own client only. RFC 9111
 * §5.2.2.7.
 */
function changedByStoring(expected: Answer, actual: Answer): string[] {
  const isWithheld = expected.fields['cache-control']?.includes('private="set-cookie"') === true
  const [cookies, expectedCookies] = [cookiesOf(actual), cookiesOf(expected)]
  const isMissing = cookies.length < expectedCookies.length && cookies.every((line) => expectedCookies.includes(line))
  // Without any cookie it need not forbid caches in front to store it.
  const withCookie = ['set-cookie', ...(cookies.length === 0 ? ['cdn-cache-control', 'surrogate-control'] : [])]
  const ofClient = isWithheld && isMissing ? withCookie : []
  // A response that is not stored here, or not in front because of its cookie, need not have tags: no purge is to reach it.
  const isUntagged = [expected, actual].some(({ fields }) => fields['surrogate-key'] === undefined)
  const isUnstored = expected.fields['surrogate-key'] === undefined || cookies.length > 0
  return isUntagged && isUnstored ? [...ofClient, 'surrogate-key'] : ofClient
}

function cookiesOf({ fields }: Answer): readonly string[] {
  return fields['set-cookie']?.split('\n') ?? []
}

/** What two answers with the same content have in common. */
function contentOf({ status, fields, body }: Answer): Record<string, string> {
  const content = Object.entries(fields)
    .filter(([name]) => !ofDelivery.includes(name))
    .map(([name, value]) => [name, comparable(name, value)])
    .filter(([, value]) => value !== '')
  return { ...Object.fromEntries(content), status: String(status), body }
}

function comparable(name: string, value: string): string {
  if (ofFreshness.includes(name)) return sortedList(value.replace(/=\d+/g, ''))
  // The body is compared decoded.
  if (name === 'vary') return sortedList(value.toLowerCase().replaceAll('accept-encoding', ''))
  return name === 'etag' ? value.replace(/^W\//, '').replace(/-(?:br|gzip)"$/, '"') : value
}

function sortedList(value: string): string {
  return [...new Set(value.split(',').map((member) => member.trim()))].filter(Boolean).sort().join(', ')
}

/** The fields in which the contents differ, with both values; status and body count as fields. `ignored`: names not compared. */
export function differences(expected: Answer, actual: Answer, ignored: readonly string[] = []): string[] {
  const [one, other] = [contentOf(expected), contentOf(actual)]
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])]
  const notCompared = [
    ...ignored,
    ...(isStream(expected) ? unknownOfStreams : []),
    ...changedByStoring(expected, actual),
  ]
  return names
    .filter((name) => one[name] !== other[name] && !notCompared.includes(name))
    .map((name) => `${name}: ${other[name]}\n    expected: ${one[name]}`)
}

/** Request fields that make an answer a part of a response, or no more than its confirmation. */
const conditional = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range']

/** The request for the complete response that the answer to this one is taken from. */
export function wholeOf(request: ClientRequest): ClientRequest {
  const headers = Object.entries(request.headers).filter(([name]) => !conditional.includes(name))
  return { ...request, method: 'GET', headers: Object.fromEntries(headers) }
}

/** How a 304, a part or the answer to HEAD contradicts the complete response. */
export function contradictions(request: ClientRequest, whole: Answer, actual: Answer): string[] {
  const { status, fields, body } = actual
  if (status === 304) {
    const found = differences(whole, actual, ['status', 'body', 'last-modified', ...ofContent(actual)])
    const isAsked = 'if-none-match' in request.headers || 'if-modified-since' in request.headers
    return [...found, ...(isAsked ? [] : ['a 304 without a condition']), ...(body === '' ? [] : ['a 304 with a body'])]
  }
  if (status === 416) return 'range' in request.headers ? [] : ['a 416 without a range']
  if (status === 206) {
    const [, first, last, length] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(fields['content-range'] ?? '') ?? []
    const isPart = whole.body.length === Number(length) && whole.body.slice(Number(first), Number(last) + 1) === body
    return isPart ? differences(whole, actual, ['status', 'body', 'content-range']) : ['a part of another body']
  }
  const isHead = request.method === 'HEAD'
  const found = differences(whole, actual, isHead ? ['body'] : [])
  return isHead && body !== '' ? [...found, 'a body for HEAD'] : found
}

/** A 304 has none of the fields that describe content. RFC 9110 §15.4.5. */
function ofContent({ fields }: Answer): string[] {
  return ['content-type', 'content-language', 'content-location'].filter((name) => !(name in fields))
}

/** The request as text. */
export function describeRequest({ method, target, headers }: ClientRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => `\n    ${name}: ${value.slice(0, 200)}`)
  return `${method} ${target}${lines.join('')}`
}
