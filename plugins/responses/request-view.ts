import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { type Fields, headerValues, joinValues } from '../http/fields.js'

/** Gives a function that undoes every change to what the request shows. */
export function snapshotRequest(request: FastifyRequest): () => void {
  const { raw, query } = request
  const { headers, rawHeaders, url = '/' } = raw
  const originalUrl = 'originalUrl' in raw ? raw.originalUrl : undefined
  const cookies: unknown = Reflect.get(request, 'cookies')
  return () => {
    Reflect.deleteProperty(request, 'headers')
    Reflect.deleteProperty(request, 'originalUrl')
    const seen = { headers, rawHeaders, headersDistinct: undefined, url } // Node derives `headersDistinct` when it is read
    show(raw, originalUrl === undefined ? seen : { ...seen, originalUrl })
    request.query = query
    if (cookies) Object.assign(request, { cookies })
  }
}

/** Shows the handler these fields instead of the received ones. */
export function showFields(request: FastifyRequest, fields: Fields): void {
  const lines = Object.entries(fields).map(([name, value]) => [name, headerValues(value)] as const)
  const rawHeaders = lines.flatMap(([name, values]) => values.flatMap((value) => [name, value]))
  const headers = Object.fromEntries(lines.map(([name, values]) => [name, joinValues(values)])) as IncomingHttpHeaders // of strings
  showHeaders(request, headers, { rawHeaders, headersDistinct: Object.fromEntries(lines) })
}

/** Shows these headers, also where validation or a hook assigned `request.headers`, which hides those of Node. */
export function showHeaders(
  request: FastifyRequest,
  headers: IncomingHttpHeaders,
  others: { readonly rawHeaders: readonly string[]; readonly headersDistinct: object },
): void {
  show(request.raw, { headers, ...others })
  define(request, 'headers', headers)
}

/** Defines properties of Node's request; `undefined`: Node's own again. Those of HTTP/2 cannot be assigned. */
export function show(raw: FastifyRequest['raw'], seen: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(seen)) {
    if (value === undefined) Reflect.deleteProperty(raw, name)
    else define(raw, name, value)
  }
}

/** Sets a property that may be an accessor, which an assignment would call. */
export function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
}
