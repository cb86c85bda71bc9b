import type { FastifyReply } from 'fastify'
import { cdnDirectiveFields } from '../http/cdn-fields.js'
import type { FieldLines } from '../http/fields.js'
import { mergeVary } from '../http/vary.js'
import type { CacheContext } from './cache-context.js'
import { byName, type Head } from './head.js'
import { dropTrailers, type PriorReply } from './prior-reply.js'
import type { Answer } from './render.js'
import { asLines, type ReplyFields } from './reply-fields.js'
import type { StoredResponse } from './stored-response.js'

/** Sends the answer of a stored response, with what hooks have set on the reply for this client. */
export function sendStoredAnswer(
  cache: CacheContext,
  reply: FastifyReply,
  { stored, answer, prior }: { readonly stored: StoredResponse; readonly answer: Answer; readonly prior: PriorReply },
): void {
  if (cache.isClosing) reply.raw.shouldKeepAlive = false
  if (prior.hasPendingCookies) {
    sendThroughHooks(cache, reply, { stored, answer, prior })
  } else {
    const isPersonal = prior.fields['set-cookie'] !== undefined
    sendDirectly(reply, isPersonal ? withoutCaches(cache, stored, answer) : answer, prior.fields)
  }
}

/** The answer that no other cache stores, because it is sent with a cookie of one client. */
function withoutCaches(cache: CacheContext, stored: StoredResponse, answer: Answer): Answer {
  const { dropped, fields } = personalChanges(cache, stored)
  return fields.length === 0 ? answer : { ...answer, head: answer.head.replacing(new Set(dropped), fields) }
}

/** The same of an answer that is sent by Fastify. */
export function keepFromCaches(cache: CacheContext, reply: FastifyReply, stored: StoredResponse): void {
  const { dropped, fields } = personalChanges(cache, stored)
  if (fields.length === 0) return
  for (const name of dropped) reply.removeHeader(name)
  reply.headers(Object.fromEntries(fields))
}

function personalChanges({ personalFields }: CacheContext, stored: StoredResponse) {
  const fields = personalFields(stored.fields)
  const dropped = [...Object.keys(fields), ...cdnDirectiveFields, ...Object.keys(stored.cdnFields)]
  return { dropped, fields: Object.entries(fields) }
}

/**
 * Sends the answer without the `onSend` hooks and the serialization of Fastify, which the stored response has passed. Fields that hooks
 * set for this request are added where the stored response has none of that name.
 */
function sendDirectly(reply: FastifyReply, { status, head, body }: Answer, prior: ReplyFields): void {
  const { raw } = reply
  const complete = withPriorFields(reply, head, prior)
  // Before `hijack`: Node throws at invalid fields, which hooks may have set.
  // Given a list, Node drops all but the last of repeated lines if fields were set before; HTTP/2 accepts no list.
  const isPlain = reply.request.raw.httpVersionMajor === 1 && !complete.hasRepeats
  raw.writeHead(status, isPlain ? (complete.lines as string[]) : byName(complete.lines)) // Node does not change the list
  reply.hijack()
  // Or Node would write the head before the queued 100 Continue.
  if (reply.request.raw.headers.expect !== undefined) raw.flushHeaders()
  raw.end(body)
}

/** What is sent of a stored response through `onSend` hooks. */
export interface Replayed {
  readonly payload: unknown
  readonly stored: StoredResponse
  readonly answer: Answer
}

/** Sends the answer through the `onSend` hooks, which may add cookies. */
function sendThroughHooks(
  cache: CacheContext,
  reply: FastifyReply,
  { stored, answer, prior }: { readonly stored: StoredResponse; readonly answer: Answer; readonly prior: PriorReply },
): void {
  // The handler has removed what the head forbids by a field without lines.
  for (const name of Object.keys(prior.fields)) if (name !== 'vary' && answer.head.has(name)) reply.removeHeader(name)
  // Fastify would serialize `null`.
  const payload = replaceReply(reply, prior.fields, answer) ?? undefined
  // Fastify's own HEAD routes take the length from the body.
  const sent = reply.request.raw.method === 'HEAD' ? stored.body : payload
  cache.replayed.set(reply.request, { payload: sent, stored, answer })
  reply.send(sent)
}

/** Undoes what `onSend` hooks have made of the answer: the stored response has passed them already. Gives the payload to send. */
export function restoreReplayed(reply: FastifyReply, { payload, answer: { status, head } }: Replayed): unknown {
  const fields = byName(head.lines)
  for (const name of describesBytes) if (!Object.hasOwn(fields, name)) reply.removeHeader(name)
  for (const [name, lines] of Object.entries(fields)) if (name !== 'vary') reply.header(name, lines)
  reply.code(status)
  return payload
}

/** Fields that hooks add for the bytes that they send instead. */
const describesBytes = ['content-encoding', 'content-length', 'content-type', 'etag', 'last-modified']

/** The head, with the fields that hooks set and the head does not have. */
function withPriorFields(reply: FastifyReply, head: Head, prior: ReplyFields): Head {
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
  dropTrailers(reply)
  reply.code(status)
  return body ?? null
}
