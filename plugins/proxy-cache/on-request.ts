import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ForwardReason, formatTierStatus, type TierStatus } from '../http/cache-status.js'
import type { Fields } from '../http/fields.js'
import { isSafe } from '../http/methods.js'
import { requestDirectivesOf } from '../http/request-directives.js'
import {
  connectionListsFields,
  forwardedFields,
  hasNoStore,
  hasOriginConditions,
  isPartialRequest,
  withoutConditions,
} from '../http/request-fields.js'
import { hasRequestOverride } from '../http/target-overrides.js'
import { fieldValues, keyedFields, type Normalise, variantValue } from '../http/vary.js'
import type { RequestHook } from '../responses/cached-routes.js'
import type { InFlightRequest } from '../responses/collapsing.js'
import { dataCacheOf } from '../responses/data-cache.js'
import { type ForwardOptions, forward, onClose } from '../responses/forward.js'
import { HandlerDependencies } from '../responses/handler-dependencies.js'
import type { HookPosition } from '../responses/hook-position.js'
import { type PriorReply, PriorReplyReader, personalBy } from '../responses/prior-reply.js'
import { answerFrom } from '../responses/render.js'
import { type BypassReason, maxWaits, RequestContext } from '../responses/request-context.js'
import { showFields } from '../responses/request-view.js'
import { sendStoredAnswer } from '../responses/send.js'
import { chooseServing, collapseKeyOf, selectVariant, sendStored, waitForResponse } from '../responses/serve-stored.js'
import type { StoredResponse } from '../responses/stored-response.js'
import type { RequestKey } from '../responses/target-key.js'
import { nonceWarning, type Warnings } from '../responses/warnings.js'
import { OnlyIfCached } from './errors.js'
import type { ResolvedRoute } from './options.js'
import type { ProxyCacheContext } from './proxy-cache-context.js'

/** What was found in the shared store. */
interface SharedResult {
  /** Whether the stored response is from there. */
  readonly isFromShared: boolean
  /** Whether it has any response of the resource. */
  readonly hasVariants: boolean
}

interface Hit {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly key: RequestKey
  readonly stored: StoredResponse
  readonly prior: PriorReply
  readonly now: number
}

/** Answers the requests of one route from the cache, or forwards them to the other server. */
export class ProxyCacheRequestHook implements RequestHook {
  position: HookPosition = 'handler'
  readonly #cache: ProxyCacheContext
  readonly #route: ResolvedRoute
  readonly #keyOf: (request: FastifyRequest) => RequestKey
  readonly #normalisers: ReadonlyMap<string, Normalise>
  readonly #hitStatus: (ttl: number) => string
  readonly #warnings: Warnings
  readonly #priorReplies = new PriorReplyReader()
  /** What hooks read from the data cache, where the request is answered in the handler's place. */
  readonly #hookDependencies = new WeakMap<FastifyRequest, HandlerDependencies>()

  constructor(
    cache: ProxyCacheContext,
    route: ResolvedRoute,
    keyOf: (request: FastifyRequest) => RequestKey,
    warnings: Warnings,
  ) {
    this.#cache = cache
    this.#route = route
    this.#keyOf = keyOf
    this.#warnings = warnings
    this.#normalisers = new Map(route.vary.map(({ name, normalise }) => [name, normalise]))
    this.#hitStatus = (ttl) => formatTierStatus(cache.options.name, { hit: true, ttl })
  }

  readonly onRequest = (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void): void => {
    const dataCache = dataCacheOf(request)
    if (this.position === 'onRequest') {
      this.answer(request, reply, next)
    } else if (dataCache === undefined) {
      next()
    } else {
      const dependencies = new HandlerDependencies(dataCache)
      this.#hookDependencies.set(request, dependencies)
      onClose(reply, (closed) => dependencies.replyClosed(closed))
      dependencies.run(next)
    }
  }

