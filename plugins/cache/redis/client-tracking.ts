import { randomBytes } from 'node:crypto'
import {
  type ClusterClient,
  isClusterClient,
  isRedisClient,
  nodeName,
  type RedisClient,
} from '../../redis/client-shape.js'
import { clusterSlot } from '../../redis/cluster-slot.js'
import type { CacheClock } from '../clock.js'
import { type InvalidationListener, TrackingConnection, verifyEveryMs } from './tracking-connection.js'

/** Receives what all connections report; `unsupported` is called once. */
export interface TrackingListener extends InvalidationListener {
  /** Whether the invalidations of all servers are verified to arrive. */
  verifiedChanged(isVerified: boolean): void
}

interface ClientTrackingOptions {
  /** The prefix of all keys as the server sees them. */
  readonly wirePrefix: string
  readonly keyPrefix: string
  /** A channel of this cache: its messages are passed to the listener. */
  readonly channel: string
  /** Changes a key on the data connection and leaves nothing behind. */
  readonly touch: (key: string) => Promise<unknown>
  /** Whether the circuit breaker of the server of this key is open, so that no messages are expected of it. */
  readonly isCircuitOpen: (key: string) => boolean
  readonly clock: CacheClock
  readonly random: () => number
}

/** Tracking for clients that can be duplicated: ioredis and its Cluster. `undefined` for others. */
export function createTracking(client: object, options: ClientTrackingOptions): ClientTracking | undefined {
  return isClusterClient(client) || isRedisClient(client) ? new ClientTracking(client, options) : undefined
}

/**
 * Receives the invalidations of all keys under the prefix, whichever client changed them. There is one connection to each
 * server; on it `CLIENT TRACKING … BCAST` redirects to itself (docs/decisions/0008). A heartbeat verifies that
 * invalidations arrive: after each connect, and whenever there has been none for a second.
 */
export class ClientTracking {
  readonly #client: ClusterClient | RedisClient
  readonly #options: ClientTrackingOptions
  readonly #id = randomBytes(6).toString('hex')
  readonly #connections = new Map<string, TrackingConnection>()
  readonly #broadcastChannel: string
  #listener: TrackingListener | undefined
  #isVerified = false
  #isUnsupported = false
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(client: ClusterClient | RedisClient, options: ClientTrackingOptions) {
    this.#client = client
    this.#options = options
    this.#broadcastChannel = `${options.wirePrefix}~changes`
  }

  /** Whether the invalidations of all servers are verified to arrive. */
  get isVerified(): boolean {
    return this.#isVerified
  }

  /** Connects, and calls the listener from now on. */
  start(listener: TrackingListener): void {
    this.#listener = listener
    const client = this.#client
    client.on('ready', () => this.checkNow())
    if (isClusterClient(client)) {
      client.on('+node', () => this.checkNow())
      client.on('-node', () => this.checkNow())
    }
    this.#check()
  }

  /** Verifies all connections again at once, because something has changed. */
  checkNow(): void {
    for (const connection of this.#connections.values()) connection.markUnverified()
    clearTimeout(this.#timer)
    this.#check()
  }

  /** Where servers do not support tracking: publishes a change of our own to the other processes. */
  broadcast(wireKey: string): void {
    if (!this.#isUnsupported) return
    const message = JSON.stringify({ from: this.#id, keys: [wireKey] })
    // A lost message is tolerable: without tracking, memory is trusted for a second only.
    this.#client.publish(this.#broadcastChannel, message).catch(() => undefined)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
  }

  #check(): void {
    if (this.#isClosed || this.#listener === undefined) return
    this.#matchConnections(this.#listener)
    for (const connection of this.#connections.values()) connection.verify()
    this.#timer = setTimeout(() => this.#check(), verifyEveryMs * (1 - this.#options.random() / 5))
    this.#timer.unref()
  }

  /** Opens a connection to each master, and closes those to servers that have been removed or are masters no longer. */
  #matchConnections(listener: InvalidationListener): void {
    const servers = this.#servers()
    for (const [name, connection] of this.#connections) {
      if (servers.has(name)) continue
      connection.close()
      this.#connections.delete(name)
    }
    for (const [name, server] of servers) {
      if (!this.#connections.has(name)) this.#connections.set(name, this.#open(name, server, listener))
    }
    // A command makes the client learn which server has the slots of a master that has been removed.
    for (const name of this.#mastersWithoutConnection()) {
      this.#options.touch(this.#heartbeatKey(name)).catch(() => undefined)
    }
    this.#updateVerified()
  }

  #servers(): Map<string, RedisClient> {
    const client = this.#client
    if (!isClusterClient(client)) return new Map([['', client]])
    return new Map(client.nodes('master').map((node) => [nodeName(node), node]))
  }

  /** Masters that have slots, as far as the client knows, but no connection here. */
  #mastersWithoutConnection(): string[] {
    const client = this.#client
    if (!isClusterClient(client)) return []
    const masters = new Set(client.slots.flatMap((names) => names?.[0] ?? []))
    return [...masters].filter((name) => !this.#connections.has(name))
  }

  #open(name: string, server: RedisClient, listener: InvalidationListener): TrackingConnection {
    const { wirePrefix, channel, touch, isCircuitOpen, clock, random } = this.#options
    return new TrackingConnection(server, {
      wirePrefix,
      channel,
      broadcastChannel: this.#broadcastChannel,
      id: this.#id,
      heartbeatKey: () => this.#heartbeatKey(name),
      touch,
      isCircuitOpen,
      clock,
      random,
      onVerifiedChange: () => this.#updateVerified(),
      listener: {
        ...listener,
        unsupported: (error) => {
          if (this.#isUnsupported) return
          this.#isUnsupported = true
          listener.unsupported(error)
        },
      },
    })
  }

  /** A key of the server of this name. In a Cluster it is found by trying: each slot has some. */
  #heartbeatKey(name: string): string {
    const client = this.#client
    const { keyPrefix, wirePrefix } = this.#options
    for (let attempt = 0; ; attempt += 1) {
      const key = `~heartbeat:${this.#id}:${attempt}`
      if (!isClusterClient(client) || attempt > 2_000) return keyPrefix + key
      if (client.slots[clusterSlot(wirePrefix + key)]?.[0] === name) return keyPrefix + key
    }
  }

  #updateVerified(): void {
    const expected = [...this.#connections.values()].filter((connection) => !connection.isCircuitOpen)
    const missing = this.#mastersWithoutConnection().filter(
      (name) => !this.#options.isCircuitOpen(this.#heartbeatKey(name)),
    )
    // All circuits are open: the servers are not used, so the state does not matter.
    if (expected.length === 0 && missing.length === 0 && this.#connections.size > 0) return
    const isVerified =
      missing.length === 0 && expected.length > 0 && expected.every((connection) => connection.isVerified)
    if (isVerified === this.#isVerified) return
    this.#isVerified = isVerified
    this.#listener?.verifiedChanged(isVerified)
  }
}
