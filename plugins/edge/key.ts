import type { FastifyRequest, RouteOptions } from 'fastify'
import { LRUCache } from 'lru-cache'
import { authorityOf, createTargetKeyOf, pathOf, type RequestKey, routeText } from '../responses/target-key.js'

export interface EdgeKey extends RequestKey {
  /** The parameters in the key, as they were sent: the handler sees no others. `undefined`: the key is the complete URI. */
  readonly query?: Readonly<Record<string, unknown>>
  /** The same as validated, which is how the key contains them. */
  readonly validated?: Readonly<Record<string, unknown>>
}

/**
 * Gives the key of a request; `undefined` for one that validation refuses, or that no key can contain. `isValidated`: Fastify has
 * validated the request, and hooks may have changed its query since.
 */
export type KeyOf = (request: FastifyRequest, isValidated: boolean) => EdgeKey | undefined

/** Characters of target URIs whose keys are remembered. */
const maxRemembered = 2 ** 20
/** The key of a longer target URI is computed every time. */
const maxRememberedLength = 1_024

/**
 * The keys of a route's requests: path and validated query if the route has a schema that lists the parameters, else the complete
 * target URI.
 */
export function createKeyOf(route: RouteOptions): KeyOf {
  const names = queryNames(querySchema(route))
  if (names === undefined) return createTargetKeyOf(route, authorityOf)
  const place = routeText(route)
  const remembered = new LRUCache<string, EdgeKey>({
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

/** Fastify accepts two names for it, and unifies them only when all routes are known. */
function querySchema({ schema = {} }: RouteOptions): unknown {
  return schema.querystring ?? ('query' in schema ? schema.query : undefined)
}

/** The parameters that the schema names; `undefined` if it allows names that it does not list. */
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

/** The query after the route's own validator; `undefined` if it is invalid. */
function validatedQuery(request: FastifyRequest, query: Record<string, unknown>): Record<string, unknown> | undefined {
  const input = structuredClone(query) // validators fill in defaults
  const result: unknown = request.validateInput(input, 'querystring')
  if (isRecord(result) && isRecord(result.value)) return result.value // as compilers other than Fastify's own answer
  return result === true || (isRecord(result) && !('error' in result)) ? input : undefined
}

/** The query as text; `undefined` where JSON gives one text to two values, such as a `Map`, or `NaN` and `null`. */
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
