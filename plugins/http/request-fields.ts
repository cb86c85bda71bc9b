import { parseDirectives } from './cache-control.js'
import { conditionFields } from './conditional.js'
import { type FieldLines, type Fields, headerValues, hopByHopFilter, isTooLongToParse } from './fields.js'

/** Fields that only responses have: they are not forwarded. */
const responseOnly = new Set(['cache-status', 'surrogate-key', 'cache-tag', 'edge-cache-tag', 'surrogate-control'])
/** Fields that a message requires, whatever `Connection` lists. */
const indispensable = new Set(['host', 'content-length', 'content-type'])

/** The end-to-end fields, for another server. Background refreshes have names without a value. */
export function forwardedFields(fields: Fields): Fields {
  const isHopByHop = hopByHopFilter(fields.connection)
  const isForwarded = (name: string) => indispensable.has(name) || !(responseOnly.has(name) || isHopByHop(name))
  return Object.fromEntries(Object.entries(fields).filter(([name, lines]) => lines !== undefined && isForwarded(name)))
}

/** Whether `Connection` may list fields, which are not forwarded and by which no variant is selected. */
export function connectionListsFields(connection: FieldLines | undefined): boolean {
  return connection !== undefined && !/^(?:keep-alive|close)$/i.test(String(connection))
}

/** The fields without the conditions of the client. */
export function withoutConditions(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !conditionFields.some((field) => field === name)))
}

/** The fields without those of this client alone: conditions, range and cache directives. */
export function withoutClientHeaders(fields: Fields): Fields {
  const { range: _range, 'cache-control': _control, pragma: _pragma, ...others } = fields
  return withoutConditions(others)
}

/** The conditions that validate a stored response with these fields. RFC 9111 §4.3.1. */
export function validationConditions(fields: Fields): Record<string, string> {
  const { etag, 'last-modified': lastModified } = fields
  return {
    ...(typeof etag === 'string' ? { 'if-none-match': etag } : {}),
    ...(typeof lastModified === 'string' ? { 'if-modified-since': lastModified } : {}),
  }
}

/** Whether the request has conditions that only the origin can evaluate. RFC 9110 §13.2.1. */
export function hasOriginConditions(fields: Fields): boolean {
  return fields['if-match'] !== undefined || fields['if-unmodified-since'] !== undefined
}

/** Whether the response may be less than the complete representation. */
export function isPartialRequest(fields: Fields): boolean {
  return fields.range !== undefined || conditionFields.some((name) => fields[name] !== undefined)
}

/** Whether the client forbids storing the response, or may do so in a text that is not parsed. RFC 9111 §5.2.1.5. */
export function hasNoStore(fields: Fields): boolean {
  const control = fields['cache-control']
  return control !== undefined && (isTooLongToParse(control) || parseDirectives(control).has('no-store'))
}

/** Request fields that identify a client. */
export const credentialFields = ['authorization', 'cookie'] as const

export function isCredential(name: string): boolean {
  return credentialFields.some((field) => field === name.toLowerCase())
}

/** Whether the request identifies its client. */
export function hasCredentials(fields: Fields): boolean {
  return credentialFields.some((name) => fields[name] !== undefined)
}

/** The same, as the request was sent: a hook may have removed a field after it derived an identity from it. */
export function hasSentCredentials(rawHeaders: readonly string[]): boolean {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const { [at]: name = '' } = rawHeaders
    if (credentialLengths.has(name.length) && isCredential(name)) return true
  }
  return false
}

/** Comparing lengths first makes this cheap for a hit. */
const credentialLengths: ReadonlySet<number> = new Set(credentialFields.map(({ length }) => length))

/**
 * Whether the `Set-Cookie` lines give the client nothing but cookies that it has sent, as session plugins do to extend their lifetime.
 */
export function renewsCookies(setCookie: FieldLines | undefined, cookie: FieldLines | undefined): boolean {
  if (setCookie === undefined || cookie === undefined) return false
  const sent = new Set(headerValues(cookie).flatMap((line) => line.split(';').map((pair) => pair.trim())))
  return headerValues(setCookie).every((line) => sent.has(line.split(';', 1)[0] ?? ''))
}

/** The host of HTTP/1 or the authority of HTTP/2. */
export function hostOf(headers: Readonly<Record<string, unknown>>): string | undefined {
  const { host = headers[':authority'] } = headers
  return typeof host === 'string' ? host : undefined
}

/** Whether the request has content, as far as its fields say so. RFC 9110 §6.4. */
export function hasContent(fields: Fields): boolean {
  const { 'content-length': length } = fields
  return fields['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

/** Whether the client asks for another protocol on this connection, such as `websocket`. RFC 9110 §7.8. */
export function asksForUpgrade({ upgrade, connection }: Fields): boolean {
  return upgrade !== undefined && /\bupgrade\b/i.test(String(connection)) && !/^h2c$/i.test(String(upgrade))
}
