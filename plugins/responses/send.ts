import type { FastifyReply } from 'fastify'
import type { FieldLines } from '../http/fields.js'
import { mergeVary } from '../http/vary.js'
import { byName, type Head } from './head.js'
import type { Answer } from './render.js'

/** Fields of a reply by lower-case name, as Fastify has them. */
export type ReplyFields = Readonly<Record<string, number | string | readonly string[] | undefined>>

/**
 * Sends the answer without the `onSend` hooks and the serialization of Fastify, which the stored response has passed. Fields that hooks
 * set for this request are added where the stored response has none of that name.
 */
export function sendAnswer(reply: FastifyReply, { status, head, body }: Answer, closesConnection: boolean): void {
  const { raw } = reply
  const complete = withPriorFields(reply, head)
  if (closesConnection) raw.shouldKeepAlive = false
  // Before `hijack`: Node throws at invalid fields, which hooks may have set.
  // Given a list, Node drops all but the last of repeated lines if fields were set before; HTTP/2 accepts no list.
  const isPlain = reply.request.raw.httpVersionMajor === 1 && !complete.hasRepeats
  raw.writeHead(status, isPlain ? (complete.lines as string[]) : byName(complete.lines)) // Node does not change the list
  reply.hijack()
  // Or Node would write the head before the queued 100 Continue.
  if (reply.request.raw.headers.expect !== undefined) raw.flushHeaders()
  raw.end(body)
}

/** The head, with the fields that hooks set and the head does not have. */
function withPriorFields(reply: FastifyReply, head: Head): Head {
  const prior: ReplyFields = reply.getHeaders()
  const added: [string, FieldLines][] = []
  for (const name in prior) {
    const value = prior[name]
    const isMissing = name === 'vary' || !(head.has(name) || reply.raw.hasHeader(name))
    if (value !== undefined && isMissing) added.push([name, asLines(value)])
  }
  return added.length === 0 ? head : head.with(added)
}

/** Fields of the handler that its client receives with a stored response: they are of this client and this connection. */
const clientSpecific = new Set(['connection', 'set-cookie'])

/** Replaces what the handler is sending by the answer. */
export function replaceReply(reply: FastifyReply, prior: ReplyFields, { status, head, body }: Answer): Buffer | null {
  const fields: ReplyFields = reply.getHeaders()
  for (const name of Object.keys(fields)) {
    if (fields[name] !== prior[name] && !clientSpecific.has(name)) reply.removeHeader(name)
  }
  for (const [name, lines] of Object.entries(byName(head.lines))) {
    const isMerged = name === 'vary' && prior.vary !== undefined
    reply.header(name, isMerged ? mergeVary(asLines(prior.vary ?? ''), lines) : lines)
  }
  reply.code(status)
  return body ?? null
}

/** The fields of a reply that changed since. */
export function fieldsChangedSince(reply: FastifyReply, prior: ReplyFields): Record<string, FieldLines> {
  const since: Record<string, FieldLines> = {}
  for (const [name, value] of Object.entries(reply.getHeaders() as ReplyFields)) {
    // as Fastify documents them
    if (value !== undefined && value !== prior[name]) since[name.toLowerCase()] = asLines(value)
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
