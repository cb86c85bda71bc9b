import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import { createError } from '@fastify/error'
import fastifyRedis from '@fastify/redis'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { assertKnownOptions } from '../option-rules.js'
import { raceTimeout, withTimeout } from '../timeout.js'
import { type ConnectionListener, guardedConnector } from './connector.js'
import { classifyRedisFailure, countRedisFailure, lacksReason } from './failure-kind.js'
import { type Failure, OutageLog } from './outage-log.js'
import { type Breakers, createBreakers } from './server-breakers.js'

// Brings the type of `fastify.redis` along to whoever imports this file.
export type { FastifyRedis } from '@fastify/redis'

/** Host and port of one node or sentinel. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
}

/** An option of `fastify-vitrine/redis` that it cannot work with. */
export const InvalidRedisOption = createError<[string]>('VITRINE_REDIS_OPTION', 'fastify.redis: %s', 500, TypeError)

/**
 * Whether a text is a `redis://`, `rediss://` or `unix:` URL that names a server. Of the parts that a URL may have, those
 * that the client would ignore or misread are refused: a database that is not a number ends the process otherwise.
 */
export function isRedisUrl(text: string): boolean {
  if (!/^(rediss?:\/\/|unix:\/)/.test(text) || !URL.canParse(text)) return false
  const { protocol, hostname, port, username, password, pathname, search, searchParams, hash } = new URL(text)
  if (hash !== '') return false
  if (protocol === 'unix:') {
    // The path is used as it is written, without decoding.
    return hostname === '' && search === '' && /^\/[^%]+$/.test(pathname)
  }
  if (hostname === '' || port === '0' || !isDecodable(username) || !isDecodable(password)) return false
  // Any other parameter would replace an option of the client.
  const isKnownParameter = ([name, value]: [string, string]) =>
    (name === 'db' && isDatabase(value)) || (name === 'family' && /^[046]$/.test(value))
  const parameters = [...searchParams]
  const isOnce = new Set(parameters.map(([name]) => name)).size === parameters.length
  if (!isOnce || !parameters.every(isKnownParameter)) return false
  return pathname === '' || pathname === '/' || (isDatabase(pathname.slice(1)) && !searchParams.has('db'))
}

function isDatabase(text: string): boolean {
  return /^\d{1,9}$/.test(text)
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false // a percent sign that encodes nothing
  }
}

/** Where Redis is: one server by `url`, a Cluster by some of its nodes, or a master that sentinels know by name. */
export interface RedisPluginOptions {
  /** `redis://`, `rediss://` (TLS) or `unix:` URL of one server. */
  readonly url?: string
  /** Some nodes of a Redis Cluster; the others are learned from them. */
  readonly clusterNodes?: readonly RedisAddress[]
  /** Sentinels that know the master called `sentinelName`. */
  readonly sentinels?: readonly RedisAddress[]
  readonly sentinelName?: string
  readonly sentinelPassword?: string
  /** For a URL only where it has none itself. */
  readonly username?: string
  readonly password?: string
  /**
   * Speaks TLS, to sentinels too; a `rediss://` URL says so by itself. An object has what `tls.connect` of Node takes: `ca`
   * for certificates of an authority of your own, `cert` and `key` for a client certificate, `servername` for the name
   * that certificates have to be for. Default false.
   */
  readonly tls?: boolean | ConnectionOptions
  /** Milliseconds that boot may wait for the first connection; it goes on without one after that. Default 250. */
  readonly bootTimeoutMs?: number
  /** Milliseconds for one attempt to connect. Default 1,000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds until an unanswered command is rejected. Default 1,000; the cache has shorter budgets of its own. */
  readonly commandTimeoutMs?: number
  /** Milliseconds that closing may wait for replies under way before it cuts the connection. Default 500. */
  readonly closeTimeoutMs?: number
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Tells the story of the connection's outages; the cache reports into the same one. */
    redisHealth: OutageLog
    /** Say whether Redis is to be left alone for now, server by server; who uses the connection reports to them. */
    redisBreakers: Breakers
  }
}

