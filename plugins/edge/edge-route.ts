import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { type ForwardReason, formatTierStatus, type TierStatus } from '../http/cache-status.js'
import { type Fields, headerValues, ownField } from '../http/fields.js'
import { isSafe } from '../http/methods.js'
import { requestDirectivesOf } from '../http/request-directives.js'
import {
  connectionListsFields,
  forwardedFields,
  hasCredentials,
  hasNoStore,
  hasOriginConditions,
  isCredential,
  isPartialRequest,
  validationConditions,
  withoutClientHeaders,
  withoutConditions,
} from '../http/request-fields.js'
import { keyedFields, type Normalise, normaliseField, variantValue } from '../http/vary.js'
import { canBeRepeated } from '../responses/background-refresh.js'
import type { InFlightRequest } from '../responses/collapsing.js'
import { answerFrom } from '../responses/render.js'
import { decideReuse, type ReuseDecision } from '../responses/reuse.js'
import { sendAnswer } from '../responses/send.js'
import type { StoredResponse } from '../responses/stored-response.js'
import { Collecting } from './collecting.js'
import type { EdgeParts } from './edge-parts.js'
import { OnlyIfCached } from './errors.js'
import { HookPhase } from './hook-phase.js'
import type { HookPosition } from './hook-position.js'
import type { KeyOf, RequestKey } from './key.js'
import type { ResolvedRoute } from './options.js'
import { cover, remember, showFields } from './visible-headers.js'

/** A request that no stored response answers at once. */
interface Pending {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Passes it on to the handler. */
  readonly pass: (error?: Error) => void
  readonly asked: RequestKey
  /** Request fields as they were received; on a route that forwards, without those of the connection. */
  readonly received: Fields
  /** The same with the values that the key contains. */
  readonly fields: Fields
  readonly isBypassed: boolean
  /** Where the request is answered in the handler's place. */
  readonly phase: HookPhase | undefined
  /** Request fields that hooks have chosen a representation by. */
  readonly chosenBefore: ReadonlySet<string>
  /** Times that it has waited for another request. */
  readonly waits: number
  readonly hasAskedShared: boolean
  readonly isFromShared: boolean
  /** Whether the shared store has any response of the resource. */
  readonly isKnown: boolean
}

/** A request on its way to the handler. */
interface Making {
  readonly reason: ForwardReason
  readonly stored?: StoredResponse | undefined
  readonly flight?: InFlightRequest
  readonly mayKeep?: boolean
}

/** Times that a request waits for others at most: for one, and then for one of the same variant. */
const maxWaits = 2
const noNames: ReadonlySet<string> = new Set()

/** The requests of one route: which of them a stored response answers, and what the handler gets to see of the others. */
export class EdgeRoute {
  readonly #parts: EdgeParts
  readonly #route: ResolvedRoute
  readonly #keyOf: KeyOf
  readonly #normalisers: ReadonlyMap<string, Normalise>
  readonly #hitStatus: (ttl: number) => string
  readonly #hitTiming: string | undefined
  readonly #phases = new WeakMap<FastifyRequest, HookPhase>()

  constructor(parts: EdgeParts, route: ResolvedRoute, keyOf: KeyOf) {
    this.#parts = parts
    this.#route = route
    this.#keyOf = keyOf
    this.#normalisers = new Map(route.vary.map(({ name, normalise }) => [name, normalise]))
    this.#hitStatus = (ttl) => formatTierStatus(parts.options.name, { hit: true, ttl })
    this.#hitTiming = route.forwards ? undefined : 'cache;desc=hit'
  }

  /** Where in the request the route is answered; decided once all hooks are known. */
  position: HookPosition = 'handler'

