import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import { Cluster, Redis, type RedisOptions, SentinelConnector } from 'ioredis'
import { raceTimeout } from '../timeout.js'
import { type ConnectionListener, guardConnector } from './guarded-connector.js'
import type { ResolvedRedisOptions } from './options.js'
import { reconnectDelayMs } from './reconnect-delay.js'
import { ServerConnector } from './server-connector.js'

export type Client = Redis | Cluster

/** Milliseconds without a byte after which a socket is closed: enough for a slow server, and ends a half-open one. */
const socketTimeoutMs = 5_000
const keepAliveMs = 10_000
/** Milliseconds between ending a socket and destroying it: a server that hangs does not answer the end. */
const disconnectTimeoutMs = 100

const retryStrategy = (attempt: number) => reconnectDelayMs(attempt, Math.random)

/** A client that is not connected yet and rejects commands at once while it has no connection. */
export function createClient(options: ResolvedRedisOptions, listener: ConnectionListener): Client {
  const { clusterNodes, sentinels, url } = options
  const common = commonOptions(options, listener)
  if (clusterNodes !== undefined) {
    return new Cluster([...clusterNodes], {
      lazyConnect: true,
      enableOfflineQueue: false, // a Cluster ignores the one inside redisOptions
      clusterRetryStrategy: retryStrategy,
      slotsRefreshTimeout: common.connectTimeout,
      redisOptions: common,
      // Certificates are issued for the name. By default ioredis connects to the address that it resolves to.
      ...(common.tls === undefined ? {} : { dnsLookup: (host, callback) => callback(null, host) }),
    })
  }
  const single = {
    ...common,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy,
  } satisfies RedisOptions
  if (sentinels !== undefined) {
    return new Redis({
      ...single,
      sentinels: [...sentinels],
      name: options.sentinelName,
      sentinelRetryStrategy: retryStrategy,
      ...(common.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: common.tls }),
      ...(options.sentinelPassword === undefined ? {} : { sentinelPassword: options.sentinelPassword }),
    })
  }
  if (url?.startsWith('unix:')) return new Redis({ ...single, path: new URL(url).pathname })
  return url === undefined ? new Redis(single) : new Redis(url, single)
}

/** Ends the connection after the pending replies, or after `closeTimeoutMs`. */
export async function closeClient(client: Client, closeTimeoutMs: number): Promise<void> {
  const quitting = client.quit().catch(() => undefined) // rejects at once without a connection
  await raceTimeout(quitting, closeTimeoutMs)
  if (client.status === 'end') return
  const ended = new Promise((resolve) => client.once('end', resolve))
  client.disconnect()
  await raceTimeout(ended, 2 * disconnectTimeoutMs)
}

function commonOptions(options: ResolvedRedisOptions, listener: ConnectionListener) {
  const tls = tlsOptions(options)
  const Connector = guardConnector(options.sentinels === undefined ? ServerConnector : SentinelConnector, listener)
  return {
    Connector: Connector as unknown as NonNullable<RedisOptions['Connector']>, // its type has private members
    connectTimeout: options.connectTimeoutMs,
    commandTimeout: options.commandTimeoutMs,
    socketTimeout: socketTimeoutMs,
    keepAlive: keepAliveMs,
    disconnectTimeout: disconnectTimeoutMs,
    maxRetriesPerRequest: 0,
    // A write that timed out must not be sent again after an outage: it could restore an entry that was purged meanwhile.
    autoResendUnfulfilledCommands: false,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(tls === undefined ? {} : { tls }),
  } satisfies RedisOptions
}

/** Options for `tls.connect`; `undefined` without TLS, unless a `rediss://` URL implies it. */
function tlsOptions({ tls, clusterNodes = [] }: ResolvedRedisOptions): ConnectionOptions | undefined {
  if (tls === false) return undefined
  const names = clusterNodes.map(({ host }) => host).filter((host) => isIP(host) === 0)
  return { ...(names.length === 0 ? {} : { checkServerIdentity: checkIdentity(names) }), ...(tls === true ? {} : tls) }
}

/**
 * Accepts the certificate of a node of a Cluster for one of the configured names if the Cluster announces the node only
 * by its address: certificates seldom contain addresses. A node with a name needs a certificate for that name.
 */
function checkIdentity(names: readonly string[]): typeof checkServerIdentity {
  return (host, certificate) => {
    const failure = checkServerIdentity(host, certificate)
    if (failure === undefined || isIP(host) === 0) return failure
    return names.some((name) => checkServerIdentity(name, certificate) === undefined) ? undefined : failure
  }
}