/** All of them, or it does not compile. */
const known: Record<keyof RedisPluginOptions, true> = {
  url: true,
  clusterNodes: true,
  sentinels: true,
  sentinelName: true,
  sentinelPassword: true,
  username: true,
  password: true,
  tls: true,
  bootTimeoutMs: true,
  connectTimeoutMs: true,
  commandTimeoutMs: true,
  closeTimeoutMs: true,
}

type Client = Redis | Cluster

const maxReconnectDelayMs = 500
/** How long an unanswering socket is kept: long enough for a slow server, short enough to find a half-open one. */
const socketTimeoutMs = 5_000
const keepAliveMs = 10_000
/** Between asking a socket to end and destroying it: a hung server never answers the end. */
const disconnectTimeoutMs = 100

/**
 * `fastify.redis`: `@fastify/redis` with a client that holds up neither boot nor close. With Redis away, refused, hung
 * or unroutable the application starts, commands are rejected at once or within their time-out, and the client keeps
 * reconnecting, at least twice a second. All trouble is a warning through the application's logger.
 */
export default fp(redisPlugin, { name: 'fastify-vitrine/redis', fastify: '5.x' })

async function redisPlugin(app: FastifyInstance, options: RedisPluginOptions): Promise<void> {
  assertKnownOptions(options, known, InvalidRedisOption)
  checkPlace(options)
  const { bootTimeoutMs = 250, closeTimeoutMs = 500 } = options
  let reason: Error | undefined // of the last connection attempt, while none succeeds
  const client = createClient(options, {
    connected: () => {
      reason = undefined
    },
    failed: (error) => {
      if (!lacksReason(error)) reason = error
    },
  })
  const governor = new OutageLog({ log: app.log, subject: 'redis', explain, urgentKinds: new Set(['tls', 'auth']) })
  const breakers = createBreakers(client, { probe, onCalm: () => governor.succeeded() })
  app.decorate('redisHealth', governor)
  app.decorate('redisBreakers', breakers)
  let isClosing = false

  async function probe(server: Client): Promise<void> {
    try {
      await withTimeout(() => server.ping(), breakers.probeTimeoutMs)
    } catch (error) {
      report(error)
      throw error
    }
  }
  function explain(trouble: Failure): Failure {
    if (reason === undefined || !lacksReason(trouble.error)) return trouble
    return { ...trouble, kind: classifyRedisFailure(reason), error: reason }
  }
  function report(error: unknown): void {
    const kind = classifyRedisFailure(error)
    governor.failed({ kind, error, message: 'redis does not answer; the cache goes on without it' })
  }
  client.on('error', (error: Error) => {
    report(error) // the listener also keeps ioredis from printing the error on stderr
    countRedisFailure(classifyRedisFailure(error), breakers.whole)
  })
  client.on('close', () => {
    if (!isClosing) breakers.whole.trip()
  })
  client.on('ready', () => breakers.probeNow())

  // @fastify/redis ends boot with an error unless its client is 'ready', or gets there within the plugin time-out. The
  // client has not begun to connect and nobody else holds it yet, so it says 'ready' for as long as registering takes.
  client.status = 'ready'
  await app.register(fastifyRedis, { client })
  client.status = 'wait'

  const connected = client.connect().catch(() => undefined) // the 'error' listener reports it
  await raceTimeout(connected, bootTimeoutMs)
  app.addHook('onClose', () => {
    isClosing = true
    breakers.stop()
    return closeClient(client, closeTimeoutMs)
  })
}

/** Throws `VITRINE_REDIS_OPTION` unless the options name one place: left to itself the client would ask this machine. */
function checkPlace({ url, clusterNodes, sentinels, tls = false }: RedisPluginOptions): void {
  const places = [url, clusterNodes, sentinels].filter((place) => place !== undefined)
  if (places.length !== 1) throw new InvalidRedisOption('wants one of url, clusterNodes and sentinels')
  if (url !== undefined && (typeof url !== 'string' || !isRedisUrl(url))) {
    throw new InvalidRedisOption('url must be a redis://, rediss:// or unix: URL')
  }
  if (clusterNodes?.length === 0 || sentinels?.length === 0) {
    throw new InvalidRedisOption('clusterNodes and sentinels must not be empty')
  }
  if (typeof tls !== 'boolean' && (typeof tls !== 'object' || tls === null)) {
    throw new InvalidRedisOption('tls must be true, false or an object of options for tls.connect')
  }
}

