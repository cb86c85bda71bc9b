import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { type Fields, ownField } from '../http/fields.js'
import { hostOf } from '../http/request-fields.js'
import { define, show, showHeaders } from '../responses/request-view.js'
import { pathOf } from '../responses/target-key.js'
import type { EdgeKey } from './key.js'
import { negotiationFields, observeNegotiation } from './negotiation.js'
import type { ResolvedRoute } from './options.js'

/** Request fields in `Vary` because requests with them bypass the cache: caches in front must not mix them up either. */
export function credentialVary({ bypassesCredentials }: ResolvedRoute): readonly string[] {
  return bypassesCredentials ? ['Authorization', 'Cookie'] : []
}

/**
 * Shows the handler only what the key contains: the validated query, the fields of the option `vary` with the values in the key, and
 * the fields of `unkeyedHeaders`. What a handler cannot read it cannot put into a response for other clients. Gives the names of the
 * fields that the handler negotiates by, as it reads them, with those that hooks have negotiated by.
 */
export function maskRequest(
  request: FastifyRequest,
  route: ResolvedRoute,
  { query, validated }: EdgeKey,
  keyed: Fields,
  negotiatedByHooks: ReadonlySet<string>,
): ReadonlySet<string> {
  const { raw, headers } = request
  const { url = '/' } = raw
  const negotiatedBy = new Set(negotiatedByHooks)
  const visible: IncomingHttpHeaders = {}
  for (const name of route.unkeyedHeaders) if (headers[name] !== undefined) visible[name] = headers[name]
  const host = hostOf(keyed)
  if (query === undefined && host !== undefined) visible.host = host // the key contains the complete URI
  for (const name of [...negotiationFields, ...route.varyNames]) {
    const value = ownField(keyed, name)
    if (value === undefined) delete visible[name]
    else define(visible, name, value)
  }
  const negotiable = negotiationFields.filter((name) => !route.varyNames.includes(name)) // the others are in the key anyway
  const shown = observeNegotiation(visible, negotiable, (name) => negotiatedBy.add(name), { reportsAssigned: false })
  showHeaders(request, shown, { rawHeaders: [], headersDistinct: {} })
  if (query !== undefined) request.query = structuredClone(query)
  if (!route.unkeyedProperties.has('id')) request.id = randomUUID()
  maskDerived(request, visible, query === undefined ? url : withQuery(url, validated ?? query))
  return negotiatedBy
}

/** Masks what Fastify and Node derive from the URL and the headers; they remember some of it when a hook reads it. */
function maskDerived(request: FastifyRequest, visible: IncomingHttpHeaders, url: string): void {
  const { raw } = request
  Object.defineProperty(request, 'originalUrl', { value: url, configurable: true })
  if (visible['content-type'] === undefined) {
    Object.defineProperty(request, 'mediaType', { value: undefined, configurable: true })
  }
  show(raw, { url, ...('originalUrl' in raw ? { originalUrl: url } : {}) })
  if (raw.httpVersionMajor === 2) show(raw, { authority: visible.host ?? '', scheme: request.protocol })
}

/** `request.cookies` as `@fastify/cookie`, which has run already, would have parsed it from this field. */
export function parseCookies({ server }: FastifyRequest, cookie: string | undefined): unknown {
  const parse: unknown = Reflect.get(server, 'parseCookie')
  return cookie !== undefined && typeof parse === 'function' ? Reflect.apply(parse, server, [cookie]) : {}
}

function withQuery(url: string, query: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) {
      parameters.append(name, typeof one === 'object' ? JSON.stringify(one) : String(one))
    }
  }
  return parameters.size === 0 ? pathOf(url) : `${pathOf(url)}?${parameters}`
}
