import type { RedisClient } from '../../redis/client-shape.js'
import { classifyRedisFailure } from '../../redis/failure-kind.js'
import { connectorClass, guardConnector } from '../../redis/guarded-connector.js'
import { reconnectDelayMs } from '../../redis/reconnect-delay.js'
import { withTimeout } from '../../timeout.js'
import type { CacheClock } from '../clock.js'

/** Receives the messages of tracking connections. */
export interface InvalidationListener {
  /** These keys, with their prefix, have changed. */
  changed(keys: readonly string[]): void
  /** A message was published on the channel. */
  published(message: string): void
  /** A server has lost all its data. */
  flushed(): void
  /** A server does not support tracking. Each connection reports it. */
  unsupported(error: unknown): void
}

interface TrackingConnectionOptions {
  readonly wirePrefix: string
  readonly channel: string
  /** The channel on which processes publish their changes where servers do not support tracking. */
  readonly broadcastChannel: string
  /** Identifies the heartbeats and broadcasts of this process. */
  readonly id: string
  readonly heartbeatKey: () => string
  readonly touch: (key: string) => Promise<unknown>
  readonly isCircuitOpen: (key: string) => boolean
  readonly listener: InvalidationListener
  /** Called when `isVerified` has changed. */
  readonly onVerifiedChange: () => void
  readonly clock: CacheClock
  readonly random: () => number
}

/** Maximum milliseconds between two checks whether invalidations arrive; up to a fifth is subtracted as jitter. */
export const verifyEveryMs = 1_000
/** Milliseconds in which the invalidation of a heartbeat must arrive. */
const heartbeatTimeoutMs = 500
const commandTimeoutMs = 500
const disconnectTimeoutMs = 100
const invalidations = '__redis__:invalidate'

/** The connection that receives the invalidations of one server. */
export class TrackingConnection {
  readonly #options: TrackingConnectionOptions
  readonly #connection: RedisClient
  #isSubscribed = false
  #isVerified = false
  #lastInvalidationAt = Number.NEGATIVE_INFINITY
  #isVerifying = false
  #heartbeatArrived: (() => void) | undefined

  constructor(server: RedisClient, options: TrackingConnectionOptions) {
    this.#options = options
    this.#connection = server.duplicate(overridesFor(server, options.random))
    this.#connection.on('error', () => undefined) // the data connection reports the outage
    this.#connection.on('ready', () => void this.#subscribe())
    this.#connection.on('close', () => this.#connectionLost())
    this.#connection.on('messageBuffer', (channel: Buffer, message: Buffer | Buffer[] | null) =>
      this.#onMessage(String(channel), message),
    )
    this.#connection.connect().catch(() => undefined)
  }

  get isVerified(): boolean {
    return this.#isVerified
  }

  get isCircuitOpen(): boolean {
    return this.#options.isCircuitOpen(this.#options.heartbeatKey())
  }

  /** Invalidations that have arrived before no longer count. */
  markUnverified(): void {
    this.#lastInvalidationAt = Number.NEGATIVE_INFINITY
  }

  /** Sends a heartbeat unless an invalidation has arrived lately. */
  verify(): void {
    if (!this.#isSubscribed || this.#isVerifying) return
    if (this.#isVerified && this.#options.clock.monotonicNow() - this.#lastInvalidationAt < verifyEveryMs) return
    void this.#sendHeartbeat()
  }

  close(): void {
    this.#connection.removeAllListeners('close')
    this.#connection.disconnect()
  }

  async #subscribe(): Promise<void> {
    const connection = this.#connection
    const { wirePrefix, channel, broadcastChannel, listener } = this.#options
    try {
      const id = String(await connection.client('ID'))
      await connection.client('TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', wirePrefix)
    } catch (error) {
      if (connection.status !== 'ready' || !isUnsupported(error)) {
        this.#reconnect()
        return
      }
      listener.unsupported(error)
      await connection.subscribe(channel, broadcastChannel).catch(() => undefined)
      return
    }
    connection.subscribe(channel).catch(() => undefined) // tombstones in Redis carry the same information
    try {
      await connection.subscribe(invalidations)
    } catch {
      this.#reconnect()
      return
    }
    this.#isSubscribed = true
    void this.#sendHeartbeat()
  }

  /** Changes a key and waits for its invalidation. */
  async #sendHeartbeat(): Promise<void> {
    this.#isVerifying = true
    const arrived = new Promise<void>((resolve) => {
      this.#heartbeatArrived = resolve
    })
    try {
      await this.#options.touch(this.#options.heartbeatKey())
    } catch {
      this.#isVerifying = false
      this.#setVerified(false) // the server did not accept the change: this connection may be fine
      return
    }
    try {
      await withTimeout(() => arrived, heartbeatTimeoutMs)
      this.#isVerifying = false
      if (this.#isSubscribed) this.#setVerified(true)
    } catch {
      this.#isVerifying = false
      this.#setVerified(false)
      this.#reconnect()
    }
  }

  #onMessage(channel: string, message: Buffer | Buffer[] | null): void {
    if (channel === this.#options.channel) this.#options.listener.published(String(message))
    if (channel === this.#options.broadcastChannel) this.#onBroadcast(String(message))
    if (channel !== invalidations) return
    this.#lastInvalidationAt = this.#options.clock.monotonicNow()
    if (message === null) this.#options.listener.flushed()
    else this.#onInvalidation(message)
  }

  #onInvalidation(message: Buffer | Buffer[]): void {
    const { wirePrefix, id, listener } = this.#options
    const keys = (Array.isArray(message) ? message : [message]).map(String)
    const heartbeat = `${wirePrefix}~heartbeat:`
    if (keys.some((key) => key.startsWith(heartbeat + id))) this.#heartbeatArrived?.()
    const changed = keys.filter((key) => !key.startsWith(heartbeat))
    if (changed.length > 0) listener.changed(changed)
  }

  /** The changes of another process. Any client may publish on the channel, so the message may be anything. */
  #onBroadcast(message: string): void {
    try {
      const { from, keys } = JSON.parse(message)
      if (from === this.#options.id || !Array.isArray(keys)) return
      this.#options.listener.changed(keys.filter((key) => typeof key === 'string'))
    } catch {
      // not a broadcast of this cache
    }
  }

  #connectionLost(): void {
    this.#isSubscribed = false
    this.#setVerified(false)
  }

  #reconnect(): void {
    this.#isSubscribed = false
    this.#connection.disconnect(true)
  }

  #setVerified(isVerified: boolean): void {
    if (this.#isVerified === isVerified) return
    this.#isVerified = isVerified
    this.#options.onVerifiedChange()
  }
}

/** Options of ioredis that differ from those of the data connection. */
function overridesFor(server: RedisClient, random: () => number): object {
  const Connector = connectorClass(server)
  return {
    protocol: 2, // with RESP3 ioredis drops invalidations
    keyPrefix: '',
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResubscribe: false, // a subscription without tracking would receive nothing and look healthy
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    disconnectTimeout: disconnectTimeoutMs,
    readOnly: false,
    ...(Connector && { Connector: guardConnector(Connector) }), // `close` may end a TLS handshake
    retryStrategy: (attempt: number) => reconnectDelayMs(attempt, random),
  }
}

/** Whether the server will not track changes. The wording of the error differs between servers. */
function isUnsupported(error: unknown): boolean {
  const kind = classifyRedisFailure(error)
  return error instanceof Error && error.name === 'ReplyError' && kind !== 'loading' && kind !== 'auth'
}
