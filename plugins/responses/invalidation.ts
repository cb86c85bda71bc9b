import type { FastifyRequest } from 'fastify'
import { singleValue } from '../http/fields.js'
import type { ReceivedResponse } from '../http/freshness.js'
import { hostOf } from '../http/request-fields.js'
import type { CacheContext } from './cache-context.js'
import { pathOf, targetKey } from './target-key.js'

/**
 * After a successful unsafe request, removes what is stored for its URI, and for URIs of the same origin in `Location` and
 * `Content-Location`. Gives the keys and paths that it removed. RFC 9111 §4.4.
 */
export function invalidate(
  { store, invalidations, originOf }: CacheContext,
  request: FastifyRequest,
  { status, fields }: Pick<ReceivedResponse, 'status' | 'fields'>,
): readonly string[] {
  if (status < 200 || status >= 400) return []
  const host = hostOf(request.raw.headers) ?? ''
  const origin = originOf(request)
  const target = request.raw.url ?? '/'
  const named = [fields.location, fields['content-location']]
    .map(singleValue)
    .flatMap((uri) => sameOriginTarget(uri, host, target))
  const places: string[] = []
  for (const uri of new Set([target, ...named])) {
    const { key } = targetKey(origin, uri)
    store.delete(key)
    places.push(key)
    // Keys may contain the validated query or the constraints of a route: everything under the path is removed.
    const path = pathOf(uri)
    for (const keyAtPath of store.keysAt(path)) store.delete(keyAtPath)
    places.push(path)
  }
  for (const place of places) invalidations.add(place)
  return places
}

/** The request target of a URI, if it is of the same origin. */
function sameOriginTarget(uri: string | undefined, host: string, target: string): string[] {
  const origin = `http://${host}` // `Host` may be anything
  if (uri === undefined || !URL.canParse(origin) || !URL.canParse(uri, origin + target)) return []
  const { host: uriHost, pathname, search, protocol } = new URL(uri, origin + target)
  const isHttp = protocol === 'http:' || protocol === 'https:'
  return isHttp && uriHost === new URL(origin).host ? [`${pathname}${search}`] : []
}
