import type { FastifyRequest } from 'fastify'
import type { FreshnessPolicy } from '../http/freshness.js'
import { keyedValue, type Normalise } from '../http/vary.js'
import {
  booleanRule,
  functionRule,
  maxSeconds,
  numberRule,
  type OptionRule,
  type Resolved,
  rule,
} from '../option-rules.js'
import { isTag, maxTagHeaderBytes, type TagHeader } from './tag-header.js'

/** A request field that responses depend on, and what they depend on of it: values that normalise alike are one variant. */
export interface VaryBy {
  readonly name: string
  /** Gives the value that the key contains and the handler sees; `undefined`: the field is missing. */
  readonly normalise: Normalise
}

/** The errors of a plugin for options. */
export interface OptionErrors {
  readonly InvalidOption: new (message: string) => Error
  /** For a function that returned a promise. */
  readonly AsyncOption: new (
    name: string,
  ) => Error
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** A structured token, which `Cache-Status` requires of the names of caches. RFC 9211 §2. */
const cacheName = /^[A-Za-z*][!#$%&'*+.^_`|~:/0-9A-Za-z-]*$/
const tagHeaders: readonly unknown[] = ['Surrogate-Key', 'Cache-Tag', 'Edge-Cache-Tag', false]

/** Seconds, fractions allowed. */
export function secondsRule<Default extends number | undefined>(defaultValue: Default): OptionRule<Default | number> {
  return numberRule(defaultValue, 0, maxSeconds)
}

const isList = (value: unknown) => Array.isArray(value)

/** What both plugins take for all routes and for one. */
export const sharedPolicyRules = {
  ttlSeconds: secondsRule(undefined),
  staleWhileRevalidateSeconds: secondsRule(0),
  staleIfErrorSeconds: secondsRule(0),
  maxBodyBytes: numberRule(2 * 2 ** 20, 0, 2 ** 30),
  maxVariants: numberRule(16, 1, 1_000),
}

/** What both plugins take for one route. */
export const sharedRouteRules = {
  tags: rule<readonly string[] | ((request: FastifyRequest) => readonly string[])>(
    [],
    (value) => typeof value === 'function' || (Array.isArray(value) && value.every(isTag)),
    "a list of tags, such as ['sellers'], or a function that returns one",
  ),
  vary: rule<readonly (string | VaryBy)[]>([], isList, "a list, such as ['x-tenant']"),
  bypass: functionRule<((request: FastifyRequest) => unknown) | undefined>(undefined),
  acknowledgeSkippedHooks: booleanRule(false),
}

/** What both plugins take at registration. */
export const sharedPluginRules = {
  name: rule<string>('Vitrine', (value) => typeof value === 'string' && cacheName.test(value), 'a token'),
  tagHeader: rule<TagHeader | false>(
    'Surrogate-Key',
    (value) => tagHeaders.includes(value),
    'Surrogate-Key, Cache-Tag, Edge-Cache-Tag or false',
  ),
  maxTagHeaderBytes: numberRule(4_096, 1, maxTagHeaderBytes),
  maxMemoryBytes: numberRule(64 * 2 ** 20, 1),
  collapseTimeoutMs: numberRule(10_000, 1, 600_000),
  now: functionRule<() => number>(Date.now),
}

/** The options of a registration that routes take where they say nothing themselves. */
export function policyOf(options: object, policyRules: object) {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(policyRules, name)))
}

/** The options of a route, completed by those of its registration. */
export function completeByPolicy(
  config: 'edge' | 'proxyCache',
  options: object,
  policy: object,
  { InvalidOption }: OptionErrors,
): object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOption(`config.${config} must be an object of options, or false`)
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return { ...policy, ...Object.fromEntries(given) }
}

/** Refuses options of the other HTTP cache with the advice to use that. */
export function refuseMisplaced(
  options: object,
  names: readonly string[],
  advice: string,
  { InvalidOption }: OptionErrors,
): void {
  const misplaced = names.find((name) => Reflect.get(options, name) !== undefined)
  if (misplaced !== undefined) throw new InvalidOption(`there is no option ${misplaced}: ${advice}`)
}

/** The settings of a route that both plugins have. */
export interface SharedSettings {
  readonly freshness: FreshnessPolicy
  readonly maxBodyBytes: number
  readonly maxVariants: number
  readonly tagsOf: (request: FastifyRequest) => readonly string[]
  /** Request fields in the key, in lower case and in order. */
  readonly vary: readonly VaryBy[]
  readonly varyNames: readonly string[]
  readonly bypasses: ((request: FastifyRequest) => boolean) | undefined
  readonly acknowledgesSkippedHooks: boolean
}

