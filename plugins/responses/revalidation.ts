import type { TierStatus } from '../http/cache-status.js'
import { describesOtherRepresentation } from '../http/conditional.js'
import { type Fields, singleValue } from '../http/fields.js'
import { cacheControlOf } from '../http/freshness.js'
import type { CacheContext } from './cache-context.js'
import type { HandlerResponse } from './handler-response.js'
import type { RouteStorage } from './route-storage.js'
import { type StoredResponse, updatedFields } from './stored-response.js'

/** What a 304 is answered with. */
export interface Confirmation {
  readonly response: HandlerResponse
  readonly stored: StoredResponse
  readonly status: TierStatus
}

/** A 304 confirms the stored response, whose fields it updates. RFC 9111 §4.3.4. */
export async function confirmStored(
  cache: CacheContext,
  storage: RouteStorage,
  response: HandlerResponse,
  stored: StoredResponse,
  newFields: Fields,
): Promise<Confirmation> {
  const { context } = response
  if (describesOtherRepresentation(response.response.fields, stored.fields)) {
    await storage.remove(context, stored)
    cache.endUnstored(context)
    return { response, stored, status: {} } // it is all there is to answer with
  }
  return updateStored(cache, storage, response, stored, newFields)
}

/**
 * A response to HEAD describes what a GET would get: it updates the stored response of the same representation, and removes that of
 * another one. RFC 9111 §4.3.5.
 */
export async function learnFromHead(
  cache: CacheContext,
  storage: RouteStorage,
  response: HandlerResponse,
  newFields: Fields,
): Promise<void> {
  const { context } = response
  const { status, fields } = response.response
  const { stored } = context
  if (stored === undefined || status !== 200) return
  const validators = ['etag', 'last-modified'].filter((name) => fields[name] !== undefined)
  const isSame = validators.every((name) => String(fields[name]) === String(stored.fields[name]))
  const length = singleValue(fields['content-length'])
  const hasSameLength = length === undefined || Number(length) === stored.body.length
  if (!isSame || !hasSameLength) await storage.remove(context, stored)
  else if (validators.length > 0) await updateStored(cache, storage, { ...response, method: 'GET' }, stored, newFields)
}

/** Stores the response again with updated fields; removes it where they forbid storing. RFC 9111 §3.2. */
async function updateStored(
  cache: CacheContext,
  storage: RouteStorage,
  response: HandlerResponse,
  stored: StoredResponse,
  newFields: Fields,
): Promise<Confirmation> {
  const { context } = response
  const fields = updatedFields(stored.fields, newFields)
  const updated: HandlerResponse = {
    ...response,
    response: { ...response.response, status: stored.status, fields },
    ownFields: fields,
    control: cacheControlOf(fields),
  }
  const dependencies = await context.dependencies?.readUntilEnd()
  const decision = storage.decide(updated, { dependencies, bodyBytes: stored.body.length })
  if (decision.reason === undefined) {
    return { response: updated, stored: await storage.store(updated, stored.body, decision), status: { stored: true } }
  }
  await storage.remove(context, stored)
  cache.endUnstored(context)
  return { response: updated, stored, status: { detail: decision.reason } }
}
