import type { FastifyRequest } from 'fastify'
import { singleValue } from '../http/fields.js'
import type { ReceivedResponse } from '../http/freshness.js'
import { hostOf } from '../http/request-fields.js'
import type { EdgeParts } from './edge-parts.js'
import { pathOf, targetUriKey } from './key.js'
import type { ResolvedRoute } from './options.js'

/**
 * After a request that may have changed something, and did not fail, what is kept for its URI goes, and for those of the same
 * origin that its response names. RFC 9111 §4.4.
 */
export async function invalidate(
  { resources, invalidations, shared }: EdgeParts,
  { isShared }: ResolvedRoute,
  request: FastifyRequest,
  { status, fields }: ReceivedResponse,
): Promise<void> {
  if (status < 200 || status >= 400) return
  const host = hostOf(request.raw.headers) ?? ''
  const target = request.raw.url ?? '/'
  const named = [fields.location, fields['content-location']]
    .map(singleValue)
    .flatMap((uri) => sameOrigin(uri, host, target))
  const places: string[] = []
  for (const uri of new Set([target, ...named])) {
    const { key } = targetUriKey(host, uri)
    resources.delete(key)
    places.push(key)
    // Others are told apart by what of the query counts, or by what Fastify chooses routes by: all under the path goes.
    const path = pathOf(uri)
    for (const lying of resources.keysAt(path)) resources.delete(lying)
    places.push(path)
  }
  for (const place of places) invalidations.add(place)
  if (isShared) await shared?.delete(places)
}

/** The request target of a URI of the same origin. */
function sameOrigin(uri: string | undefined, host: string, target: string): string[] {
  const origin = `http://${host}` // a client may send anything as Host
  if (uri === undefined || !URL.canParse(origin) || !URL.canParse(uri, origin + target)) return []
  const { host: named, pathname, search, protocol } = new URL(uri, origin + target)
  const isHttp = protocol === 'http:' || protocol === 'https:'
  return isHttp && named === new URL(origin).host ? [`${pathname}${search}`] : []
}
