import { allowsStale, capAt, correctedInitialAgeMs, freshnessLifetime, instantsOf } from '../http/freshness.js'
import { hasNoStore } from '../http/request-fields.js'
import { notStorableReason } from '../http/storable.js'
import { mergeVary, varyNames } from '../http/vary.js'
import { type HandlerResponse, isSendable, storableFields } from '../responses/handler-response.js'
import type { RequestContext } from '../responses/request-context.js'
import { ResponseTags } from '../responses/response-tags.js'
import type { ResponseContent, RouteStorage } from '../responses/route-storage.js'
import { decideStorage, type StorageDecision, type StoragePlan } from '../responses/storage-decision.js'
import { StoredResponse } from '../responses/stored-response.js'
import type { Warnings } from '../responses/warnings.js'
import { raceTimeout } from '../timeout.js'
import type { ResolvedRoute } from './options.js'
import type { ProxyCacheContext } from './proxy-cache-context.js'
import { sentAsReceived } from './shared-entry.js'

/** Milliseconds that a response waits for its write to the shared store, where the next request may look for it. */
const sharedWriteTimeoutMs = 300

/** Stores the responses of a route that forwards. */
export class ProxyCacheStorage implements RouteStorage {
  readonly #cache: ProxyCacheContext
  readonly #route: ResolvedRoute
  readonly #tags: ResponseTags

  constructor(cache: ProxyCacheContext, route: ResolvedRoute, warnings: Warnings) {
    this.#cache = cache
    this.#route = route
    this.#tags = new ResponseTags({ ...cache.options, tagsOf: route.tagsOf, warnings })
  }

  decide(handlerResponse: HandlerResponse, content: ResponseContent): StorageDecision {
    const { context, response, ownFields, control, method } = handlerResponse
    const { fields } = context
    const lifetime = freshnessLifetime(response, control, this.#route.freshness)
    const request = {
      method,
      hasNoStore: this.#route.honorsRequestCacheControl && hasNoStore(fields),
      hasAuthorization: fields.authorization !== undefined,
      hasCookie: fields.cookie !== undefined,
    }
    const reason = notStorableReason(request, response, control, lifetime, this.#route.freshness.staleWithSMaxage)
    if (reason !== undefined || lifetime === undefined) return { reason: reason ?? 'no-lifetime', cdnFields: {} }
    const ofRoute = content.knownTags ?? this.#tags.ofRoute(context.request)
    const tags = ofRoute && this.#tags.complete(ofRoute, ownFields, content.dependencies?.tags ?? [])
    const dependencies = tags && content.dependencies?.withTags(tags)
    return decideStorage({
      lifetime,
      control,
      tags,
      tagFields: tags === undefined ? {} : this.#tags.fieldsOf(tags),
      hasLateTags: false, // the other server's header fields are complete
      dependencies,
      staleTtlMs: 0, // the other server decides
      now: this.#cache.options.now(),
      isInvalidated: this.#isInvalidated(context, { tags: tags ?? [], dependencies }),
      isTooLarge: content.bodyBytes > this.#route.maxBodyBytes || !isSendable(ownFields),
      hasUnkeyedVary: false, // the response says itself by what it varies
      hasNonce: false, // the other server has decided to let caches store it
    })
  }

  async store(handlerResponse: HandlerResponse, body: Buffer, plan: StoragePlan): Promise<StoredResponse> {
    const { context } = handlerResponse
    const { shared, inFlight } = this.#cache
    const { maxVariants, isShared } = this.#route
    const made = this.#toStored(handlerResponse, body, plan)
    const write = isShared && !made.isDerived ? shared?.put(context.key, made, this.#route) : undefined
    const stored = (write && (await raceTimeout(write, sharedWriteTimeoutMs))?.value) ?? made
    if (this.#isInvalidated(context, plan)) {
      await this.remove(context, stored) // its target was changed during the write
      inFlight.end(context.inFlight, undefined)
      return stored
    }
    this.#cache.endStored(handlerResponse, stored, maxVariants)
    return stored
  }

  async remove({ key: { key } }: RequestContext, stored: StoredResponse): Promise<void> {
    this.#cache.store.remove(key, stored)
    if (this.#route.isShared) await this.#cache.shared?.remove(key, stored)
  }

  /** Whether the response was invalidated since the request, here or in another process. RFC 9111 §4.4. */
  #isInvalidated(context: RequestContext, { tags, dependencies }: Pick<StoragePlan, 'tags' | 'dependencies'>): boolean {
    if (this.#cache.isInvalidated(context, tags)) return true
    const { shared } = this.#cache
    return (
      this.#route.isShared && dependencies !== undefined && shared?.isInvalidated(context.key, dependencies) === true
    )
  }

  #toStored(handlerResponse: HandlerResponse, body: Buffer, plan: StoragePlan): StoredResponse {
    const { lifetime, tags, dependencies, dataFreshUntil, cdnFields } = plan
    const { context, response, control, ownFields } = handlerResponse
    const { freshness, varyNames: routeVary } = this.#route
    const names = [...new Set([...routeVary, ...varyNames(response.fields)])].sort()
    const bornAt = response.receivedAt - correctedInitialAgeMs(response)
    const fields = storableFields(handlerResponse)
    const addedVary = [...routeVary, ...this.#cache.constraintVary]
    return new StoredResponse({
      status: response.status,
      fields,
      cdnFields: addedVary.length === 0 ? cdnFields : { ...cdnFields, vary: mergeVary(ownFields.vary, addedVary) },
      body,
      bornAt,
      receivedAt: response.receivedAt,
      instants: capAt(instantsOf(bornAt, control, lifetime, freshness), dataFreshUntil),
      varyNames: names,
      varyValues: names.map(context.variantOf),
      ...sentAsReceived,
      allowsStale: allowsStale(control, freshness.staleWithSMaxage),
      hasOwnValidator: ownFields.etag !== undefined || ownFields['last-modified'] !== undefined,
      isDerived: dataFreshUntil < Number.POSITIVE_INFINITY,
      tags,
      dependencies,
    })
  }
}
