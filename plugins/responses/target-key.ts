import type { FastifyRequest, RouteOptions } from 'fastify'
import { hostOf } from '../http/request-fields.js'

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
export function createTargetKeyOf(route: RouteOptions): (request: FastifyRequest) => RequestKey {
  if (Object.keys(route.constraints ?? {}).length === 0) return keyOfTarget
  const place = routeText(route)
  return (request) => ({ key: `${place}\n${keyOfTarget(request).key}`, path: pathOf(request.raw.url ?? '/') })
}

function keyOfTarget({ raw }: FastifyRequest): RequestKey {
  return targetKey(hostOf(raw.headers) ?? '', raw.url ?? '/')
}

export function targetKey(host: string, target: string): RequestKey {
  const authority = host.toLowerCase()
  // No host and no target contains a line feed, so no client can write a key of another kind.
  return { key: `${authority}\n${target}`, path: `${authority}\n${pathOf(target)}` }
}

export function pathOf(target: string): string {
  const end = target.indexOf('?')
  return end === -1 ? target : target.slice(0, end)
}
