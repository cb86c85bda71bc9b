import type { FastifyRequest, RouteOptions } from 'fastify'
import { LRUCache } from 'lru-cache'
import { hostOf } from '../http/request-fields.js'

/** What a request asks for, the request fields aside. */
export interface RequestKey {
  /** Names the resource among all that the plugin keeps. */
  readonly key: string
  /** Path under which everything is found that belongs to it. */
  readonly path: string
  /** The parameters that the handler sees, as they were sent, where the key covers no others. */
  readonly query: Readonly<Record<string, unknown>> | undefined
  /** The same as the route's schema makes them, which is how the key contains them. */
  readonly validated?: Readonly<Record<string, unknown>>
}

/**
 * Gives the key of a request; `undefined` for one that is going to be refused, or that no key can contain. `isValidated`: Fastify has validated the request,
 * and hooks may have changed its query since.
 */
export type KeyOf = (request: FastifyRequest, isValidated: boolean) => RequestKey | undefined

/** Characters of target URIs that are remembered with what they ask for. */
const maxRemembered = 2 ** 20
/** A target URI that is longer is worked out every time. */
const maxRememberedLength = 1_024

/**
 * Makes the keys of a route's requests: of its path and its validated query, or of the whole target URI where there is no
 * schema that says what of the query matters, or where somebody else decides.
 */
export function createKeyOf(route: RouteOptions, forwards: boolean): KeyOf {
  const names = forwards ? undefined : queryNames(querySchema(route))
  const { constraints = {} } = route
  const place = JSON.stringify([route.url, constraints], distinctly)
  if (names === undefined) return Object.keys(constraints).length === 0 ? targetUri : targetUriAt(place)
  const remembered = new LRUCache<string, RequestKey>({
    maxSize: maxRemembered,
    sizeCalculation: (_key, url) => url.length + 64,
  })
  const keyFor = (url: string, query: Record<string, unknown>, validated: Record<string, unknown>) => {
    const path = pathOf(url)
    const parameters = canonical(validated, names)
    return parameters === undefined ? undefined : { key: `${place}\n${path}?${parameters}`, path, query, validated }
  }
  return (request, isValidated) => {
    const url = request.raw.url ?? '/'
    if (isValidated) {
      const query = pick(request.query, names)
      return keyFor(url, query, query)
    }
    const known = remembered.get(url)
    if (known !== undefined) return known
    const query = pick(request.query, names)
    const validated = validatedQuery(request, query)
    if (validated === undefined) return undefined
    const key = keyFor(url, query, validated)
    if (key !== undefined && url.length <= maxRememberedLength) remembered.set(url, key)
    return key
  }
}

/** Hosts may be given by an expression, which is `{}` to JSON whatever it says. */
function distinctly(_name: string, value: unknown): unknown {
  return value instanceof RegExp ? String(value) : value
}

/** The target URI: one byte more or less is another one. RFC 9110 §7.1. */
function targetUri({ raw }: FastifyRequest): RequestKey {
  return targetUriKey(hostOf(raw.headers) ?? '', raw.url ?? '/')
}

/** The same where Fastify also goes by something else, such as the version that is asked for. */
function targetUriAt(place: string): KeyOf {
  return (request) => {
    const { key } = targetUri(request)
    return { key: `${place}\n${key}`, path: pathOf(request.raw.url ?? '/'), query: undefined }
  }
}

export function targetUriKey(host: string, target: string): RequestKey {
  const authority = host.toLowerCase()
  // A line feed is in no host and in no target, so no client can write a key of another kind.
  return { key: `${authority}\n${target}`, path: `${authority}\n${pathOf(target)}`, query: undefined }
}

export function pathOf(target: string): string {
  const end = target.indexOf('?')
  return end === -1 ? target : target.slice(0, end)
}

/** Fastify has two names for it, and makes one of them only when all routes are known. */
function querySchema({ schema = {} }: RouteOptions): unknown {
  return schema.querystring ?? ('query' in schema ? schema.query : undefined)
}

/** The parameters that the schema names; `undefined` where it does not say which there can be. */
function queryNames(schema: unknown): readonly string[] | undefined {
  if (!isRecord(schema) || schema.type !== 'object' || !isRecord(schema.properties)) return undefined
  const isOpen = ['patternProperties', 'allOf', 'anyOf', 'oneOf', 'if', '$ref'].some((keyword) => keyword in schema)
  return isOpen ? undefined : Object.keys(schema.properties).sort()
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function pick(query: unknown, names: readonly string[]): Record<string, unknown> {
  const given = isRecord(query) ? query : {}
  return Object.fromEntries(names.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]))
}

/** What the route's own validator makes of the query. */
function validatedQuery(request: FastifyRequest, query: Record<string, unknown>): Record<string, unknown> | undefined {
  const input = structuredClone(query) // validators fill defaults in
  const result: unknown = request.validateInput(input, 'querystring')
  if (isRecord(result) && isRecord(result.value)) return result.value // as compilers other than Fastify's own answer
  return result === true || (isRecord(result) && !('error' in result)) ? input : undefined
}

/** The query as a text; `undefined` where JSON would give one text to two values, such as a `Map`, or `NaN` and `null`. */
function canonical(query: Record<string, unknown>, names: readonly string[]): string | undefined {
  const given = names.filter((name) => query[name] !== undefined)
  if (!given.every((name) => isPlain(query[name]))) return undefined
  return JSON.stringify(given.map((name) => [name, query[name]]))
}

/** Whether JSON gives back an equal value. */
function isPlain(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isPlain)
  if (!isRecord(value) || ![Object.prototype, null].includes(Object.getPrototypeOf(value))) return false
  return Object.values(value).every(isPlain)
}
