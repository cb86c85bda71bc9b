import createError from '@fastify/error'

/** An invalid option, key or policy: a bug in the calling program. */
export const InvalidCacheOption = createError<[string]>('VITRINE_CACHE_OPTION', 'fastify.cache: %s', 500, TypeError)

/** A load took longer than `loadTimeoutMs`. */
export const LoadTimeout = createError<[string, number]>(
  'VITRINE_CACHE_LOAD_TIMEOUT',
  "loading '%s' took longer than %d ms",
  504,
)

/** The application closed while a load was in flight. */
export const CacheClosed = createError('VITRINE_CACHE_CLOSED', 'the cache is closed', 503)
