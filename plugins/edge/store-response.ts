import { advertisedInstants, cdnLifetimeFields } from '../http/cdn-fields.js'
import { entityTagOf } from '../http/conditional.js'
import { hasNonce } from '../http/csp-nonce.js'
import { isCompressible } from '../http/encoding.js'
import type { Fields } from '../http/fields.js'
import {
  allowsStale,
  capAt,
  freshnessLifetime,
  type Instants,
  instantsOf,
  statedInitialAgeMs,
} from '../http/freshness.js'
import { credentialFields } from '../http/request-fields.js'
import { notStorableReason, speaksOfRequester } from '../http/storable.js'
import { mergeVary, varyNames } from '../http/vary.js'
import type { CacheContext } from '../responses/cache-context.js'
import { type HandlerResponse, isSendable, storableFields } from '../responses/handler-response.js'
import type { RequestContext } from '../responses/request-context.js'
import { ResponseTags } from '../responses/response-tags.js'
import type { ResponseContent, RouteStorage } from '../responses/route-storage.js'
import { decideStorage, type StorageDecision, type StoragePlan } from '../responses/storage-decision.js'
import { StoredResponse } from '../responses/stored-response.js'
import { nonceWarning, type Warnings } from '../responses/warnings.js'
import { credentialVary } from './mask-request.js'
import { negotiationFields } from './negotiation.js'
import type { ResolvedRoute } from './options.js'

/** Stores the responses of a route of ours. */
export class EdgeStorage implements RouteStorage {
  readonly #cache: CacheContext
  readonly #route: ResolvedRoute
  readonly #warnings: Warnings
  readonly #tags: ResponseTags

  constructor(cache: CacheContext, route: ResolvedRoute, warnings: Warnings) {
    this.#cache = cache
    this.#route = route
    this.#warnings = warnings
    this.#tags = new ResponseTags({ ...cache.options, tagsOf: route.tagsOf, warnings })
  }

  decide(handlerResponse: HandlerResponse, content: ResponseContent): StorageDecision {
    const { context, response, ownFields, control, method } = handlerResponse
    const lifetime = freshnessLifetime(response, control, this.#route.freshness)
    // The handler received no credentials: the request had none, or they were masked.
    const request = { method, hasNoStore: false, hasAuthorization: false, hasCookie: false }
    // It may depend on the address or the rate of the client, which the key does not contain.
    const isRefusal = speaksOfRequester(response.status)
    const reason = isRefusal ? 'status' : notStorableReason(request, response, control, lifetime)
    if (reason !== undefined || lifetime === undefined) return { reason: reason ?? 'no-lifetime', cdnFields: {} }
    const ofRoute = content.knownTags ?? this.#tagsOf(context)
    const tags = ofRoute && this.#tags.complete(ofRoute, ownFields, content.dependencies?.tags ?? [])
    const unkeyed = this.#unkeyedVary(handlerResponse)
    const decision = decideStorage({
      lifetime,
      control,
      tags,
      tagFields: tags === undefined ? {} : this.#tags.fieldsOf(tags),
      hasLateTags: content.isPartial === true,
      dependencies: tags && content.dependencies?.withTags(tags),
      staleTtlMs: this.#route.staleTtlSeconds * 1_000,
      now: this.#cache.options.now(),
      isInvalidated: this.#cache.isInvalidated(context, tags ?? []),
      isTooLarge: content.bodyBytes > this.#route.maxBodyBytes || !isSendable(ownFields),
      hasUnkeyedVary: unkeyed.length > 0,
      hasNonce: hasNonce(response.fields),
    })
    if (decision.reason === 'nonce') this.#warnings.warnOnce(nonceWarning)
    if (decision.reason === 'vary') {
      this.#warnings.warnOnce(
        `a response varies by ${unkeyed.join(', ')}, which the option vary does not name: it is not stored`,
      )
    }
    return decision
  }

  async store(handlerResponse: HandlerResponse, body: Buffer, plan: StoragePlan): Promise<StoredResponse> {
    const stored = this.#toStored(handlerResponse, body, plan)
    this.#cache.endStored(handlerResponse, stored, this.#route.maxVariants)
    return stored
  }

  async remove({ key: { key } }: RequestContext, stored: StoredResponse): Promise<void> {
    this.#cache.store.remove(key, stored)
  }

