import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ForwardReason, formatTierStatus, type TierStatus } from '../http/cache-status.js'
import type { Fields } from '../http/fields.js'
import { asksForUpgrade, hasContent, hasCredentials, hasSentCredentials } from '../http/request-fields.js'
import { fieldValues, keyedFields, type Normalise, variantValue } from '../http/vary.js'
import type { CacheContext } from '../responses/cache-context.js'
import type { RequestHook } from '../responses/cached-routes.js'
import type { InFlightRequest } from '../responses/collapsing.js'
import { dataCacheOf } from '../responses/data-cache.js'
import { type ForwardOptions, forward, onClose } from '../responses/forward.js'
import type { HookPosition } from '../responses/hook-position.js'
import { type PriorReply, PriorReplyReader, personalBy } from '../responses/prior-reply.js'
import { answerFrom } from '../responses/render.js'
import { type BypassReason, maxWaits, RequestContext } from '../responses/request-context.js'
import { sendStoredAnswer } from '../responses/send.js'
import { chooseServing, collapseKeyOf, selectVariant, sendStored, waitForResponse } from '../responses/serve-stored.js'
import type { StoredResponse } from '../responses/stored-response.js'
import { authorityOf, targetKey } from '../responses/target-key.js'
import { nonceWarning, type Warnings } from '../responses/warnings.js'
import { HookPhase } from './hook-phase.js'
import type { EdgeKey, KeyOf } from './key.js'
import { maskRequest, parseCookies } from './mask-request.js'
import type { ResolvedRoute } from './options.js'
import { PropertyMask } from './property-mask.js'

type EdgeRequest = RequestContext<EdgeKey>

interface Hit {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly key: EdgeKey
  readonly stored: StoredResponse
  readonly prior: PriorReply
  readonly now: number
}

const noNames: ReadonlySet<string> = new Set()

/** Answers the requests of one route from the cache, or forwards them to the handler. */
export class EdgeRequestHook implements RequestHook {
  position: HookPosition = 'handler'
  readonly #cache: CacheContext
  readonly #route: ResolvedRoute
  readonly #keyOf: KeyOf
  readonly #normalisers: ReadonlyMap<string, Normalise>
  readonly #hitStatus: (ttl: number) => string
  readonly #warnings: Warnings
  readonly #priorReplies = new PriorReplyReader()
  readonly #hookPhases = new WeakMap<FastifyRequest, HookPhase>()

  constructor(cache: CacheContext, route: ResolvedRoute, keyOf: KeyOf, warnings: Warnings) {
    this.#cache = cache
    this.#route = route
    this.#keyOf = keyOf
    this.#warnings = warnings
    this.#normalisers = new Map(route.vary.map(({ name, normalise }) => [name, normalise]))
    this.#hitStatus = (ttl) => formatTierStatus(cache.options.name, { hit: true, ttl })
  }

  readonly onRequest = (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void): void => {
    if (this.position === 'onRequest') {
      this.answer(request, reply, next)
      return
    }
    const phase = new HookPhase(request, dataCacheOf(request))
    this.#hookPhases.set(request, phase)
    onClose(reply, (closed) => phase.dependencies?.replyClosed(closed))
    phase.run(next)
  }