function createClient(options: RedisPluginOptions, listener: ConnectionListener): Client {
  const { clusterNodes, sentinels, url } = options
  const common = { ...commonOptions(options), Connector: guardedConnector(options, listener) }
  const tls = tlsOptions(options)
  if (clusterNodes !== undefined) {
    return new Cluster([...clusterNodes], {
      lazyConnect: true,
      enableOfflineQueue: false, // a Cluster ignores the one inside redisOptions
      clusterRetryStrategy: reconnectDelay,
      slotsRefreshTimeout: common.connectTimeout,
      redisOptions: common,
      // The certificate is for the name, not for the address that ioredis would connect to instead.
      ...(tls === undefined ? {} : { dnsLookup: (host, callback) => callback(null, host) }),
    })
  }
  const single = {
    ...common,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: reconnectDelay,
  } satisfies RedisOptions
  if (sentinels !== undefined) {
    return new Redis({
      ...single,
      sentinels: [...sentinels],
      name: options.sentinelName ?? 'mymaster',
      sentinelRetryStrategy: reconnectDelay,
      ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
      ...(options.sentinelPassword === undefined ? {} : { sentinelPassword: options.sentinelPassword }),
    })
  }
  if (url?.startsWith('unix:')) return new Redis({ ...single, path: new URL(url).pathname })
  return url === undefined ? new Redis(single) : new Redis(url, single)
}

function commonOptions({ connectTimeoutMs = 1_000, commandTimeoutMs = 1_000, ...options }: RedisPluginOptions) {
  const tls = tlsOptions(options)
  return {
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    socketTimeout: socketTimeoutMs,
    keepAlive: keepAliveMs,
    disconnectTimeout: disconnectTimeoutMs,
    maxRetriesPerRequest: 0,
    // A write that timed out must not be sent again after an outage: it would bring back what was purged meanwhile.
    autoResendUnfulfilledCommands: false,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(tls === undefined ? {} : { tls }),
  } satisfies RedisOptions
}

/** What `tls.connect` takes, or `undefined`: without TLS, unless a `rediss://` URL says otherwise. */
function tlsOptions({ tls = false, clusterNodes = [] }: RedisPluginOptions): ConnectionOptions | undefined {
  if (tls === false) return undefined
  const names = clusterNodes.map(({ host }) => host).filter((host) => isIP(host) === 0)
  return { ...(names.length === 0 ? {} : { checkServerIdentity: identityOf(names) }), ...(tls === true ? {} : tls) }
}

/**
 * Accepts a node of a Cluster for one of the names that the Cluster is configured by, where the Cluster gives only the
 * node's address: certificates seldom name addresses. A node with a name of its own has to have a certificate for it.
 */
function identityOf(names: readonly string[]): typeof checkServerIdentity {
  return (host, certificate) => {
    const failure = checkServerIdentity(host, certificate)
    if (failure === undefined || isIP(host) === 0) return failure
    return names.some((name) => checkServerIdentity(name, certificate) === undefined) ? undefined : failure
  }
}

/** Milliseconds before reconnect attempt `attempt`: doubling from 50, at most 500, less up to a fifth of jitter. */
function reconnectDelay(attempt: number): number {
  const delayMs = Math.min(50 * 2 ** (attempt - 1), maxReconnectDelayMs)
  return delayMs * (1 - Math.random() / 5)
}

async function closeClient(client: Client, closeTimeoutMs: number): Promise<void> {
  const farewell = client.quit().catch(() => undefined) // rejected at once when there is no connection to end
  await raceTimeout(farewell, closeTimeoutMs)
  if (client.status === 'end') return
  const ended = new Promise((resolve) => client.once('end', resolve))
  client.disconnect()
  await raceTimeout(ended, 2 * disconnectTimeoutMs)
}