type SharedOptions = Resolved<typeof sharedPolicyRules & typeof sharedRouteRules>

export function resolveShared(
  options: SharedOptions,
  { heuristicFraction }: Pick<FreshnessPolicy, 'heuristicFraction'>,
  errors: OptionErrors,
): SharedSettings {
  const { ttlSeconds, staleWhileRevalidateSeconds, staleIfErrorSeconds } = options
  const vary = resolveVary(options.vary, errors)
  return {
    freshness: { ttlSeconds, staleWhileRevalidateSeconds, staleIfErrorSeconds, heuristicFraction },
    maxBodyBytes: options.maxBodyBytes,
    maxVariants: options.maxVariants,
    tagsOf: resolveTags(options.tags, errors),
    vary,
    varyNames: vary.map(({ name }) => name),
    bypasses: resolveBypass(options.bypass, errors),
    acknowledgesSkippedHooks: options.acknowledgeSkippedHooks,
  }
}

/** The option `vary` by lower-case name, in order. */
function resolveVary(given: readonly (string | VaryBy)[], errors: OptionErrors): readonly VaryBy[] {
  const vary = given.map((by) => {
    if (typeof by === 'string') {
      const name = fieldName('vary', by, errors)
      return { name, normalise: (value: string | undefined) => keyedValue(name, value) }
    }
    // A program without types may have anything in the list.
    if (typeof by?.normalise !== 'function')
      throw new errors.InvalidOption('vary must be names, or { name, normalise }')
    return { name: fieldName('vary', by.name, errors), normalise: asText(by.normalise, errors) }
  })
  return vary.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whatever a program without types returns becomes text, so that the key and the handler agree. */
function asText(normalise: Normalise, errors: OptionErrors): Normalise {
  const call = synchronous('normalise', normalise, errors)
  return (given) => {
    const value: unknown = call(given)
    return value === undefined || value === null ? undefined : String(value)
  }
}

/** The name of a request field in lower case. */
export function fieldName(option: string, name: unknown, { InvalidOption }: OptionErrors): string {
  if (typeof name === 'string' && token.test(name) && name !== '*') return name.toLowerCase()
  throw new InvalidOption(`${option} must name request fields, such as x-tenant`)
}

/** The option `bypass` as a predicate: any truthy value bypasses. A promise, which is always truthy, is an error. */
function resolveBypass(
  bypass: ((request: FastifyRequest) => unknown) | undefined,
  errors: OptionErrors,
): ((request: FastifyRequest) => boolean) | undefined {
  if (bypass === undefined) return undefined
  const call = synchronous('bypass', bypass, errors)
  return (request) => Boolean(call(request))
}

/** The option `tags` as a function. */
function resolveTags(
  tags: readonly string[] | ((request: FastifyRequest) => readonly string[]),
  errors: OptionErrors,
): (request: FastifyRequest) => readonly string[] {
  return typeof tags === 'function' ? synchronous('tags', tags, errors) : () => tags
}

/** The function, which throws where it would return a promise. An `async` function is refused at once. */
function synchronous<Given, Result>(
  name: string,
  call: (given: Given) => Result,
  { InvalidOption, AsyncOption }: OptionErrors,
): (given: Given) => Result {
  if (call.constructor.name === 'AsyncFunction') {
    throw new InvalidOption(`${name} must be synchronous: await in an onRequest hook, and read the result here`)
  }
  return (given) => {
    const result = call(given)
    if (!isThenable(result)) return result
    Promise.resolve(result).catch(() => undefined) // an unhandled rejection would end the process
    throw new AsyncOption(name)
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** The plugin's options of a route, as its config has them. */
export interface RouteConfig {
  readonly method: unknown
  readonly url: string
  readonly config?: object | undefined
}

/** Resolves the options of a route; names the route in errors. Refuses the options of the other HTTP cache beside them. */
export function resolveForRoute<Resolved>(
  { method, url, config = {} }: RouteConfig,
  other: 'edge' | 'proxyCache',
  { InvalidOption }: OptionErrors,
  resolve: () => Resolved,
): Resolved {
  if (Reflect.get(config, other)) {
    throw new InvalidOption(
      `${method} ${url}: config.edge and config.proxyCache exclude each other: write config.edge where the handler generates the response, config.proxyCache where it forwards`,
    )
  }
  try {
    return resolve()
  } catch (error) {
    if (!(error instanceof InvalidOption)) throw error
    throw new InvalidOption(`${method} ${url}: ${error.message.replace(/^[\w-]+: /, '')}`)
  }
}
