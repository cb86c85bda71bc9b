import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Fields, headerValues, joinValues } from '../http/fields.js'

/** What is hidden of the request only while code of the route runs: the handler, its stream, the option `tags`. */
export interface HandlerMask {
  /** Hides it from the handler, until that sends its result; `preSerialization` hooks change the result. */
  hideUntilSent(reply: FastifyReply): void
  hide(): void
  show(): void
  /** Hides it from synchronous work. */
  run<Result>(work: () => Result): Result
}

/** Gives a function that undoes every change to what the request shows. */
export function snapshotRequest(request: FastifyRequest): () => void {
  const { raw, query, id } = request
  const { headers, rawHeaders, url = '/' } = raw
  const originalUrl = 'originalUrl' in raw ? raw.originalUrl : undefined
  return () => {
    for (const name of ['headers', 'originalUrl', 'mediaType']) Reflect.deleteProperty(request, name)
    // Node derives the properties without a value when they are read.
    const seen = { headers, rawHeaders, url, headersDistinct: undefined, authority: undefined, scheme: undefined }
    show(raw, originalUrl === undefined ? seen : { ...seen, originalUrl })
    Object.assign(request, { query, id })
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
