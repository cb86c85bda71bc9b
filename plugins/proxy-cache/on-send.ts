import { formatTierStatus, type TierStatus } from '../http/cache-status.js'
import { hopByHopFilter } from '../http/fields.js'
import { hasCredentials, hasNoStore } from '../http/request-fields.js'
import { mergeVary } from '../http/vary.js'
import {
  appendCacheStatus,
  forwardStatusOf,
  type HandlerResponse,
  readHandlerResponse,
} from '../responses/handler-response.js'
import { discard, drain } from '../responses/payload.js'
import { fieldsChangedSince } from '../responses/reply-fields.js'
import type { RequestContext } from '../responses/request-context.js'
import { respondConditionally, respondWithStored } from '../responses/respond.js'
import type { Respond } from '../responses/response-hook.js'
import { confirmStored, learnFromHead } from '../responses/revalidation.js'
import { replaceByUnstored, storedInsteadOfFailure, storePayload } from '../responses/store-payload.js'
import type { StoredResponse } from '../responses/stored-response.js'
import type { Warnings } from '../responses/warnings.js'
import type { ResolvedRoute } from './options.js'
import type { ProxyCacheContext } from './proxy-cache-context.js'
import { ProxyCacheStorage } from './store-response.js'

/** Stores what the other server sends to one route. */
export class ProxyCacheResponder {
  readonly #cache: ProxyCacheContext
  readonly #route: ResolvedRoute
  readonly #storage: ProxyCacheStorage

  constructor(cache: ProxyCacheContext, route: ResolvedRoute, warnings: Warnings) {
    this.#cache = cache
    this.#route = route
    this.#storage = new ProxyCacheStorage(cache, route, warnings)
  }

  readonly respond: Respond = (context, payload) => this.#respond(context, payload).finally(context.restoreRequest)

  async #respond(context: RequestContext, payload: unknown): Promise<unknown> {
    const { options } = this.#cache
    this.#dropConnectionFields(context)
    const handlerResponse = readHandlerResponse(context, options.now())
    const { response, ownFields } = handlerResponse
    const { stored, method } = context
    if (context.isValidating && response.status === 304 && stored !== undefined) {
      discard(payload)
      const confirmation = await confirmStored(this.#cache, this.#storage, handlerResponse, stored, ownFields)
      return this.#respondWithStored(confirmation.response, confirmation.stored, confirmation.status)
    }
    const staleIfError = storedInsteadOfFailure(this.#cache, handlerResponse, payload)
    if (staleIfError !== undefined) {
      return this.#respondWithStored(handlerResponse, staleIfError, { detail: 'stale-if-error' })
    }
    if (!context.mayStore) {
      this.#cache.endUnstored(context)
      return this.#passOn(handlerResponse, payload)
    }
    if (method === 'HEAD') await learnFromHead(this.#cache, this.#storage, handlerResponse, ownFields)
    // Fastify does not wait for the end of a 204, which has no content: it is to be stored before it is sent.
    return this.#storeAndPassOn(handlerResponse, response.status === 204 ? drain(payload) : payload)
  }

  async #storeAndPassOn(handlerResponse: HandlerResponse, payload: unknown): Promise<unknown> {
    const { context, response } = handlerResponse
    const { maxBodyBytes, honorsRequestCacheControl } = this.#route
    const outcome = await storePayload(this.#cache, this.#storage, handlerResponse, payload, maxBodyBytes)
    if (outcome.reason !== undefined) {
      const { reason } = outcome
      const isForOneClient = hasCredentials(context.fields) || (honorsRequestCacheControl && hasNoStore(context.fields))
      await replaceByUnstored(this.#cache, this.#storage, handlerResponse, { reason, isForOneClient })
      context.reply.headers(outcome.cdnFields)
      return this.#passOn(handlerResponse, context.isBackground ? discard(payload) : payload, { detail: reason })
    }
    context.reply.headers(outcome.cdnFields)
    if (outcome.stored !== undefined) {
      return this.#passOn(handlerResponse, payload, { ttl: outcome.stored.ttlAt(response.receivedAt), stored: true })
    }
    return this.#passOn(handlerResponse, context.isBackground ? '' : outcome.stream, { stored: true })
  }

  /** Sends what the other server sends. */
  #passOn(handlerResponse: HandlerResponse, payload: unknown, status: TierStatus = {}): unknown {
    const { context, response } = handlerResponse
    const addedVary = [...this.#route.varyNames, ...this.#cache.constraintVary]
    appendCacheStatus(handlerResponse, this.#formatStatus(handlerResponse, status))
    if (addedVary.length > 0) context.reply.header('vary', mergeVary(response.fields.vary, addedVary))
    // Without a validation the other server has compared the conditions of the client.
    return context.isValidating ? respondConditionally(handlerResponse, payload, { compresses: false }) : payload
  }

  /** Sends a stored response in the place of what the other server sent. */
  #respondWithStored(handlerResponse: HandlerResponse, stored: StoredResponse, status: TierStatus): unknown {
    return respondWithStored(this.#cache, handlerResponse, stored, {
      status,
      formatStatus: (ttl) => this.#formatStatus(handlerResponse, { ...status, ttl }),
      timing: undefined,
    })
  }

  #formatStatus(handlerResponse: HandlerResponse, status: TierStatus): string {
    const { shared, options } = this.#cache
    const { name } = options
    const complete = { ...forwardStatusOf(handlerResponse), ...status }
    const member = formatTierStatus(name, complete)
    const hasAskedShared = this.#route.isShared && shared !== undefined && handlerResponse.context.mayStore
    return hasAskedShared ? `${formatTierStatus(`${name}-Redis`, complete)}, ${member}` : member
  }

  /** Fields of the connection to the other server end here. RFC 9110 §7.6.1. */
  #dropConnectionFields({ request, reply, priorFields }: RequestContext): void {
    const fields = fieldsChangedSince(reply, priorFields)
    const isHopByHop = hopByHopFilter(fields.connection)
    for (const name of Object.keys(fields)) if (isHopByHop(name)) reply.removeHeader(name)
    if (this.#cache.isClosing && request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
  }
}
