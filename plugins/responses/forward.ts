import type { FastifyReply } from 'fastify'
import type { ForwardReason } from '../http/cache-status.js'
import { validationConditions } from '../http/request-fields.js'
import type { CacheContext } from './cache-context.js'
import type { InFlightRequest } from './collapsing.js'
import { dataCacheOf } from './data-cache.js'
import { HandlerDependencies } from './handler-dependencies.js'
import type { RequestContext } from './request-context.js'
import { snapshotRequest } from './request-view.js'

export interface ForwardOptions {
  /** Default true. */
  readonly mayStore?: boolean
  /** Collapsed requests that wait for this one. */
  readonly inFlight?: InFlightRequest
}

export interface ForwardHooks {
  /** Changes what the handler sees of the request; undone after its response. */
  readonly prepareRequest: () => void
  /** The reply has closed before it was sent. */
  readonly onClientLeft?: () => void
}

/** Forwards the request to the handler. */
export function forward(
  cache: CacheContext,
  context: RequestContext,
  reason: ForwardReason,
  options: ForwardOptions,
  { prepareRequest, onClientLeft }: ForwardHooks,
): void {
  beginForward(cache, context, reason, options)
  prepareRequest()
  runHandler(cache, context, onClientLeft)
}

/** Records why and when the request is forwarded, and the request as it is. */
function beginForward(
  cache: CacheContext,
  context: RequestContext,
  reason: ForwardReason,
  { mayStore = true, inFlight }: ForwardOptions,
): void {
  const { request, stored, fields, method } = context
  cache.counters.requests[reason === 'stale' ? 'revalidation' : reason] += 1
  context.reason = reason
  context.mayStore = mayStore
  context.inFlight = inFlight
  context.requestedAt = cache.options.now()
  context.invalidationCount = cache.invalidations.count
  context.isBackground = cache.refreshes.isCurrent(context.collapseKey)
  context.isValidating = mayStore && stored?.hasOwnValidator === true && method === 'GET' && fields.range === undefined
  context.restoreRequest = snapshotRequest(request)
}

/** Runs the handler, and tracks what it reads from the data cache. */
function runHandler(cache: CacheContext, context: RequestContext, onClientLeft?: () => void): void {
  const { request, reply, next, stored, inFlight, dependencies: begun } = context
  if (context.isValidating && stored !== undefined) {
    Object.assign(request.raw.headers, validationConditions(stored.fields))
  }
  // Node sets it at the end of a request. While it is false, `@fastify/reply-from` overwrites the `Connection` of the response.
  if (context.isBackground) Object.assign(request.raw, { complete: true })
  const dataCache = dataCacheOf(request)
  const isTracked = dataCache !== undefined && context.mayStore
  const dependencies = isTracked ? (begun ?? new HandlerDependencies(dataCache)) : undefined
  if (!isTracked) begun?.abandon()
  context.dependencies = dependencies
  cache.forwarded.set(request, context)
  if (inFlight !== undefined || dependencies !== undefined) {
    onClose(reply, (closed) => {
      dependencies?.replyClosed(closed)
      if (closed.isSent) cache.inFlight.end(inFlight, undefined)
      else onClientLeft?.()
    })
  }
  if (dependencies === undefined) next()
  else if (dependencies === begun) dependencies.resume(next)
  else dependencies.run(next)
}

/** Calls back when the connection or the response ends, at once if it has ended already. */
export function onClose(reply: FastifyReply, callback: (closed: { readonly isSent: boolean }) => void): void {
  const { raw } = reply
  // A reply is sent, too, where the handler has taken it over and cut it off.
  const closed = () => callback({ isSent: raw.writableFinished || reply.sent })
  if (raw.destroyed || raw.closed) closed()
  else raw.once('close', closed)
}