  /** The function of the option `tags` sees what the handler sees. */
  #tagsOf({ request, handlerMask }: RequestContext): readonly string[] | undefined {
    return handlerMask === undefined ? this.#tags.ofRoute(request) : handlerMask.run(() => this.#tags.ofRoute(request))
  }

  #toStored(handlerResponse: HandlerResponse, body: Buffer, plan: StoragePlan): StoredResponse {
    const { lifetime, tags, dependencies, dataFreshUntil, isFromStale, cdnFields } = plan
    const { context, response, control, ownFields } = handlerResponse
    const { compress, freshness, browserTtlSeconds } = this.#route
    const isSilent = !lifetime.isExplicit && response.fields['cache-control'] === undefined
    // The handler generated it here: it is 0 s old when it is there, however long that took, unless it states another age.
    const bornAt = response.receivedAt - statedInitialAgeMs(response)
    const instants = capAt(instantsOf(bornAt, control, lifetime, freshness), dataFreshUntil)
    const names = this.#variantNames(handlerResponse)
    const fields = storableFields(handlerResponse)
    if (fields.etag === undefined) fields.etag = entityTagOf(body)
    const hasEncodings = compress && isCompressible(response.status, fields, body)
    const encodingVary = hasEncodings ? 'Accept-Encoding' : undefined
    const { constraintVary } = this.#cache
    const vary = mergeVary(ownFields.vary, names, credentialVary(this.#route), encodingVary, constraintVary)
    if (vary !== '') fields.vary = vary
    const mayBeStale = allowsStale(control)
    const advertised = advertisedInstants(instants, mayBeStale && !isFromStale ? dataInstants(plan) : undefined)
    // From stale data, whatever lifetime the handler states: it was meant for fresh data.
    const lifetimeFields =
      isSilent || isFromStale ? cdnLifetimeFields(isFromStale ? {} : fields, advertised, bornAt) : {}
    return new StoredResponse({
      status: response.status,
      fields,
      cdnFields: { ...lifetimeFields, ...cdnFields },
      body,
      bornAt,
      receivedAt: response.receivedAt,
      begunAt: response.requestedAt,
      instants,
      varyNames: names,
      varyValues: names.map(context.variantOf),
      browserTtlSeconds: isSilent ? browserTtlSeconds : undefined,
      compresses: compress,
      allowsStale: mayBeStale,
      hasOwnValidator: ownFields.etag !== undefined || ownFields['last-modified'] !== undefined,
      isDerived: dataFreshUntil < Number.POSITIVE_INFINITY,
      tags,
      dependencies,
    })
  }

  /** Names of the request fields by which variants differ: of the option `vary`, of negotiation, and of the response's `Vary`. */
  #variantNames({ context, ownFields }: HandlerResponse): string[] {
    const stated = this.#statedVary(context, ownFields)
    return [...new Set([...this.#route.varyNames, ...context.negotiatedBy, ...stated])].sort()
  }

  /** Names in the response's `Vary` that are not in the key. */
  #unkeyedVary({ context, ownFields }: HandlerResponse): string[] {
    const { varyNames, unkeyedHeaders, bypassesCredentials } = this.#route
    const bypassed = bypassesCredentials ? credentialFields : []
    const covered = new Set([...varyNames, ...unkeyedHeaders, ...negotiationFields, ...bypassed])
    return this.#statedVary(context, ownFields).filter((name) => !covered.has(name))
  }

  /** Names in `Vary` of the handler, and of hooks before it, which see all request fields. */
  #statedVary({ priorFields }: RequestContext, ownFields: Fields): string[] {
    const byHooks = varyNames({ vary: String(priorFields.vary ?? '') })
    const byFastify = this.#cache.constraintVary.map((name) => name.toLowerCase())
    // The cache encodes bodies itself, Fastify has chosen the route, and hooks set what they say of an origin in every response.
    const isIgnored = (name: string) =>
      name === 'accept-encoding' || byFastify.includes(name) || (name === 'origin' && byHooks.includes(name))
    return [...varyNames(ownFields), ...byHooks].filter(
      (name) => this.#route.unkeyedHeaders.has(name) || !isIgnored(name),
    )
  }
}

/** Until when the data that the response was rendered from are fresh, and may be stale; `undefined`: that does not limit it. */
function dataInstants({ dependencies, dataFreshUntil }: StoragePlan): Instants | undefined {
  if (dependencies === undefined || dataFreshUntil === Number.POSITIVE_INFINITY) return undefined
  const trackedAt = dataFreshUntil - dependencies.freshForMs
  return {
    freshUntil: dataFreshUntil,
    revalidateUntil: trackedAt + dependencies.revalidateForMs,
    staleUntil: trackedAt + dependencies.staleForMs,
  }
}
