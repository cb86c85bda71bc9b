import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Static, Type } from '@sinclair/typebox'
import envSchema from 'env-schema'
import { createValidator, parseNodes } from './formats.js'
import { createNetworkMatcher, parseNetworks } from './networks.js'

/**
 * The environment variables with checks and defaults. `description` completes the error message `<name> must be …`.
 */
const Environment = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'a host name or address to listen on' }),
  PORT: Type.Integer({ default: 3000, minimum: 0, maximum: 65_535, description: 'an integer between 0 and 65535' }),
  LOG_LEVEL: Type.Union(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => Type.Literal(level)),
    { default: 'info', description: 'trace, debug, info, warn, error, fatal or silent' },
  ),
  UPSTREAM_URL: Type.Optional(
    Type.String({ format: 'http-url', description: 'an http:// or https:// URL without user, query or fragment' }),
  ),
  UPSTREAM_TOKEN: Type.Optional(
    Type.String({ format: 'header-value', description: 'a token of printable characters' }),
  ),
  UPSTREAM_TIMEOUT_MS: milliseconds(2_000),
  UPSTREAM_DEADLINE_MS: milliseconds(10_000),
  REDIS_URL: Type.Optional(
    Type.String({
      format: 'redis-url',
      description:
        'a redis://, rediss:// or unix: URL of a Redis server, such as redis://localhost:6379/0; the path may only be a database number, and the only parameters are db and family',
    }),
  ),
  REDIS_CLUSTER_NODES: Type.Optional(nodeList()),
  REDIS_SENTINELS: Type.Optional(nodeList()),
  REDIS_SENTINEL_NAME: Type.Optional(Type.String({ description: 'the name of the master that the Sentinels monitor' })),
  REDIS_SENTINEL_PASSWORD: Type.Optional(Type.String({ description: 'a password' })),
  REDIS_USERNAME: Type.Optional(Type.String({ description: 'a user name' })),
  REDIS_PASSWORD: Type.Optional(Type.String({ description: 'a password' })),
  REDIS_TLS: Type.Boolean({ default: false, description: 'true or false' }),
  REDIS_TLS_CA_FILE: Type.Optional(
    Type.String({ format: 'certificate-file', description: 'the path of a readable file of PEM certificates' }),
  ),
  CACHE_KEY_PREFIX: Type.String({
    default: 'cat_',
    pattern: '^[^\\s{}*?\\[\\]]{1,64}$',
    description: '1 to 64 characters without white space, braces, brackets, * and ?',
  }),
  CACHE_TTL_SECONDS: Type.Integer({
    default: 300,
    minimum: 1,
    maximum: 2_592_000,
    description: 'an integer number of seconds between 1 and 2592000',
  }),
  CACHE_STALE_WHILE_REVALIDATE_SECONDS: staleSeconds(60),
  CACHE_STALE_IF_ERROR_SECONDS: staleSeconds(86_400),
  CATALOG_TIME_ZONE: Type.String({
    default: 'UTC',
    format: 'time-zone',
    description: 'an IANA time zone such as Europe/Paris',
  }),
  TRUST_PROXY: Type.Optional(
    Type.String({
      format: 'network-list',
      description:
        'a comma-separated list of addresses and CIDR ranges of proxies, such as 127.0.0.1,10.0.0.0/8; not wider than /8 (IPv6: /7)',
    }),
  ),
  RATE_LIMIT_MAX: Type.Integer({
    default: 600,
    minimum: 0,
    maximum: 1_000_000_000,
    description: 'an integer number of requests per minute between 0 and 1000000000; 0 for no limit',
  }),
  PURGE_TOKEN: Type.Optional(Type.String({ format: 'header-value', description: 'a token of printable characters' })),
})

export type Config = Static<typeof Environment>

/** An invalid environment. The message is one line that names the variables. */
export class InvalidEnvironment extends Error {
  override readonly name = 'InvalidEnvironment'
}

const validator = createValidator()

/** Reads and checks the environment. Empty variables count as unset. Throws `InvalidEnvironment`. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const data = Object.fromEntries(Object.entries(environment).filter(isSet).map(withInteger))
  let config: Config
  try {
    config = envSchema<Config>({ schema: Environment, data, env: false, ajv: validator })
  } catch (error) {
    throw new InvalidEnvironment(formatErrors(error))
  }
  const conflict = findConflict(config)
  if (conflict !== undefined) throw new InvalidEnvironment(conflict)
  return config
}

function isSet(entry: [name: string, value: string | undefined]): entry is [string, string] {
  return entry[1] !== undefined && entry[1] !== ''
}

/** Accepts plain digits only: Ajv's coercion accepts a blank as 0 and `1e3` as 1000. */
function withInteger([name, text]: [string, string]): [string, string | number] {
  const isInteger = Object.entries(Environment.properties).some(
    ([property, { type }]) => property === name && type === 'integer',
  )
  if (!isInteger) return [name, text]
  return [name, /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN]
}