  answer(request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void): void {
    const phase = this.#hookPhases.get(request)
    const negotiatedByHooks = phase?.end() ?? noNames
    const headers = request.headers as Fields // Node has no name there without a value
    const isInvalid = Boolean(request.validationError) // with `attachValidation` the handler answers it
    const found = isInvalid ? undefined : this.#keyOf(request, phase !== undefined)
    // Validation refuses its query, or no key can contain it: the response is for this client alone.
    const key: EdgeKey = found ?? targetKey(authorityOf(request), request.raw.url ?? '/')
    const { method } = request.raw
    const isRead = method === 'GET' || method === 'HEAD'
    const prior = this.#priorReplies.read(reply)
    const bypassedBy = isRead ? this.#bypassedBy(request, headers, prior, found !== undefined) : undefined
    const keyedField = fieldValues(headers, this.#normalisers)
    if (isRead) {
      const variantOf = (name: string) => variantValue(keyedField(name))
      const stored = selectVariant(this.#cache.store, key.key, variantOf)
      const now = this.#cache.options.now()
      if (bypassedBy === undefined && stored?.isFresh(now) === true) {
        this.#sendHit({ request, reply, key, stored, prior, now })
        return
      }
    }
    const context = new RequestContext({
      request,
      reply,
      next,
      key,
      receivedFields: headers,
      fields: isRead ? keyedFields(headers, this.#normalisers, keyedField) : headers,
      bypassedBy,
      prior,
    })
    context.negotiatedBy = negotiatedByHooks
    context.dependencies = phase?.dependencies
    if (isRead) this.#lookUp(context)
    else this.#forward(context, 'method', { mayStore: false })
  }

  /** Masks what hooks may read and the handler may not. */
  beginHandler(request: FastifyRequest, reply: FastifyReply): void {
    this.#cache.forwarded.get(request)?.handlerMask?.hideUntilSent(reply)
  }

  endHandler(request: FastifyRequest): void {
    this.#cache.forwarded.get(request)?.handlerMask?.show()
  }

  #bypassedBy(request: FastifyRequest, fields: Fields, prior: PriorReply, hasKey: boolean): BypassReason | undefined {
    if (!hasKey) return 'invalid'
    const by = personalBy(prior)
    if (by === 'nonce') this.#warnings.warnOnce(nonceWarning)
    if (by !== undefined) return by
    const { bypassesCredentials, bypasses } = this.#route
    if (bypassesCredentials && (hasCredentials(fields) || hasSentCredentials(request.raw.rawHeaders))) {
      return 'credentials'
    }
    if (hasContent(fields) || asksForUpgrade(fields) || hasHttp2Content(request)) return 'content'
    return bypasses?.(request) === true ? 'option' : undefined
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
      timing: 'cache;desc=hit',
      isHeadReused: true,
      onEncoded: () => store.recomputeSize(key),
    })
    sendStoredAnswer(this.#cache, reply, { stored, answer, prior })
  }

  #lookUp(context: EdgeRequest): void {
    const { store, refreshes, options } = this.#cache
    const { key, bypassedBy } = context
    const stored = selectVariant(store, key.key, context.variantOf)
    context.stored = bypassedBy === undefined ? stored : undefined
    context.collapseKey = collapseKeyOf(store, context, this.#route.varyNames)
    if (bypassedBy !== undefined) {
      this.#forward(context, 'bypass', { mayStore: false })
      return
    }
    if (refreshes.isCurrent(context.collapseKey)) {
      this.#forward(context, 'stale')
      return
    }
    const now = options.now()
    const serving = chooseServing(this.#cache, context, { now })
    if (serving.kind !== 'stored') {
      this.#collapseOrForward(context, serving.reason)
      return
    }
    const { detail } = serving
    this.#send(context, serving.stored, now, detail === undefined ? { hit: true } : { hit: true, detail })
  }

  /** Forwards one request of a kind; the others wait for its response, if it may be theirs. */
  #collapseOrForward(context: EdgeRequest, reason: ForwardReason): void {
    const { inFlight } = this.#cache
    const { collapseKey, method, waits } = context
    const isAlone = method !== 'GET' || inFlight.isHitForMiss(collapseKey) || waits >= maxWaits
    const leader = inFlight.get(collapseKey)
    if (isAlone) this.#forward(context, reason)
    else if (leader === undefined) this.#forward(context, reason, { inFlight: inFlight.begin(collapseKey) })
    else this.#waitFor(leader, context, reason).catch(context.next)
  }

  async #waitFor(leader: InFlightRequest, context: EdgeRequest, reason: ForwardReason): Promise<void> {
    const response = await waitForResponse(this.#cache, context, leader)
    if (response === undefined) this.#lookUp(context)
    else this.#send(context, response, this.#cache.options.now(), { forward: reason, collapsed: true })
  }

  #forward(context: EdgeRequest, reason: ForwardReason, options: ForwardOptions = {}): void {
    const { request, key, fields, negotiatedBy } = context
    const prepareRequest = () => {
      context.negotiatedBy = noNames
      if (!context.mayStore) return
      context.negotiatedBy = maskRequest(request, this.#route, key, fields, negotiatedBy)
      const { maskedProperties: names } = this.#route
      const showsCookies = !names.includes('cookies') && Boolean(Reflect.get(request, 'cookies'))
      const shown = showsCookies ? { cookies: parseCookies(request, request.headers.cookie) } : {}
      const mask = new PropertyMask(request, { names, shown, query: key.validated })
      const { restoreRequest } = context
      context.handlerMask = mask
      context.restoreRequest = () => {
        mask.show()
        restoreRequest()
      }
    }
    forward(this.#cache, context, reason, options, { prepareRequest })
  }

  #send(context: EdgeRequest, stored: StoredResponse, now: number, status: TierStatus): void {
    const { name } = this.#cache.options
    sendStored(this.#cache, context, {
      stored,
      now,
      status,
      formatStatus: (ttl) => formatTierStatus(name, { ...status, ttl }),
      timing: `cache;desc=${status.detail ?? (status.collapsed === true ? 'collapsed' : 'hit')}`,
    })
  }
}

/** Whether the client has not ended its request with the fields; it need not state the length of what follows. */
function hasHttp2Content({ raw }: FastifyRequest): boolean {
  if (raw.httpVersionMajor !== 2) return false
  const stream: unknown = Reflect.get(raw, 'stream')
  return typeof stream === 'object' && stream !== null && Reflect.get(stream, 'endAfterHeaders') === false
}
