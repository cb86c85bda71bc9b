import createError from '@fastify/error'

/** An option that the proxy cache cannot work with: a mistake in the calling program. */
export const InvalidProxyCacheOption = createError<[string]>(
  'VITRINE_PROXY_CACHE_OPTION',
  'proxy-cache: %s',
  500,
  TypeError,
)

/** A function among the options returned a promise: a mistake in the calling program. */
export const AsyncProxyCacheOption = createError<[string]>(
  'VITRINE_PROXY_CACHE_ASYNC_OPTION',
  'proxy-cache: %s must be synchronous, but it returned a promise: await in an onRequest hook, and read the result here',
  500,
  TypeError,
)

/** Hooks were added to a list of `onRequest` hooks after its route was declared: they would not run. */
export const LateHooks = createError<[method: string, url: string]>(
  'VITRINE_PROXY_CACHE_LATE_HOOKS',
  'proxy-cache: the onRequest hooks of %s %s changed after the route was declared: complete the list first, or use addHook',
  500,
  TypeError,
)

/** The client sent `Cache-Control: only-if-cached`, and no stored response answers it. RFC 9111 §5.2.1.7. */
export const OnlyIfCached = createError(
  'VITRINE_PROXY_CACHE_ONLY_IF_CACHED',
  'No stored response answers this request.',
  504,
)
