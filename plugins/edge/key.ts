import { isDeepStrictEqual } from 'node:util'
import type { FastifyRequest, RouteOptions } from 'fastify'
import { LRUCache } from 'lru-cache'
import { isThenable } from '../responses/route-options.js'
import { authorityOf, createTargetKeyOf, pathOf, type RequestKey, routePrefix } from '../responses/target-key.js'
import { type FindSchema, readSchemaNames } from './schema-names.js'

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

/** Bytes of the keys that a route remembers, by target URI. */
const maxRememberedBytes = 2 * 2 ** 20
/** The key of a longer target URI is computed every time. */
const maxRememberedLength = 1_024

/**
 * The keys of a route's requests: path and validated query if the route has a schema that lists the parameters, else the complete
 * target URI.
 */
export class RouteKeys {
  readonly #route: RouteOptions
  #keyOf: KeyOf

  constructor(route: RouteOptions) {
    this.#route = route
    this.#keyOf = createTargetKeyOf(route, authorityOf)
  }

  readonly keyOf: KeyOf = (request, isValidated) => this.#keyOf(request, isValidated)

  /**
   * Call it when all schemas have been added. Gives whether the key is the complete URI, and why although the route has a schema of
   * its query.
   */
  complete(findSchema: FindSchema): { readonly isTarget: boolean; readonly openReason: string | undefined } {
    const { names, openReason } = listParameters(this.#route, findSchema)
    if (names !== undefined) this.#keyOf = createQueryKeyOf(this.#route, names)
    return { isTarget: names === undefined, openReason }
  }
}

/** The parameters that a route's schema names, or why they cannot be known. */
interface ListedParameters {
  readonly names?: readonly string[]
  readonly openReason?: string
}

function listParameters(route: RouteOptions, findSchema: FindSchema): ListedParameters {
  const schema = querySchema(route)
  if (schema === undefined) return {}
  if (!isRecord(schema) || !('type' in schema || '$ref' in schema || 'allOf' in schema)) {
    return { openReason: 'it is not a JSON schema of an object' }
  }
  const { names, openReason } = readSchemaNames(schema, findSchema)
  if (openReason !== undefined) return { openReason }
  return names.size > 0 || isRecord(schema.properties)
    ? { names: [...names].sort() }
    : { openReason: 'it names no parameters' }
}

function createQueryKeyOf(route: RouteOptions, names: readonly string[]): KeyOf {
  const targetKeyOf = createTargetKeyOf(route, authorityOf)
  const prefix = routePrefix(route)
  const remembered = new LRUCache<string, Required<EdgeKey>>({
    maxSize: maxRememberedBytes,
    sizeCalculation: ({ key }, url) => bytesOfRemembered(url, key),
  })
  const keyFor = (url: string, query: Query, result: Query): Required<EdgeKey> | undefined => {
    const path = pathOf(url)
    const validated = pick(result, names) // in the order of the key
    const parameters = canonical(validated)
    return parameters === undefined ? undefined : { key: `${prefix}${path}?${parameters}`, path, query, validated }
  }
  return (request, isValidated) => {
    const url = request.raw.url ?? '/'
    const given = isRecord(request.query) ? request.query : {}
    if (isValidated) {
      const query = pick(given, names)
      return keyFor(url, query, query)
    }
    const known = remembered.get(url)
    // A hook may have completed the query of this request from something else than its URL.
    if (known !== undefined && hasSameParameters(known.query, given, names)) return known
    if (!Object.values(given).every(isPlain)) return undefined
    const query = structuredClone(pick(given, names)) // handlers and validators change what they get
    const validated = validate(request, query)
    if (validated === 'asynchronous') return targetKeyOf(request)
    if (validated === undefined || refusesOthers(request, given, query)) return undefined
    const key = keyFor(url, query, validated)
    if (key !== undefined && url.length <= maxRememberedLength) remembered.set(url, key)
    return key
  }
}

/** Approximate size in memory: the parameters are in the key once, and in the two objects once each. */
function bytesOfRemembered(url: string, key: string): number {
  return 512 + 2 * (url.length + 2 * key.length)
}

type Query = Readonly<Record<string, unknown>>

/** Fastify accepts two names for it, and unifies them only when all routes are known. */
function querySchema({ schema = {} }: RouteOptions): unknown {
  return schema.querystring ?? ('query' in schema ? schema.query : undefined)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Inherited members, such as `constructor`, are no parameters. */
function parameterOf(query: Query, name: string): unknown {
  return Object.hasOwn(query, name) ? query[name] : undefined
}

function pick(query: Query, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.filter((name) => parameterOf(query, name) !== undefined).map((name) => [name, query[name]]),
  )
}

function hasSameParameters(known: Query, given: Query, names: readonly string[]): boolean {
  return names.every((name) => {
    const [one, other] = [parameterOf(known, name), parameterOf(given, name)]
    return one === other || (typeof one === 'object' && isDeepStrictEqual(one, other))
  })
}

/** The query after the route's own validator; `undefined` if it is invalid. */
function validate(request: FastifyRequest, query: Query): Query | 'asynchronous' | undefined {
  const input = structuredClone(query) // validators fill in defaults
  const result: unknown = request.validateInput(input, 'querystring')
  if (isThenable(result)) {
    Promise.resolve(result).catch(() => undefined) // an unhandled rejection would end the process
    return 'asynchronous'
  }
  if (isRecord(result) && isRecord(result.value)) return result.value // as compilers other than Fastify's own answer
  return result === true || (isRecord(result) && !('error' in result)) ? input : undefined
}

/** Whether validation refuses the request because of parameters that are not in the key. */
function refusesOthers(request: FastifyRequest, given: Query, query: Query): boolean {
  return Object.keys(given).length > Object.keys(query).length && validate(request, given) === undefined
}

/** The query as text; `undefined` where JSON gives one text to two values, such as a `Map`, or `NaN` and `null`. */
function canonical(query: Query): string | undefined {
  const parameters = Object.entries(query)
  return parameters.every(([, value]) => isPlain(value)) ? JSON.stringify(parameters) : undefined
}

/** Whether JSON gives back an equal value. */
function isPlain(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (Array.isArray(value)) return Array.from(value).every(isPlain) // holes too
  if (!isRecord(value) || ![Object.prototype, null].includes(Object.getPrototypeOf(value))) return false
  return Object.values(value).every(isPlain)
}
