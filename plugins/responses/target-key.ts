import type { FastifyRequest, RouteOptions } from 'fastify'
import type { Fields } from '../http/fields.js'
import { hostOf } from '../http/request-fields.js'
import { uriOverrides } from '../http/target-overrides.js'

/** Names the resource that a request asks for, request fields aside. */
export interface RequestKey {
  readonly key: string
  /** Path of the resource: an unsafe request invalidates every key under it. */
  readonly path: string
}

/** Routes with constraints that are no text. */
let otherRoutes = 0

/**
 * The start of the keys of a route: its URL and constraints. A key of a target URI has one line feed, one of a route has two, and
 * three if it contains the complete URI. No host, no target and no JSON contains a line feed: no client can write a key of another kind.
 */
export function routePrefix({ url, constraints = {} }: RouteOptions): string {
  let isText = true
  const text = JSON.stringify([url, constraints], (_name, value: unknown) => {
    if (value instanceof RegExp) return { regExp: String(value) } // JSON writes it as {}
    if (!isJson(value)) isText = false
    return value
  })
  return `\n${text}${isText ? '' : ++otherRoutes}\n`
}

/** Whether JSON writes no other value in the same way. */
function isJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return ['string', 'boolean', 'number'].includes(typeof value)
  return Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value))
}

/**
 * Gives the key of requests of a route whose key is the complete target URI, byte for byte (RFC 9110 §7.1), with the route where
 * Fastify chooses it by constraints too, such as the requested version.
 */
export function createTargetKeyOf(route: RouteOptions, originOf: OriginOf): (request: FastifyRequest) => RequestKey {
  const keyOfTarget = (request: FastifyRequest) => targetKey(originOf(request), request.raw.url ?? '/')
  if (Object.keys(route.constraints ?? {}).length === 0) return keyOfTarget
  const prefix = routePrefix(route)
  return (request) => ({ key: `${prefix}${keyOfTarget(request).key}`, path: pathOf(request.raw.url ?? '/') })
}

export function targetKey(origin: string, target: string): RequestKey {
  return { key: `${origin}\n${target}`, path: `${origin}\n${pathOf(target)}` }
}

/** What the key has of a target URI before its path. */
export type OriginOf = (request: FastifyRequest) => string

/** The host. */
export const authorityOf: OriginOf = ({ raw }) => (hostOf(raw.headers) ?? '').toLowerCase()

/** Everything by which another server may determine scheme, host and port, for handlers that forward. */
export const effectiveOriginOf: OriginOf = (request) => {
  const overrides = uriOverrides(request.raw.headers as Fields) // Node has no name there without a value
  return `${request.protocol}://${authorityOf(request)}${overrides}`
}

export function pathOf(target: string): string {
  const end = target.indexOf('?')
  return end === -1 ? target : target.slice(0, end)
}
