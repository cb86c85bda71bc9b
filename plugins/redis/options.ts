import type { ConnectionOptions } from 'node:tls'
import { createError } from '@fastify/error'
import { type OptionRule, resolveByRules, rule, timerRule } from '../option-rules.js'
import { isRedisUrl } from './redis-url.js'

/** Host and port of one node or sentinel. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
}

/** An invalid option of `fastify-vitrine/redis`. */
export const InvalidRedisOption = createError<[string]>('VITRINE_REDIS_OPTION', 'fastify.redis: %s', 500, TypeError)

/** Exactly one of `url` (one server), `clusterNodes` (a Cluster) and `sentinels` (a master behind sentinels) is required. */
export interface RedisPluginOptions {
  /** `redis://`, `rediss://` (TLS) or `unix:` URL of one server. */
  readonly url?: string
  /** Some nodes of a Redis Cluster. The client discovers the others. */
  readonly clusterNodes?: readonly RedisAddress[]
  /** Sentinels that monitor the master `sentinelName`. */
  readonly sentinels?: readonly RedisAddress[]
  /** Default `mymaster`. */
  readonly sentinelName?: string
  readonly sentinelPassword?: string
  /** Used with a URL only if the URL has none. */
  readonly username?: string
  readonly password?: string
  /**
   * Use TLS, for sentinels too; a `rediss://` URL implies it. An object is passed to `tls.connect` of Node.js: `ca` for
   * a certificate authority of your own, `cert` and `key` for a client certificate, `servername` for the name that
   * certificates must have. Default false.
   */
  readonly tls?: boolean | ConnectionOptions
  /** Milliseconds that boot waits for the first connection before it continues without one. Default 250. */
  readonly bootTimeoutMs?: number
  /** Milliseconds for one connection attempt. Default 1,000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds until an unanswered command is rejected. Default 1,000. The cache has shorter time-outs of its own. */
  readonly commandTimeoutMs?: number
  /** Milliseconds that closing waits for pending replies before it ends the connection. Default 500. */
  readonly closeTimeoutMs?: number
}

const rules = {
  url: rule<string | undefined>(
    undefined,
    (value) => typeof value === 'string' && isRedisUrl(value),
    'a redis://, rediss:// or unix: URL; the path may only be a database number, and the only parameters are db and family',
  ),
  clusterNodes: addressesRule(),
  sentinels: addressesRule(),
  sentinelName: { ...textRule(), defaultValue: 'mymaster' },
  sentinelPassword: textRule(),
  username: textRule(),
  password: textRule(),
  tls: {
    defaultValue: false,
    isValid: (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null),
    expected: 'true, false or an object of options for tls.connect',
  },
  bootTimeoutMs: timerRule(250, 0),
  connectTimeoutMs: timerRule(1_000),
  commandTimeoutMs: timerRule(1_000),
  closeTimeoutMs: timerRule(500, 0),
} satisfies { readonly [Name in keyof RedisPluginOptions]-?: OptionRule<RedisPluginOptions[Name]> }

export type ResolvedRedisOptions = ReturnType<typeof resolveRedisOptions>

/** The options with their defaults. Throws `VITRINE_REDIS_OPTION` naming the one that is unknown or invalid. */
export function resolveRedisOptions(options: RedisPluginOptions) {
  const resolved = resolveByRules(options, rules, InvalidRedisOption)
  const { url, clusterNodes, sentinels } = resolved
  // Without any of them the client would connect to this machine.
  const places = [url, clusterNodes, sentinels].filter((place) => place !== undefined)
  if (places.length !== 1) {
    throw new InvalidRedisOption('exactly one of url, clusterNodes and sentinels must be set')
  }
  return resolved
}

function textRule(): OptionRule<string | undefined> {
  return rule<string | undefined>(undefined, (value) => typeof value === 'string', 'a string')
}

function addressesRule(): OptionRule<readonly RedisAddress[] | undefined> {
  return rule<readonly RedisAddress[] | undefined>(
    undefined,
    (value) => Array.isArray(value) && value.length > 0 && value.every(isAddress),
    'a list of at least one { host, port }',
  )
}

function isAddress(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('host' in value) || !('port' in value)) return false
  const { host, port } = value
  return typeof host === 'string' && host !== '' && Number.isInteger(port) && Number(port) > 0 && Number(port) < 2 ** 16
}
