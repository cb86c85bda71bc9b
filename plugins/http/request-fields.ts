import { parseDirectives } from './cache-control.js'
import { conditionFields } from './conditional.js'
import { type FieldLines, type Fields, isHopByHop } from './fields.js'

/** Fields that only responses have: what a client sends under these names is for nobody. */
const responseOnly = new Set(['cache-status', 'surrogate-key', 'cache-tag', 'edge-cache-tag', 'surrogate-control'])
/** Fields that a message cannot do without, whatever `Connection` says. */
const indispensable = new Set(['host', 'content-length', 'content-type'])

/** The fields that go on to another server: not those of this connection. Requests of our own have names without a value. */
export function forwardedFields(fields: Fields): Fields {
  const { connection } = fields
  const isForwarded = (name: string) =>
    indispensable.has(name) || !(responseOnly.has(name) || isHopByHop(name, connection))
  return Object.fromEntries(Object.entries(fields).filter(([name, lines]) => lines !== undefined && isForwarded(name)))
}

/** Whether `Connection` may name fields that are only for us, and by which no response is to be chosen. */
export function connectionListsFields(connection: FieldLines | undefined): boolean {
  return connection !== undefined && !/^(?:keep-alive|close)$/i.test(String(connection))
}

/** The fields without what the client says that it has: that is for us to answer. */
export function withoutConditions(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !conditionFields.some((field) => field === name)))
}

/** The fields without what is about this client alone: what it has, which part it wants, and what it asks of caches. */
export function withoutClientHeaders(fields: Fields): Fields {
  const { range: _range, 'cache-control': _control, pragma: _pragma, ...others } = fields
  return withoutConditions(others)
}

/** Fields that ask the handler whether the stored response is still what it would answer. RFC 9111 §4.3.1. */
export function validationConditions(fields: Fields): Record<string, string> {
  const { etag, 'last-modified': lastModified } = fields
  return {
    ...(typeof etag === 'string' ? { 'if-none-match': etag } : {}),
    ...(typeof lastModified === 'string' ? { 'if-modified-since': lastModified } : {}),
  }
}

/** Whether the request has conditions that only the origin can hold against what it has. RFC 9110 §13.2.1. */
export function hasOriginConditions(fields: Fields): boolean {
  return fields['if-match'] !== undefined || fields['if-unmodified-since'] !== undefined
}

/** Whether the response to the request may be less than the whole representation. */
export function isPartialRequest(fields: Fields): boolean {
  return fields.range !== undefined || conditionFields.some((name) => fields[name] !== undefined)
}

/** Whether the client wants its response to be kept by nobody. RFC 9111 §5.2.1.5. */
export function hasNoStore(fields: Fields): boolean {
  return parseDirectives(fields['cache-control']).has('no-store')
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

/** The host that is asked, as HTTP/1 or HTTP/2 has it. */
export function hostOf(headers: Readonly<Record<string, unknown>>): string | undefined {
  const { host = headers[':authority'] } = headers
  return typeof host === 'string' ? host : undefined
}
