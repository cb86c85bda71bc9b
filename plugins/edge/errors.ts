import createError from '@fastify/error'

/** An option that the edge cannot work with: a mistake in the calling program. */
export const InvalidEdgeOption = createError<[string]>('VITRINE_EDGE_OPTION', 'edge: %s', 500, TypeError)

/** The option `bypass` gave a promise: a mistake in the calling program. */
export const BypassPromise = createError(
  'VITRINE_EDGE_BYPASS',
  'edge: bypass must be synchronous, but it returned a promise: await in an onRequest hook, and read its result in bypass',
  500,
  TypeError,
)

/** The client wants no answer that is not here, and there is none. RFC 9111 §5.2.1.7. */
export const OnlyIfCached = createError(
  'VITRINE_EDGE_ONLY_IF_CACHED',
  'Nothing that is kept answers this request.',
  504,
)
