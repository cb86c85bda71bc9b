import type { ForwardReason, TierStatus } from '../http/cache-status.js'
import type { RequestDirectives } from '../http/request-directives.js'
import { withoutClientHeaders } from '../http/request-fields.js'
import { canBeRepeated } from './background-refresh.js'
import type { CacheContext } from './cache-context.js'
import type { InFlightRequest } from './collapsing.js'
import { answerFrom } from './render.js'
import { maxWaits, type RequestContext } from './request-context.js'
import type { ResponseStore } from './response-store.js'
import { decideReuse } from './reuse.js'
import { sendStoredAnswer } from './send.js'
import type { StoredResponse } from './stored-response.js'

/** The most recent stored response whose variant matches: counts as a use of it. */
export function selectVariant(
  store: ResponseStore,
  key: string,
  variantOf: (name: string) => string,
): StoredResponse | undefined {
  const stored = store.get(key)?.variants.find((variant) => variant.matches(variantOf))
  if (stored !== undefined) stored.uses += 1
  return stored
}

/** Names the requests of which one at a time is forwarded: those with one key and one variant, as far as that is known. */
export function collapseKeyOf(
  store: ResponseStore,
  { key: { key }, stored, variantOf }: RequestContext,
  routeVary: readonly string[],
): string {
  const latest = stored ?? store.get(key)?.variants[0]
  return `${key}\n${(latest?.varyNames ?? routeVary).map(variantOf).join('\n')}`
}

/** What a request gets. */
export type Serving =
  | {
      readonly kind: 'stored'
      readonly stored: StoredResponse
      /** Why it is not fresh; `undefined`: it is. */
      readonly detail: 'stale-while-revalidate' | 'max-stale' | 'stale-if-error' | undefined
    }
  | {
      /** `unavailable`: the client forbids forwarding. */
      readonly kind: 'forward' | 'unavailable'
      readonly reason: ForwardReason
    }

export interface ServingOptions {
  readonly now: number
  /** `Cache-Control` of the request, if it is honoured. */
  readonly directives?: RequestDirectives | undefined
  /** Whether another store has responses of the resource. Default false. */
  readonly hasVariants?: boolean
}

/** Decides between the stored response and the handler; begins the background refresh that a stale response needs. */
export function chooseServing(
  cache: CacheContext,
  context: RequestContext,
  { now, directives, hasVariants = false }: ServingOptions,
): Serving {
  const { stored, request, collapseKey, key } = context
  const isBackingOff = cache.backoff.isWaiting(collapseKey)
  const decision = decideReuse(stored, directives, now)
  if (decision.use === 'fresh') return { kind: 'stored', stored: decision.stored, detail: undefined }
  if (decision.use === 'max-stale') return { kind: 'stored', stored: decision.stored, detail: decision.use }
  if (decision.use === 'stale-while-revalidate' && canBeRepeated(request)) {
    if (!isBackingOff) refreshInBackground(cache, context, decision.stored)
    return { kind: 'stored', stored: decision.stored, detail: decision.use }
  }
  const reason = decision.use === 'nothing' ? decision.why : 'stale'
  if (directives?.onlyIfCached === true) return { kind: 'unavailable', reason }
  if (isBackingOff && reason === 'stale' && stored?.mayBeStale(now, stored.instants.staleUntil, true) === true) {
    return { kind: 'stored', stored, detail: 'stale-if-error' }
  }
  const isOtherVariant = reason === 'uri-miss' && (hasVariants || cache.store.get(key.key) !== undefined)
  return { kind: 'forward', reason: isOtherVariant ? 'vary-miss' : reason }
}

/** Begins a refresh. One that leaves the stored response as it was, such as a redirect by a hook, is retried after a delay. */
function refreshInBackground(cache: CacheContext, context: RequestContext, stored: StoredResponse): void {
  const { request, collapseKey, key, receivedFields, variantOf } = context
  cache.refreshes.begin(collapseKey, request, withoutClientHeaders(receivedFields), () => {
    const isUnchanged = selectVariant(cache.store, key.key, variantOf) === stored
    const isServedStale = stored.mayRefreshInBackground(cache.options.now()) // not after a 404, which is no failure
    if (isUnchanged && isServedStale && !cache.backoff.isWaiting(collapseKey)) cache.backoff.failed(collapseKey)
  })
}

export interface SendStoredOptions {
  readonly stored: StoredResponse
  readonly now: number
  readonly status: TierStatus
  /** The member of `Cache-Status`, or several. */
  readonly formatStatus: (ttl: number) => string
  /** `Server-Timing`; `undefined`: none. */
  readonly timing: string | undefined
}

/** Answers a request with a stored response, in the place of its handler. */
export function sendStored(cache: CacheContext, context: RequestContext, options: SendStoredOptions): void {
  const { stored, now, status, formatStatus, timing } = options
  const { reply, fields, method, key, prior } = context
  cache.counters.requests[status.collapsed === true ? 'collapsed' : status.detail === undefined ? 'hit' : 'stale'] += 1
  const answer = answerFrom({
    stored,
    method,
    fields,
    now,
    formatStatus,
    timing,
    isHeadReused: false,
    isStaleIfError: status.detail === 'stale-if-error',
    onEncoded: () => cache.store.recomputeSize(key.key),
  })
  sendStoredAnswer(cache, reply, { stored, answer, prior })
}

/** Waits for the request in flight; gives its response, if it answers this request too. */
export async function waitForResponse(
  cache: CacheContext,
  context: RequestContext,
  inFlight: InFlightRequest,
): Promise<StoredResponse | undefined> {
  const response = await inFlight.outcome(cache.options.collapseTimeoutMs)
  if (!inFlight.isOver) cache.inFlight.end(inFlight, undefined) // later requests need not wait as long
  // It was generated while this request waited, so it may be used even if its lifetime is over.
  if (response?.matches(context.variantOf) === true && !response.isOutdated) return response
  const isUnstored = response === undefined && !inFlight.isAbandoned
  context.waits = isUnstored ? maxWaits : context.waits + 1
  return undefined
}
