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

/** A route as text: its URL and constraints. */
export function routeText({ url, constraints = {} }: RouteOptions): string {
  return JSON.stringify([url, constraints], distinctly)
}

/** Hosts may be given as regular expressions, which JSON writes as `{}`. */
function distinctly(_name: string, value: unknown): unknown {
  return value instanceof RegExp ? String(value) : value
}

/**
 * Gives the key of requests of a route whose key is the complete target URI, byte for byte (RFC 9110 §7.1), with the route where
 * Fastify chooses it by constraints too, such as the requested version.
 */
export function createTargetKeyOf(route: RouteOptions, originOf: OriginOf): (request: FastifyRequest) => RequestKey {
  const keyOfTarget = (request: FastifyRequest) => targetKey(originOf(request), request.raw.url ?? '/')
  if (Object.keys(route.constraints ?? {}).length === 0) return keyOfTarget
  const place = routeText(route)
  return (request) => ({ key: `${place}\n${keyOfTarget(request).key}`, path: pathOf(request.raw.url ?? '/') })
}

export function targetKey(origin: string, target: string): RequestKey {
  // No origin and no target contains a line feed, so no client can write a key of another kind.
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
