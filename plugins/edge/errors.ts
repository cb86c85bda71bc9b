import createError from '@fastify/error'

/** An option that the edge cannot work with: a mistake in the calling program. */
export const InvalidEdgeOption = createError<[string]>('VITRINE_EDGE_OPTION', 'edge: %s', 500, TypeError)

/** A function among the options returned a promise: a mistake in the calling program. */
export const AsyncEdgeOption = createError<[string]>(
  'VITRINE_EDGE_ASYNC_OPTION',
  'edge: %s must be synchronous, but it returned a promise: await in an onRequest hook, and read the result here',
  500,
  TypeError,
)

/** Hooks were added to a list of `onRequest` hooks after its route was declared: they would not run. */
export const LateHooks = createError<[method: string, url: string]>(
  'VITRINE_EDGE_LATE_HOOKS',
  'edge: the onRequest hooks of %s %s changed after the route was declared: complete the list first, or use addHook',
  500,
  TypeError,
)

/** The handler of a route with `ignoreCredentials: true` reads what hooks derived from the credentials of one client. */
export const MaskedProperty = createError<[route: string, property: string]>(
  'VITRINE_EDGE_MASKED',
  "edge: the handler of %s reads request.%s, but its response is stored for all clients: bypass such requests (option bypass), remove ignoreCredentials: true, or use vary: [{ name: 'cookie', normalise }]",
)
