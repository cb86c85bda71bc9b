import type { FastifyReply } from 'fastify'
import type { FieldLines } from '../http/fields.js'
import { mergeVary } from '../http/vary.js'
import { byName, type Head } from './head.js'
import type { Answer } from './render.js'

/** Fields of a reply by lower-case name, as Fastify has them. */
export type ReplyFields = Readonly<Record<string, number | string | readonly string[] | undefined>>

/**
 * Sends the answer past the hooks and serializers that Fastify has for what a handler sends: what they do has been done. Fields that
 * hooks ahead have set go along, where the stored response has none of that name.
 */
export function sendAnswer(reply: FastifyReply, { status, head, body }: Answer, isLast: boolean): void {
  const { raw } = reply
  const whole = withPriorFields(reply, head)
  if (isLast) raw.shouldKeepAlive = false
  // Before the reply is ours alone: Node throws at fields that it does not send, and hooks may have set such.
  // Given a list, Node keeps only the last of several lines where it has been told fields before; HTTP/2 takes none.
  const isPlain = reply.request.raw.httpVersionMajor === 1 && !whole.hasRepeats
  raw.writeHead(status, isPlain ? (whole.lines as string[]) : byName(whole.lines)) // it does not change what it is given
  reply.hijack()
  // Node writes a head that is still to be sent, with bytes behind it, before the 100 that has been queued.
  if (reply.request.raw.headers.expect !== undefined) raw.flushHeaders()
  raw.end(body)
}

/** The head, with what hooks ahead have set that it does not have. */
function withPriorFields(reply: FastifyReply, head: Head): Head {
  const ahead: ReplyFields = reply.getHeaders()
  const added: [string, FieldLines][] = []
  for (const name in ahead) {
    const value = ahead[name]
    const isMissing = name === 'vary' || !(head.has(name) || reply.raw.hasHeader(name))
    if (value !== undefined && isMissing) added.push([name, asLines(value)])
  }
  return added.length === 0 ? head : head.with(added)
}

/** Fields of the handler that go to its client along with a stored response: they are about this client and this connection. */
const clientSpecific = new Set(['connection', 'set-cookie'])

/** Makes the answer what the handler is sending: for a request that has come all the way. */
export function replaceReply(reply: FastifyReply, ahead: ReplyFields, { status, head, body }: Answer): Buffer | null {
  const fields: ReplyFields = reply.getHeaders()
  for (const name of Object.keys(fields)) {
    if (fields[name] !== ahead[name] && !clientSpecific.has(name)) reply.removeHeader(name)
  }
  for (const [name, lines] of Object.entries(byName(head.lines))) {
    const isMerged = name === 'vary' && ahead.vary !== undefined
    reply.header(name, isMerged ? mergeVary(asLines(ahead.vary ?? ''), lines) : lines)
  }
  reply.code(status)
  return body ?? null
}

/** The fields of a reply as they are kept: those that are not as they were before the handler ran. */
export function fieldsChangedSince(reply: FastifyReply, ahead: ReplyFields): Record<string, FieldLines> {
  const since: Record<string, FieldLines> = {}
  for (const [name, value] of Object.entries(reply.getHeaders() as ReplyFields)) {
    // as Fastify documents them
    if (value !== undefined && value !== ahead[name]) since[name.toLowerCase()] = asLines(value)
  }
  return since
}

/** All fields of a reply. */
export function replyFields(reply: FastifyReply): Record<string, FieldLines> {
  return fieldsChangedSince(reply, {})
}

function asLines(value: number | string | readonly string[]): FieldLines {
  return typeof value === 'number' ? String(value) : value
}
