import { EventEmitter } from 'node:events'
import { formatTierStatus, type TierStatus } from '../http/cache-status.js'
import { unstoredFields } from '../http/cdn-fields.js'
import { entityTagOf } from '../http/conditional.js'
import { type FieldLines, headerValues, joinValues } from '../http/fields.js'
import { renewsCookies } from '../http/request-fields.js'
import { mergeVary } from '../http/vary.js'
import type { CacheContext } from '../responses/cache-context.js'
import {
  appendCacheStatus,
  forwardStatusOf,
  type HandlerResponse,
  readHandlerResponse,
} from '../responses/handler-response.js'
import { bytesOf, discard, drain } from '../responses/payload.js'
import type { RequestContext } from '../responses/request-context.js'
import { respondConditionally, respondWithStored } from '../responses/respond.js'
import type { Respond } from '../responses/response-hook.js'
import { confirmStored, learnFromHead } from '../responses/revalidation.js'
import { replaceByUnstored, storedInsteadOfFailure, storePayload } from '../responses/store-payload.js'
import type { StoredResponse } from '../responses/stored-response.js'
import type { Warnings } from '../responses/warnings.js'
import { credentialVary } from './mask-request.js'
import type { ResolvedRoute } from './options.js'
import { EdgeStorage } from './store-response.js'

/** Stores what the handlers of one route send, and completes its header fields. */
export class EdgeResponder {
  readonly #cache: CacheContext
  readonly #route: ResolvedRoute
  readonly #storage: EdgeStorage

  constructor(cache: CacheContext, route: ResolvedRoute, warnings: Warnings) {
    this.#cache = cache
    this.#route = route
    this.#storage = new EdgeStorage(cache, route, warnings)
  }

  readonly respond: Respond = (context, payload) => {
    // The code behind a stream may read the request until its end.
    const isStream = payload instanceof EventEmitter
    if (isStream) {
      context.handlerMask?.hide()
      payload.once('end', context.restoreRequest).once('close', context.restoreRequest)
    }
    return this.#respond(context, payload).finally(isStream ? undefined : context.restoreRequest)
  }

  async #respond(context: RequestContext, payload: unknown): Promise<unknown> {
    const { options } = this.#cache
    const handlerResponse = this.#withoutRenewedCookies(readHandlerResponse(context, options.now()))
    const { response } = handlerResponse
    const { stored, method } = context
    if (context.isValidating && response.status === 304 && stored !== undefined) {
      discard(payload)
      const newFields = withoutContentType(handlerResponse)
      const confirmation = await confirmStored(this.#cache, this.#storage, handlerResponse, stored, newFields)
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
    if (method === 'HEAD') {
      await learnFromHead(this.#cache, this.#storage, handlerResponse, withoutContentType(handlerResponse))
    }
    // Fastify does not wait for the end of a 204, which has no content: it is to be stored before it is sent.
    return this.#storeOrPassOn(handlerResponse, response.status === 204 ? drain(payload) : payload)
  }

  /**
   * A session plugin that extends a cookie of a request, whose cookies the handler could not read, says nothing about the
   * response.
   */
  #withoutRenewedCookies(handlerResponse: HandlerResponse): HandlerResponse {
    const { context, response, ownFields } = handlerResponse
    const setCookie = response.fields['set-cookie']
    if (this.#route.bypassesCredentials || !renewsCookies(setCookie, context.receivedFields.cookie))
      return handlerResponse
    const { 'set-cookie': _renewed, ...fields } = response.fields
    const { 'set-cookie': _own, ...others } = ownFields
    return { ...handlerResponse, response: { ...response, fields }, ownFields: others }
  }

  async #storeOrPassOn(handlerResponse: HandlerResponse, payload: unknown): Promise<unknown> {
    const { context } = handlerResponse
    const { maxBodyBytes } = this.#route
    const outcome = await storePayload(this.#cache, this.#storage, handlerResponse, payload, maxBodyBytes)
    if (outcome.reason !== undefined) {
      const { reason } = outcome
      await replaceByUnstored(this.#cache, this.#storage, handlerResponse, { reason, isForOneClient: false })
      context.reply.headers(outcome.cdnFields)
      return this.#passOn(handlerResponse, context.isBackground ? discard(payload) : payload, { detail: reason })
    }
    if (outcome.stored !== undefined) {
      return this.#respondWithStored(handlerResponse, outcome.stored, { stored: true })
    }
    context.reply.headers(outcome.cdnFields)
    return this.#passOn(handlerResponse, context.isBackground ? '' : outcome.stream, { stored: true })
  }

  /** Sends what the handler sends. */
  #passOn(handlerResponse: HandlerResponse, payload: unknown, status: TierStatus = {}): unknown {
    const { method } = handlerResponse.context
    appendCacheStatus(handlerResponse, this.#formatStatus(handlerResponse, status))
    if (method === 'GET' || method === 'HEAD') this.#completeFields(handlerResponse, payload, status.stored === true)
    return respondConditionally(handlerResponse, payload, { compresses: this.#route.compress })
  }

  /** A response that is not stored can be validated too, and caches in front do not store it either. */
  #completeFields({ context, response }: HandlerResponse, payload: unknown, isStored: boolean): void {
    const { reply, reason } = context
    const { fields, status } = response
    const body = bytesOf(payload)
    const isWhole = status === 200 && body !== undefined && body.length > 0
    if (isWhole && fields.etag === undefined) reply.header('etag', entityTagOf(body))
    const isPersonal = reason === 'bypass' || reply.hasHeader('set-cookie')
    if (!isStored || isPersonal || fields['cache-control'] === undefined) {
      reply.headers(unstoredFields(fields, { isPersonal }))
    }
    const { constraintVary } = this.#cache
    const routeVary = [...this.#route.varyNames, ...context.negotiatedBy, ...credentialVary(this.#route)]
    const vary = mergeVary(fields.vary, routeVary, constraintVary)
    if (vary !== '') reply.header('vary', vary)
    reply.header('server-timing', joinValues([...headerValues(fields['server-timing']), this.#timingOf(context)]))
  }

  /** Sends a stored response in the place of what the handler sent. */
  #respondWithStored(handlerResponse: HandlerResponse, stored: StoredResponse, status: TierStatus): unknown {
    return respondWithStored(this.#cache, handlerResponse, stored, {
      status,
      formatStatus: (ttl) => this.#formatStatus(handlerResponse, { ...status, ttl }),
      timing: this.#timingOf(handlerResponse.context),
    })
  }

  #formatStatus(handlerResponse: HandlerResponse, status: TierStatus): string {
    return formatTierStatus(this.#cache.options.name, { ...forwardStatusOf(handlerResponse), ...status })
  }

  #timingOf({ reason, requestedAt }: RequestContext): string {
    return `cache;desc=${reason}, origin;dur=${this.#cache.options.now() - requestedAt}`
  }
}

/** Fastify gives a response without content a type nevertheless, which says nothing of the stored one. */
function withoutContentType({ ownFields }: HandlerResponse): Readonly<Record<string, FieldLines>> {
  const { 'content-type': _type, ...others } = ownFields
  return others
}