  answer(request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void): void {
    if (request.validationError) {
      next() // with `attachValidation` the handler answers it
      return
    }
    const key = this.#keyOf(request)
    const headers = request.headers as Fields // Node has no name there without a value
    const { method } = request.raw
    const isRead = method === 'GET' || method === 'HEAD'
    const prior = this.#priorReplies.read(reply)
    const bypassedBy = isRead ? this.#bypassedBy(request, headers, prior) : undefined
    if (isRead) {
      const keyedField = fieldValues(headers, this.#normalisers)
      const variantOf = (name: string) => variantValue(keyedField(name))
      const stored = selectVariant(this.#cache.store, key.key, variantOf)
      const now = this.#cache.options.now()
      if (bypassedBy === undefined && stored?.isFresh(now) === true && this.#isPlain(headers)) {
        this.#sendHit({ request, reply, key, stored, prior, now })
        return
      }
    }
    const receivedFields = isRead ? forwardedFields(headers) : headers
    const fields = isRead ? keyedFields(receivedFields, this.#normalisers) : headers
    const context = new RequestContext({ request, reply, next, key, receivedFields, fields, bypassedBy, prior })
    context.dependencies = this.#hookDependencies.get(request)
    if (isRead) this.#lookUp(context)
    else this.#forward(context, 'method', { mayStore: false })
  }

  #bypassedBy(request: FastifyRequest, fields: Fields, prior: PriorReply): BypassReason | undefined {
    const by = personalBy(prior)
    if (by === 'nonce') this.#warnings.warnOnce(nonceWarning)
    if (by !== undefined) return by
    if (hasRequestOverride(fields)) return 'override'
    return this.#route.bypasses?.(request) === true ? 'option' : undefined
  }

  /** Whether a fresh response is all that the request asks for. */
  #isPlain(fields: Fields): boolean {
    const hasDirectives = fields['cache-control'] !== undefined || fields.pragma !== undefined
    if (this.#route.honorsRequestCacheControl && hasDirectives) return false
    return !connectionListsFields(fields.connection) && !hasOriginConditions(fields)
  }

  #sendHit({ request, reply, key: { key }, stored, prior, now }: Hit): void {
    const { counters, store } = this.#cache
    counters.requests.hit += 1
    const answer = answerFrom({
      stored,
      method: request.raw.method ?? 'GET',
      fields: request.headers as Fields, // as above
      now,
      formatStatus: this.#hitStatus,
      timing: undefined,
      isHeadReused: true,
      onEncoded: () => store.recomputeSize(key),
    })
    sendStoredAnswer(this.#cache, reply, { stored, answer, prior })
  }

  /** `shared`: what the shared store has, once it has been asked. */
  #lookUp(context: RequestContext, shared?: SharedResult): void {
    const { store, refreshes } = this.#cache
    const { key, bypassedBy, fields } = context
    const isShared = this.#route.isShared && this.#cache.shared !== undefined
    const stored = selectVariant(store, key.key, context.variantOf)
    context.stored = bypassedBy === undefined ? stored : undefined
    context.collapseKey = collapseKeyOf(store, context, this.#route.varyNames)
    if (bypassedBy !== undefined) {
      this.#forward(context, 'bypass', { mayStore: false })
    } else if (refreshes.isCurrent(context.collapseKey)) {
      this.#forward(context, 'stale')
    } else if (hasOriginConditions(fields)) {
      context.stored = undefined
      this.#forward(context, 'request', { mayStore: false })
    } else if (isShared && shared === undefined && isUnverified(stored)) {
      this.#askShared(context, stored).catch(context.next)
    } else {
      this.#answerOrForward(context, shared)
    }
  }

  async #askShared(context: RequestContext, stored: StoredResponse | undefined): Promise<void> {
    const { options, shared, store } = this.#cache
    const { key, path } = context.key
    const requestedAt = options.now()
    const { found, hasVariants = false } = (await shared?.get(key, context.variantOf, this.#route)) ?? {}
    if (stored !== undefined) store.remove(key, stored)
    if (found !== undefined) store.put(key, path, found, { maxVariants: this.#route.maxVariants, requestedAt })
    this.#lookUp(context, { isFromShared: found !== undefined, hasVariants })
  }

  #answerOrForward(context: RequestContext, shared: SharedResult | undefined): void {
    const now = this.#cache.options.now()
    const directives = this.#route.honorsRequestCacheControl ? requestDirectivesOf(context.fields) : undefined
    const hasVariants = shared?.hasVariants === true
    const serving = chooseServing(this.#cache, context, { now, directives, hasVariants })
    if (serving.kind === 'stored') {
      const { stored, detail } = serving
      this.#send(context, stored, now, detail === undefined ? { hit: true } : { hit: true, detail }, shared)
    } else if (serving.kind === 'unavailable') {
      context.next(new OnlyIfCached())
    } else {
      this.#collapseOrForward(context, serving.reason, shared)
    }
  }

  /** Forwards one request of a kind; the others wait for its response, if it may be theirs. */
  #collapseOrForward(context: RequestContext, reason: ForwardReason, shared: SharedResult | undefined): void {
    const { inFlight } = this.#cache
    const { method, waits, stored, fields } = context
    const name = context.collapseKey + this.#collapseSuffix(fields)
    const isAlone =
      method !== 'GET' ||
      inFlight.isHitForMiss(name) ||
      waits >= maxWaits ||
      (isPartialRequest(fields) && stored === undefined)
    const leader = inFlight.get(name)
    if (isAlone) this.#forward(context, reason)
    else if (leader === undefined) this.#forward(context, reason, { inFlight: inFlight.begin(name) })
    else this.#waitFor(leader, context, reason, shared).catch(context.next)
  }

  async #waitFor(
    leader: InFlightRequest,
    context: RequestContext,
    reason: ForwardReason,
    shared: SharedResult | undefined,
  ): Promise<void> {
    const response = await waitForResponse(this.#cache, context, leader)
    const { options } = this.#cache
    if (response === undefined) this.#lookUp(context, shared)
    else this.#send(context, response, options.now(), { forward: reason, collapsed: true }, shared)
  }

  /** Requests whose response may not be storable are collapsed by themselves: theirs says nothing of the others. */
  #collapseSuffix(fields: Fields): string {
    const present = ['authorization', 'cookie', 'range'].filter((name) => fields[name] !== undefined)
    return `\n${present}${this.#route.honorsRequestCacheControl && hasNoStore(fields) ? ' no-store' : ''}`
  }

  #forward(context: RequestContext, reason: ForwardReason, options: ForwardOptions = {}): void {
    const { request, method, fields, receivedFields } = context
    const prepareRequest = () => {
      if (!isSafe(method)) return // Fastify still reads the framing fields of a request with a body
      const forwarded = forwardedFields(context.mayStore ? fields : receivedFields)
      showFields(request, context.isValidating ? withoutConditions(forwarded) : forwarded)
    }
    // A client that leaves may take the request to the other server with it: another request is to be forwarded.
    const onClientLeft = () => this.#cache.inFlight.abandon(context.inFlight)
    forward(this.#cache, context, reason, options, { prepareRequest, onClientLeft })
  }

  #send(
    context: RequestContext,
    stored: StoredResponse,
    now: number,
    status: TierStatus,
    shared: SharedResult | undefined,
  ): void {
    const { options } = this.#cache
    const isFromShared = shared?.isFromShared === true
    const inMemory: TierStatus = isFromShared ? { forward: 'uri-miss', stored: true } : status
    sendStored(this.#cache, context, {
      stored,
      now,
      status,
      formatStatus: (ttl) => {
        const member = formatTierStatus(options.name, { ...inMemory, ttl })
        return isFromShared ? `${formatTierStatus(`${options.name}-Redis`, { ...status, ttl })}, ${member}` : member
      },
      timing: undefined,
    })
  }
}

/** Whether the shared store may have another response than the one in memory. */
function isUnverified(stored: StoredResponse | undefined): boolean {
  return stored === undefined || (!stored.isDerived && stored.dependencies?.isCurrent() === false)
}
