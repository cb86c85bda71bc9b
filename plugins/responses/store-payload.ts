import type { Readable } from 'node:stream'
import type { CdnFields } from '../http/cdn-fields.js'
import { singleValue } from '../http/fields.js'
import { hasOriginFailed } from '../http/freshness.js'
import type { CacheContext } from './cache-context.js'
import { detachedTimeoutMs } from './handler-dependencies.js'
import type { HandlerResponse } from './handler-response.js'
import { bytesOf, discard, streamOf } from './payload.js'
import type { RouteStorage } from './route-storage.js'
import type { Unstored, UnstoredReason } from './storage-decision.js'
import type { StoredResponse } from './stored-response.js'
import { tee } from './tee.js'
import { effectOfUnstored } from './unstored-effect.js'

/** A payload is not stored, is stored, or is a stream that is stored when it ends. */
export type StorageOutcome =
  | Unstored
  | { readonly reason?: undefined; readonly stored: StoredResponse; readonly cdnFields: CdnFields }
  | {
      readonly reason?: undefined
      readonly stored?: undefined
      readonly stream: Readable
      readonly cdnFields: CdnFields
    }

/** Stores the payload, if its response is to be stored. */
export async function storePayload(
  cache: CacheContext,
  storage: RouteStorage,
  response: HandlerResponse,
  payload: unknown,
  maxBodyBytes: number,
): Promise<StorageOutcome> {
  const { context, ownFields } = response
  const body = bytesOf(payload)
  if (body !== undefined) {
    const dependencies = await context.dependencies?.readUntilEnd()
    const decision = storage.decide(response, { dependencies, bodyBytes: body.length })
    if (decision.reason !== undefined) return decision
    return { stored: await storage.store(response, body, decision), cdnFields: decision.cdnFields }
  }
  const source = streamOf(payload)
  const length = singleValue(ownFields['content-length'])
  const dependencies = await context.dependencies?.readUntilAnswer()
  const bodyBytes = length === undefined ? 0 : Number(length)
  const decision = storage.decide(response, { dependencies, bodyBytes, isPartial: true })
  if (decision.reason !== undefined) return decision
  if (source === undefined) return { reason: 'too-large', cdnFields: decision.cdnFields }
  const stream = tee(source, {
    maxBytes: maxBodyBytes,
    budget: cache.streamBudget,
    detachedTimeoutMs,
    onAbandoned: () => cache.endUnstored(context),
    onComplete: async (complete) => {
      const dependencies = await context.dependencies?.readUntilEnd()
      const last = storage.decide(response, { dependencies, bodyBytes: complete.length, knownTags: decision.tags })
      const isComplete = length === undefined || complete.length === Number(length)
      if (isComplete && last.reason === undefined) await storage.store(response, complete, last)
      else cache.endUnstored(context)
    },
  })
  if (context.isBackground) stream.destroy() // the source is read nevertheless
  return { stream, cdnFields: decision.cdnFields }
}

/** Ends the collapsing for a response that is not stored, and what it ends of the stored one. */
export async function replaceByUnstored(
  cache: CacheContext,
  storage: RouteStorage,
  { context, response }: HandlerResponse,
  { reason, isForOneClient }: { readonly reason: UnstoredReason; readonly isForOneClient: boolean },
): Promise<void> {
  const { stored, method, isBackground, collapseKey } = context
  const effect = effectOfUnstored({ method, status: response.status, reason, isForOneClient })
  if (effect.stored === 'remove' && stored !== undefined) await storage.remove(context, stored)
  if (effect.stored === 'validate') stored?.endBackgroundRefresh()
  if (isBackground && response.status === 429) cache.backoff.failed(collapseKey)
  cache.endUnstored(context, effect)
}

/** The stored response that is served instead of a failure of the origin, whose payload is discarded then. RFC 5861 §4. */
export function storedInsteadOfFailure(
  cache: CacheContext,
  { context, response }: HandlerResponse,
  payload: unknown,
): StoredResponse | undefined {
  const { stored } = context
  if (stored === undefined || !hasOriginFailed(response.status)) return undefined
  cache.backoff.failed(context.collapseKey)
  if (!stored.mayBeStale(response.receivedAt, stored.instants.staleUntil, true)) return undefined
  discard(payload)
  cache.endUnstored(context)
  return stored
}