  /** The `onRequest` hook. */
  readonly onRequest = (request: FastifyRequest, reply: FastifyReply, pass: (error?: Error) => void): void => {
    if (this.position === 'onRequest') {
      this.#answer(request, reply, pass)
      return
    }
    const phase = new HookPhase(request, this.#parts.cache)
    this.#phases.set(request, phase)
    onClose(reply, () => phase.collecting?.end())
    phase.run(pass)
  }

  /** The handler of the route, with the cache in its place where hits wait for all hooks. */
  wrap(handler: RouteHandlerMethod): RouteHandlerMethod {
    const route = this
    return function (request, reply) {
      if (route.position === 'onRequest') return handler.call(this, request, reply)
      return new Promise((resolve, reject) => {
        route.#answer(request, reply, (error) => {
          if (error !== undefined) return reject(error)
          try {
            const result: unknown = handler.call(this, request, reply)
            // Fastify sends what a handler returns. One that returns nothing calls `reply.send`, and a hit is sent already.
            if (result !== undefined) resolve(result)
          } catch (thrown) {
            reject(thrown)
          }
        })
      })
    }
  }

  /** Answers what can be answered at once, and passes on the rest. */
  #answer(request: FastifyRequest, reply: FastifyReply, pass: (error?: Error) => void): void {
    const phase = this.#phases.get(request)
    const chosenBefore = phase?.end() ?? noNames
    const isInvalid = Boolean(request.validationError) // with `attachValidation` the handler answers it
    const asked = isInvalid ? undefined : this.#keyOf(request, phase !== undefined)
    if (asked === undefined) {
      pass() // its query is wrong, and validation answers it; or it is one that no key can contain
      return
    }
    const fields = request.headers as Fields // Node has no name there without a value
    const { method } = request.raw
    const isRead = method === 'GET' || method === 'HEAD'
    const pending: Pending = {
      request,
      reply,
      pass,
      asked,
      received: fields,
      fields,
      isBypassed: isRead && this.#isBypassed(request, fields),
      phase,
      chosenBefore,
      waits: 0,
      hasAskedShared: false,
      isFromShared: false,
      isKnown: false,
    }
    if (!isRead) {
      this.#make(pending, { reason: 'method', mayKeep: false })
      return
    }
    const stored = this.#select(asked, (name) => variantValue(normaliseField(fields, name, this.#normalisers)))
    const now = this.#parts.options.now()
    if (stored?.isFresh(now) === true && this.#isPlain(pending)) {
      this.#sendHit(pending, stored, now)
      return
    }
    const received = this.#route.forwards ? forwardedFields(fields) : fields
    this.#consider({
      ...pending,
      // A hook may have removed a field after it made an identity of it.
      isBypassed: pending.isBypassed || this.#isIdentified(request.raw.rawHeaders),
      received,
      fields: keyedFields(received, this.#normalisers),
    })
  }

  /** Whether the request is neither answered from the cache nor stored. */
  #isBypassed(request: FastifyRequest, fields: Fields): boolean {
    const { bypassesCredentials, bypasses } = this.#route
    return (bypassesCredentials && hasCredentials(fields)) || bypasses?.(request) === true
  }

  #isIdentified(rawHeaders: readonly string[]): boolean {
    return this.#route.bypassesCredentials && rawHeaders.some((text, at) => at % 2 === 0 && isCredential(text))
  }

  /** Whether nothing in the request asks for more than a fresh response. */
  #isPlain({ fields, isBypassed }: Pending): boolean {
    const { forwards, obeysDirectives } = this.#route
    if (isBypassed) return false
    if (obeysDirectives && (fields['cache-control'] !== undefined || fields.pragma !== undefined)) return false
    return !forwards || !(connectionListsFields(fields.connection) || hasOriginConditions(fields))
  }

  #consider(pending: Pending): void {
    const { fields, isBypassed, hasAskedShared } = pending
    const { forwards, isShared } = this.#route
    const stored = this.#selectFor(pending)
    const isDoubtful = stored === undefined || (!stored.isDerived && stored.dependencies?.isCurrent() === false)
    if (isBypassed) this.#make(pending, { reason: 'bypass', mayKeep: false })
    else if (this.#parts.refreshes.isCurrent(this.#nameOf(pending, stored)))
      this.#make(pending, { reason: 'stale', stored })
    else if (forwards && hasOriginConditions(fields)) this.#make(pending, { reason: 'request', mayKeep: false })
    else if (isShared && isDoubtful && !hasAskedShared) this.#askShared(pending, stored).catch(pending.pass)
    else this.#answerOrForward(pending, stored)
  }

  #answerOrForward(pending: Pending, stored: StoredResponse | undefined): void {
    const { options, pauses, resources, refreshes } = this.#parts
    const now = options.now()
    const directives = this.#route.obeysDirectives ? requestDirectivesOf(pending.fields) : undefined
    const choice = behind(decideReuse(stored, directives, now), pending.request)
    const name = this.#nameOf(pending, stored)
    const isPaused = pauses.isWaiting(name)
    if (choice.use !== 'nothing') {
      if (choice.use === 'stale-while-revalidate' && !isPaused) {
        refreshes.begin(name, pending.request, withoutClientHeaders(pending.received))
      }
      this.#send(
        pending,
        choice.stored,
        now,
        choice.use === 'fresh' ? { hit: true } : { hit: true, detail: choice.use },
      )
    } else if (directives?.onlyIfCached === true) {
      pending.pass(new OnlyIfCached())
    } else if (
      isPaused &&
      stored?.mayBeStale(now, stored.instants.staleUntil, true) === true &&
      choice.why === 'stale'
    ) {
      this.#send(pending, stored, now, { hit: true, detail: 'stale-if-error' })
    } else {
      const isKnown = pending.isKnown || resources.get(pending.asked.key) !== undefined
      const isOther = choice.why === 'uri-miss' && isKnown
      this.#waitOrMake(pending, stored, isOther ? 'vary-miss' : choice.why)
    }
  }

  /** One request of a kind goes to the handler; the others wait for it, unless it has turned out that there is no use in it. */
  #waitOrMake(pending: Pending, stored: StoredResponse | undefined, reason: ForwardReason): void {
    const { flights } = this.#parts
    const { request, fields, waits } = pending
    const name = this.#nameOf(pending, stored) + this.#apart(fields)
    const isAlone =
      request.raw.method !== 'GET' ||
      flights.isHitForMiss(name) ||
      waits >= maxWaits ||
      (this.#route.forwards && isPartialRequest(fields) && stored === undefined)
    const ahead = flights.get(name)
    if (isAlone) this.#make(pending, { reason, stored })
    else if (ahead === undefined) this.#make(pending, { reason, stored, flight: flights.begin(name) })
    else this.#waitFor(ahead, pending, reason).catch(pending.pass)
  }

  async #waitFor(ahead: InFlightRequest, pending: Pending, reason: ForwardReason): Promise<void> {
    const { options } = this.#parts
    const made = await ahead.outcome(options.collapseTimeoutMs)
    if (!ahead.isOver) this.#parts.flights.end(ahead, undefined) // who comes now need not wait as long
    const now = options.now()
    if (made?.matches((field) => variantOf(field, pending.fields)) === true && made.isFresh(now)) {
      this.#send(pending, made, now, { forward: reason, collapsed: true })
      return
    }
    const isOver = made === undefined && !ahead.isAbandoned
    this.#consider({ ...pending, waits: isOver ? maxWaits : pending.waits + 1 })
  }

  async #askShared(pending: Pending, stored: StoredResponse | undefined): Promise<void> {
    const { options, shared, resources } = this.#parts
    const { asked, fields } = pending
    const requestedAt = options.now()
    const { found, isKnown = false } = (await shared?.get(asked.key, (name) => variantOf(name, fields))) ?? {}
    if (stored !== undefined) resources.remove(asked.key, stored)
    if (found !== undefined)
      resources.put(asked.key, asked.path, found, { maxVariants: this.#route.maxVariants, requestedAt })
    this.#consider({ ...pending, hasAskedShared: true, isKnown, isFromShared: found !== undefined })
  }

  /** Has the handler make the response. */
  #make(pending: Pending, { reason, stored, flight, mayKeep = true }: Making): void {
    const { request, reply, pass, asked, fields, received, phase, chosenBefore } = pending
    const { cache, exchanges, invalidations, options, refreshes } = this.#parts
    const { forwards } = this.#route
    const name = this.#nameOf(pending, stored)
    const isValidating =
      mayKeep && stored?.hasOwnValidator === true && request.raw.method === 'GET' && fields.range === undefined
    this.#parts.tally.requests[reason === 'stale' ? 'revalidation' : reason] += 1
    const uncover = remember(request)
    const chosenBy = !forwards && mayKeep ? cover(request, this.#route, asked, fields, chosenBefore) : noNames
    // Of a request with a body Fastify itself still wants to know how it is framed.
    if (forwards && isSafe(request.raw.method ?? '')) {
      const passed = forwardedFields(mayKeep ? fields : received)
      showFields(request, isValidating ? withoutConditions(passed) : passed)
    }
    if (isValidating) Object.assign(request.raw.headers, validationConditions(stored.fields))
    const isBehind = refreshes.isCurrent(name)
    // As Node says of what has come to its end: of one that has not, who forwards overwrites what the other server says of `Connection`.
    if (isBehind) Object.assign(request.raw, { complete: true })
    const begun = phase?.collecting // runs since before the hooks
    const collecting = cache === undefined || !mayKeep ? undefined : (begun ?? new Collecting(cache))
    exchanges.set(request, {
      method: request.raw.method ?? 'GET',
      asked,
      name,
      variantOf: (field) => variantOf(field, fields),
      fields,
      hasCredentials: hasCredentials(received),
      reason,
      ahead: reply.getHeaders(),
      requestedAt: options.now(),
      invalidations: invalidations.count,
      mayKeep,
      isReceived: false,
      stored,
      isValidating,
      isBehind,
      flight,
      chosenBy,
      uncover,
      collecting,
    })
    if (flight !== undefined || collecting !== undefined) this.#endWith(reply, flight, collecting)
    if (collecting === undefined) pass()
    else if (collecting === begun) collecting.resume(pass)
    else collecting.run(pass)
  }

  /** Nobody waits for a request that is over, however it ended. */
  #endWith(reply: FastifyReply, flight: InFlightRequest | undefined, collecting: Collecting | undefined): void {
    const { flights } = this.#parts
    onClose(reply, () => {
      collecting?.end()
      if (flight === undefined) return
      // Or the handler has taken the reply over, and cut it off.
      if (reply.raw.writableFinished || reply.sent) flights.end(flight, undefined)
      // A client that goes away may take the request to the other server along.
      else if (this.#route.forwards) flights.abandon(flight)
    })
  }

  #sendHit({ request, reply, fields, asked }: Pending, stored: StoredResponse, now: number): void {
    const { resources, tally } = this.#parts
    tally.requests.hit += 1
    const answer = answerFrom({
      stored,
      method: request.raw.method ?? 'GET',
      fields,
      now,
      status: this.#hitStatus,
      timing: this.#hitTiming,
      isHeadReused: true,
      onEncoded: () => resources.recomputeSize(asked.key),
    })
    sendAnswer(reply, answer, this.#parts.isClosing)
  }

  #send(pending: Pending, stored: StoredResponse, now: number, status: TierStatus): void {
    const { resources, options, tally } = this.#parts
    const { request, reply, fields, asked, isFromShared } = pending
    tally.requests[status.collapsed === true ? 'collapsed' : status.detail === undefined ? 'hit' : 'stale'] += 1
    const memory: TierStatus = isFromShared ? { forward: 'uri-miss', stored: true } : status
    const answer = answerFrom({
      stored,
      method: request.raw.method ?? 'GET',
      fields,
      now,
      status: (ttl) => {
        const own = formatTierStatus(options.name, { ...memory, ttl })
        return isFromShared ? `${formatTierStatus(`${options.name}-Redis`, { ...status, ttl })}, ${own}` : own
      },
      timing: this.#route.forwards
        ? undefined
        : `cache;desc=${status.detail ?? (status.collapsed ? 'collapsed' : 'hit')}`,
      isHeadReused: false,
      isStaleIfError: status.detail === 'stale-if-error',
      onEncoded: () => resources.recomputeSize(asked.key),
    })
    sendAnswer(reply, answer, this.#parts.isClosing)
  }

  #selectFor({ asked, fields }: Pending): StoredResponse | undefined {
    return this.#select(asked, (name) => variantOf(name, fields))
  }

  #select(asked: RequestKey, variantOf: (name: string) => string): StoredResponse | undefined {
    return this.#parts.resources.get(asked.key)?.variants.find((variant) => variant.matches(variantOf))
  }

  /**
   * What a request has by which its response may not be one to keep: it says nothing of those without it, who neither
   * wait for it nor stop waiting because of it.
   */
  #apart(fields: Fields): string {
    const { forwards, obeysDirectives } = this.#route
    const own = forwards ? ['authorization', 'cookie', 'range'].filter((name) => fields[name] !== undefined) : []
    return `\n${own}${obeysDirectives && hasNoStore(fields) ? ' no-store' : ''}`
  }

  /** Names the kind of request of which one at a time goes to the handler. */
  #nameOf({ asked, fields }: Pick<Pending, 'asked' | 'fields'>, stored: StoredResponse | undefined): string {
    const latest = stored ?? this.#parts.resources.get(asked.key)?.variants[0]
    const names = latest?.varyNames ?? [...this.#normalisers.keys()]
    return `${asked.key}\n${names.map((name) => variantOf(name, fields)).join('\n')}`
  }
}

/** Calls back when the connection or the response ends, at once where it has ended already. */
function onClose({ raw }: FastifyReply, callback: () => void): void {
  if (raw.destroyed || raw.closed) callback()
  else raw.once('close', callback)
}

/** The value of a keyed request field as variants are compared by it. */
function variantOf(name: string, keyed: Fields): string {
  const field = ownField(keyed, name)
  return variantValue(field && headerValues(field).join(', '))
}

/** What cannot be made again behind the client's back is made before it is answered. */
function behind(choice: ReuseDecision, request: FastifyRequest): ReuseDecision {
  const isPossible = choice.use !== 'stale-while-revalidate' || canBeRepeated(request)
  return isPossible ? choice : { use: 'nothing', why: 'stale' }
}
