import { Readable } from 'node:stream'
import type { TierStatus } from '../http/cache-status.js'
import { singleValue } from '../http/fields.js'
import { dateField } from '../http/freshness.js'
import type { CacheContext } from './cache-context.js'
import type { HandlerResponse } from './handler-response.js'
import { answerFrom, matchingTag } from './render.js'
import { replyFields } from './reply-fields.js'
import { keepFromCaches, replaceReply } from './send.js'
import type { StoredResponse } from './stored-response.js'

export interface RespondOptions {
  readonly status: TierStatus
  readonly formatStatus: (ttl: number) => string
  readonly timing: string | undefined
}

/** Gives the stored response as the payload of the reply, in the place of what the handler sent. */
export function respondWithStored(
  cache: CacheContext,
  { context, response }: HandlerResponse,
  stored: StoredResponse,
  { status, formatStatus, timing }: RespondOptions,
): unknown {
  if (context.isBackground) return ''
  const { request, reply, method, fields, key, priorFields } = context
  const answer = answerFrom({
    stored,
    method,
    fields,
    now: response.receivedAt,
    formatStatus,
    timing,
    isHeadReused: false,
    isStaleIfError: status.detail === 'stale-if-error',
    onEncoded: () => cache.store.recomputeSize(key.key),
  })
  const payload = replaceReply(reply, priorFields, answer)
  if (reply.hasHeader('set-cookie')) keepFromCaches(cache, reply, stored)
  // Fastify's own HEAD routes take the length from the body.
  return request.raw.method === 'HEAD' ? stored.body : payload
}

/** Turns the reply into a 304 if the client has the representation; gives the payload to send. */
export function respondConditionally(
  { context, response }: HandlerResponse,
  payload: unknown,
  { compresses }: { readonly compresses: boolean },
): unknown {
  const { reply, method, fields } = context
  const etag = singleValue(replyFields(reply).etag)
  const modifiedAt = dateField(response, 'last-modified')
  const isRead = (method === 'GET' || method === 'HEAD') && response.status === 200
  if (!isRead || (etag === undefined && modifiedAt === undefined)) return payload
  const validators = { etag, modifiedAt: modifiedAt ?? response.receivedAt, compresses }
  const match = matchingTag(validators, fields, response.receivedAt)
  if (match === undefined) return payload
  if (match.etag !== undefined) reply.header('etag', match.etag)
  reply.code(304).removeHeader('content-type').removeHeader('content-length')
  if (method === 'HEAD') return payload // Fastify's own hook removes it, and sets its length
  if (payload instanceof Readable) payload.resume() // it may be in the process of being stored
  return null // '' would say that the representation is empty, RFC 9110 §8.6
}
