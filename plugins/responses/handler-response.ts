import { validateHeaderValue } from 'node:http'
import type { TierStatus } from '../http/cache-status.js'
import { type FieldLines, type Fields, headerValues, joinValues } from '../http/fields.js'
import { type CacheControl, cacheControlOf, type ReceivedResponse } from '../http/freshness.js'
import { withheldFields } from '../http/storable.js'
import { fieldsChangedSince, replyFields } from './reply-fields.js'
import type { RequestContext } from './request-context.js'
import { endToEndFields } from './stored-response.js'

/** What the handler answered. */
export interface HandlerResponse {
  readonly context: RequestContext
  /** Method of the request whose representation it describes. */
  readonly method: string
  /** With all fields, those that hooks set before the handler included. */
  readonly response: ReceivedResponse
  /** Status of the handler, also where `response` has that of the stored response which it confirms. */
  readonly originStatus: number
  /** The fields that the handler set. */
  readonly ownFields: Readonly<Record<string, FieldLines>>
  /** Names of fields that hooks set before the handler, which removed them. */
  readonly removedFields: readonly string[]
  readonly control: CacheControl
}

/** Reads what the handler has set on the reply. */
export function readHandlerResponse(context: RequestContext, now: number): HandlerResponse {
  const { reply, priorFields, requestedAt, method } = context
  const fields = replyFields(reply)
  return {
    context,
    method,
    response: { status: reply.statusCode, fields, requestedAt, receivedAt: now },
    originStatus: reply.statusCode,
    ownFields: fieldsChangedSince(reply, priorFields),
    removedFields: Object.keys(priorFields).filter((name) => !Object.hasOwn(fields, name)),
    control: cacheControlOf(fields),
  }
}

/** The fields that are stored: end-to-end, and for all clients. */
export function storableFields({ ownFields, removedFields, control }: HandlerResponse): Record<string, FieldLines> {
  const fields = endToEndFields(ownFields)
  for (const name of withheldFields(control)) delete fields[name]
  for (const name of removedFields) fields[name] ??= [] // or a hit would have them again from the hook
  return fields
}

/** Whether Node sends the fields: it throws at invalid ones, and errors of a hit have no handler. */
export function isSendable(fields: Fields): boolean {
  try {
    for (const [name, lines] of Object.entries(fields)) {
      for (const line of headerValues(lines)) validateHeaderValue(name, line)
    }
    return true
  } catch {
    return false
  }
}

/** Why the handler was asked, and what it answered. */
export function forwardStatusOf({ context, originStatus }: HandlerResponse): TierStatus {
  const { reason, bypassedBy } = context
  const forward = { forward: reason, forwardStatus: originStatus }
  return bypassedBy === undefined ? forward : { ...forward, detail: bypassedBy }
}

/** Adds the members of this cache to those of the caches behind it. RFC 9211 §2. */
export function appendCacheStatus({ context, response }: HandlerResponse, members: string): void {
  context.reply.header('cache-status', joinValues([...headerValues(response.fields['cache-status']), members]))
}
