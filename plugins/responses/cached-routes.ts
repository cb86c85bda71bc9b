import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify'
import { HookOwners } from './hook-owners.js'
import { contextsOf, type HookPosition, LastHook, listOf } from './hook-position.js'
import { describeHooks, LaterHookWarnings } from './later-hook-warnings.js'

/** The `onRequest` side of a route's cache. */
export interface RequestHook {
  /** Where the route is answered; decided once all hooks are known. */
  position: HookPosition
  onRequest(request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void): void
  /** Answers the request, or runs `next` and so the handler. */
  answer(request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void): void
  /** Called before the handler runs, after all hooks. */
  beginHandler?(request: FastifyRequest, reply: FastifyReply): void
  /** Called when the payload of the handler is serialized, after all `preSerialization` hooks. */
  endHandler?(request: FastifyRequest): void
}

/** The `onSend` side. */
export interface ResponseHook {
  /** Before the other `onSend` hooks of the route. */
  beforeHooks(request: FastifyRequest, reply: FastifyReply, payload: unknown, done: () => void): void
  /** After them. */
  onSend(
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    send: (error: Error | null, payload: unknown) => void,
  ): Promise<unknown> | undefined
  onError(request: FastifyRequest, reply: FastifyReply, error: Error, done: () => void): void
}

export interface RouteCache {
  readonly requestHook: RequestHook
  readonly responseHook: ResponseHook
  readonly acknowledgesSkippedHooks: boolean
}

type Continue = (error: Error | null, payload: unknown) => void

export interface CachedRoutesOptions {
  /** Name in messages and log entries. */
  readonly kind: string
  /** The cache of a route; `undefined`: it has none. */
  readonly createRouteCache: (route: RouteOptions, instance: FastifyInstance) => RouteCache | undefined
  /** The error for hooks that would not run. */
  readonly LateHooks: new (
    method: string,
    url: string,
  ) => Error
}

/** Puts a cache around the routes that ask for it: as their last `onRequest` hook, around the handler, and as an `onSend` hook. */
export function cacheRoutes(app: FastifyInstance, { kind, createRouteCache, LateHooks }: CachedRoutesOptions): void {
  const cacheHooks = new WeakSet<object>()
  const placements: (() => void)[] = []
  const warnings = new LaterHookWarnings(app.log, kind)
  const owners = new HookOwners()
  owners.watch(app)
  app.addHook('onReady', async () => {
    for (const place of placements) place()
    warnings.log()
  })
  app.addHook('onRoute', function (route) {
    // Fastify's own HEAD route has the hooks of its GET.
    if (listOf<object>(route.onRequest).some((hook) => cacheHooks.has(hook))) return
    const routeCache = createRouteCache(route, this)
    if (routeCache === undefined) return
    const { requestHook, responseHook, acknowledgesSkippedHooks } = routeCache
    const { onRequest } = requestHook
    const { beforeHooks, onSend, onError } = responseHook
    cacheHooks.add(onRequest)
    route.handler = inHandlersPlace(requestHook, route.handler)
    const lastHook = new LastHook(route, onRequest)
    placements.push(() => {
      if (lastHook.hasLateHooks) throw new LateHooks(String(route.method), route.url)
      const skipped = lastHook.findSkipped(this)
      const isEarly = skipped?.every((hook) => hook.kind !== 'onRequest' && acknowledgesSkippedHooks) === true
      requestHook.position = isEarly ? 'onRequest' : 'handler'
      if (isEarly || route.method === 'HEAD') return
      const contexts = contextsOf(this)
      warnings.add(route, skipped && describeHooks(skipped, (hook) => owners.ownerOf(hook, contexts)))
    })
    route.onError = [...listOf<typeof onError>(route.onError), onError]
    const preSerialization = (request: FastifyRequest, _reply: FastifyReply, payload: unknown, done: Continue) => {
      requestHook.endHandler?.(request)
      done(null, payload)
    }
    const isHead = route.method === 'HEAD'
    const placeHooks = () => {
      const before = listOf<typeof preSerialization>(route.preSerialization).filter((hook) => hook !== preSerialization)
      Object.assign(route, { preSerialization: [...before, preSerialization] }) // all are `preSerialization` hooks
      const others = listOf<typeof onSend>(route.onSend).filter((hook) => hook !== onSend && hook !== beforeHooks)
      // Fastify's own HEAD routes have a hook that removes the body, of which the response fields depend.
      Object.assign(route, { onSend: isHead ? [onSend, ...others] : [beforeHooks, ...others, onSend] }) // all are `onSend` hooks
    }
    placeHooks()
    queueMicrotask(placeHooks) // after the `onRoute` hooks of other plugins, one of which may encode the body
  })
}

/** The handler, with the cache before it where hits wait for all hooks. */
function inHandlersPlace(requestHook: RequestHook, handler: RouteHandlerMethod): RouteHandlerMethod {
  return function (request, reply) {
    const handle = (): unknown => {
      requestHook.beginHandler?.(request, reply)
      return handler.call(this, request, reply)
    }
    if (requestHook.position === 'onRequest') return handle()
    return new Promise((resolve, reject) => {
      requestHook.answer(request, reply, (error) => {
        if (error !== undefined) return reject(error)
        try {
          const result = handle()
          // A handler that returns nothing calls `reply.send`.
          if (result !== undefined) resolve(result)
        } catch (thrown) {
          reject(thrown)
        }
      })
    })
  }
}
