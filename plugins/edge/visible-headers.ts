import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { type Fields, headerValues, joinValues, ownField } from '../http/fields.js'
import { hostOf } from '../http/request-fields.js'
import { pathOf, type RequestKey } from './key.js'
import type { ResolvedRoute } from './options.js'

/** What a handler may choose a representation by; reading it makes the response vary by it. RFC 9110 §12.5. */
export const negotiated = ['accept', 'accept-language'] as const

/** Request fields that a response of a route of ours varies by because requests with them bypass the cache: caches in front must know. */
export function credentialVary({ bypassesCredentials }: ResolvedRoute): readonly string[] {
  return bypassesCredentials ? ['Authorization', 'Cookie'] : []
}

/** Remembers the request as it came; gives what shows it so again. Node makes `headersDistinct` of the others when it is asked for. */
export function remember(request: FastifyRequest): () => void {
  const { raw, query } = request
  const { headers, rawHeaders, url = '/' } = raw
  const originalUrl = 'originalUrl' in raw ? raw.originalUrl : undefined
  const cookies: unknown = Reflect.get(request, 'cookies')
  return () => {
    Reflect.deleteProperty(request, 'headers')
    Reflect.deleteProperty(request, 'originalUrl')
    const seen = { headers, rawHeaders, headersDistinct: undefined, url }
    show(raw, originalUrl === undefined ? seen : { ...seen, originalUrl })
    request.query = query
    if (cookies) Object.assign(request, { cookies })
  }
}

/** Shows these fields, also where validation or a hook has assigned `request.headers`, which Fastify lays over those of Node. */
function showHeaders(
  request: FastifyRequest,
  headers: IncomingHttpHeaders,
  others: { readonly rawHeaders: readonly string[]; readonly headersDistinct: object },
): void {
  show(request.raw, { headers, ...others })
  define(request, 'headers', headers)
}

/** What is seen of a request instead of what came, or what Node makes of it. Of HTTP/2 it cannot be assigned. */
function show(raw: FastifyRequest['raw'], seen: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(seen)) {
    if (value === undefined) Reflect.deleteProperty(raw, name)
    else define(raw, name, value)
  }
}

/** Where there may be an accessor, which an assignment would ask. */
export function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
}

/** Lets the handler see these fields instead of those that came. */
export function showFields(request: FastifyRequest, fields: Fields): void {
  const lines = Object.entries(fields).map(([name, value]) => [name, headerValues(value)] as const)
  const rawHeaders = lines.flatMap(([name, values]) => values.flatMap((value) => [name, value]))
  const headers = Object.fromEntries(lines.map(([name, values]) => [name, joinValues(values)])) as IncomingHttpHeaders // of strings
  showHeaders(request, headers, { rawHeaders, headersDistinct: Object.fromEntries(lines) })
}

/**
 * Lets the handler see only what the key covers: the query as validated, the fields that the route varies by with the values
 * that the key contains, and the fields that the route has declared to make no difference. What a handler cannot read it cannot
 * put into a response that others get. Gives the names of the fields that it chooses a representation by, as it reads them, and
 * of those that hooks have chosen by before.
 */
export function cover(
  request: FastifyRequest,
  route: ResolvedRoute,
  { query, validated }: RequestKey,
  keyed: Fields,
  chosenBefore: ReadonlySet<string>,
): ReadonlySet<string> {
  const { raw, headers } = request
  const { url = '/' } = raw
  const chosenBy = new Set(chosenBefore)
  const visible: IncomingHttpHeaders = {}
  for (const name of route.visibleHeaders) if (headers[name] !== undefined) visible[name] = headers[name]
  const host = hostOf(keyed)
  if (query === undefined && host !== undefined) visible.host = host // the key contains the complete URI
  for (const name of negotiated) {
    const value = ownField(keyed, name)
    const get = () => {
      chosenBy.add(name)
      return value
    }
    const set = (other: unknown) => define(visible, name, other) // by a hook between: then that is what is read
    Object.defineProperty(visible, name, { get, set, enumerable: value !== undefined, configurable: true })
  }
  for (const { name } of route.vary) {
    const value = ownField(keyed, name)
    if (value === undefined) delete visible[name]
    else define(visible, name, value)
  }
  showHeaders(request, visible, { rawHeaders: [], headersDistinct: {} })
  if (Reflect.get(request, 'cookies')) Object.assign(request, { cookies: cookiesOf(request, visible.cookie) })
  if (query === undefined) return chosenBy
  request.query = { ...query }
  const shownUrl = withQuery(url, validated ?? query)
  // Fastify remembers what it said when it was first asked, by a hook or by us.
  Object.defineProperty(request, 'originalUrl', { value: shownUrl, configurable: true })
  show(raw, { url: shownUrl, ...('originalUrl' in raw ? { originalUrl: shownUrl } : {}) })
  return chosenBy
}

/** What `@fastify/cookie`, which runs ahead, would have made of the field. */
function cookiesOf({ server }: FastifyRequest, cookie: string | undefined): unknown {
  const parse: unknown = Reflect.get(server, 'parseCookie')
  return cookie !== undefined && typeof parse === 'function' ? Reflect.apply(parse, server, [cookie]) : {}
}

function withQuery(url: string, query: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) parameters.append(name, String(one))
  }
  return parameters.size === 0 ? pathOf(url) : `${pathOf(url)}?${parameters}`
}