/** Options of `fastify-vitrine/redis`; `undefined`: memory only. */
export function redisOptions(config: Config) {
  const credentials = {
    ...(config.REDIS_USERNAME === undefined ? {} : { username: config.REDIS_USERNAME }),
    ...(config.REDIS_PASSWORD === undefined ? {} : { password: config.REDIS_PASSWORD }),
    tls: config.REDIS_TLS_CA_FILE === undefined ? config.REDIS_TLS : { ca: readFileSync(config.REDIS_TLS_CA_FILE) },
  }
  if (config.REDIS_CLUSTER_NODES !== undefined) {
    return { clusterNodes: parseNodes(config.REDIS_CLUSTER_NODES), ...credentials }
  }
  if (config.REDIS_SENTINELS !== undefined && config.REDIS_SENTINEL_NAME !== undefined) {
    return {
      sentinels: parseNodes(config.REDIS_SENTINELS),
      sentinelName: config.REDIS_SENTINEL_NAME,
      ...(config.REDIS_SENTINEL_PASSWORD === undefined ? {} : { sentinelPassword: config.REDIS_SENTINEL_PASSWORD }),
      ...credentials,
    }
  }
  return config.REDIS_URL === undefined ? undefined : { url: config.REDIS_URL, ...credentials }
}

/** Whether an address is one of the proxies of `TRUST_PROXY`; `undefined`: there are none. */
export function trustedProxies({ TRUST_PROXY: text }: Config): ((address: string) => boolean) | undefined {
  const networks = text === undefined ? undefined : parseNetworks(text)
  return networks && createNetworkMatcher(networks)
}

/**
 * Prefix of all Redis keys: the configured prefix and the identity of the upstream, so that two environments on one Redis do not
 * share data.
 */
export function cacheKeyPrefix(config: Config): string {
  return `${config.CACHE_KEY_PREFIX}${upstreamIdentity(config.UPSTREAM_URL)}:`
}

function upstreamIdentity(url: string | undefined): string {
  if (url === undefined) return 'demo'
  const canonical = new URL(url).href.replace(/\/+$/, '')
  return createHash('sha256').update(canonical).digest('hex').slice(0, 8)
}

function findConflict(config: Config): string | undefined {
  const places = (['REDIS_URL', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'] as const).filter(
    (name) => config[name] !== undefined,
  )
  if (places.length > 1) return `${places.join(' and ')} must not be set together`
  if (config.REDIS_SENTINELS !== undefined && config.REDIS_SENTINEL_NAME === undefined) {
    return 'REDIS_SENTINEL_NAME must be the name of the master when REDIS_SENTINELS is set'
  }
  if (config.REDIS_SENTINELS === undefined) {
    const orphan = (['REDIS_SENTINEL_NAME', 'REDIS_SENTINEL_PASSWORD'] as const).find(
      (name) => config[name] !== undefined,
    )
    if (orphan !== undefined) return `${orphan} must not be set without REDIS_SENTINELS`
  }
  return findOrphan(config, places.length > 0)
}

/** A variable that has no effect is refused: the one that it needs was probably forgotten. */
function findOrphan(config: Config, hasRedis: boolean): string | undefined {
  if (config.UPSTREAM_TOKEN !== undefined && config.UPSTREAM_URL === undefined) {
    return 'UPSTREAM_TOKEN must not be set without UPSTREAM_URL'
  }
  if (config.REDIS_TLS_CA_FILE !== undefined && !usesTls(config, hasRedis)) {
    return 'REDIS_TLS_CA_FILE must not be set without TLS: write a rediss:// URL or REDIS_TLS=true'
  }
  const login = (['REDIS_USERNAME', 'REDIS_PASSWORD'] as const).filter((name) => config[name] !== undefined)
  const [orphan] = [...login, ...(config.REDIS_TLS ? ['REDIS_TLS'] : [])]
  if (!hasRedis && orphan !== undefined) {
    return `${orphan} must not be set without REDIS_URL, REDIS_CLUSTER_NODES or REDIS_SENTINELS`
  }
  const { username = '', password = '' } = config.REDIS_URL === undefined ? {} : new URL(config.REDIS_URL)
  const inUrl = { REDIS_USERNAME: username, REDIS_PASSWORD: password }
  const repeated = login.find((name) => inUrl[name] !== '')
  return repeated && `${repeated} must not be set when REDIS_URL has its own`
}

function usesTls({ REDIS_URL: url, REDIS_TLS: tls }: Config, hasRedis: boolean): boolean {
  return hasRedis && (tls || (url !== undefined && new URL(url).protocol === 'rediss:'))
}

/** One line that names each invalid variable and what it must be. No values: some are secrets. */
function formatErrors(error: unknown): string {
  const failures: readonly { instancePath: string }[] =
    error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : []
  const names = new Set(failures.map(({ instancePath }) => instancePath.slice(1)))
  const messages = [...names].map((name) => `${name} must be ${expected(name)}`)
  return messages.length > 0 ? messages.join('; ') : String(error)
}

function expected(name: string): string {
  const property = Object.entries(Environment.properties).find(([property]) => property === name)?.[1]
  return property?.description ?? 'a valid value'
}

function milliseconds(byDefault: number) {
  return Type.Integer({
    default: byDefault,
    minimum: 1,
    maximum: 600_000,
    description: 'an integer number of milliseconds between 1 and 600000',
  })
}

function staleSeconds(byDefault: number) {
  return Type.Integer({
    default: byDefault,
    minimum: 0,
    maximum: 2_592_000,
    description: 'an integer number of seconds between 0 and 2592000; 0 for never',
  })
}

function nodeList() {
  return Type.String({ format: 'node-list', description: 'a comma-separated list of host:port' })
}
