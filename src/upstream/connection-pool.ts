import type { LookupFunction } from 'node:net'
import { buildConnector, type Dispatcher, Pool } from 'undici'

export interface ConnectionPoolOptions {
  readonly origin: string
  readonly maxConnections: number
  /** Milliseconds to connect. */
  readonly connectTimeoutMs: number
  /** Milliseconds after which connections are no longer used for new requests. */
  readonly connectionMaxAgeMs: number
  /** Milliseconds of a monotonic clock. */
  readonly monotonicNow: () => number
  /** Resolves the host name for each new connection. Default: that of Node.js. */
  readonly lookup?: LookupFunction | undefined
}

/** Connections to one origin, which are replaced from time to time, so that they follow the addresses of its name. */
export interface ConnectionPool {
  /** The dispatcher for one request. */
  current(): Dispatcher
  /** Closes all connections. */
  destroy(): Promise<void>
}

/**
 * Replaces all connections at once: a new pool takes new requests, the old one finishes those in flight.
 *
 * The option `clientTtl` of undici's `Pool` is not used: if all its connections are too old and there may be no further
 * one, it queues the request and nothing takes it from the queue.
 */
export function createConnectionPool(options: ConnectionPoolOptions): ConnectionPool {
  const { origin, maxConnections, connectTimeoutMs, connectionMaxAgeMs, monotonicNow, lookup } = options
  // Shared, so that new connections resume TLS sessions.
  const connect = buildConnector({ timeout: connectTimeoutMs, ...(lookup === undefined ? {} : { lookup }) })
  const closing = new Set<Pool>()
  let pool = createPool()
  let createdAt = monotonicNow()

  return {
    current() {
      const now = monotonicNow()
      if (now - createdAt >= connectionMaxAgeMs) {
        retire(pool)
        pool = createPool()
        createdAt = now
      }
      return pool
    },
    async destroy() {
      await Promise.all([pool, ...closing].map((each) => each.destroy()))
    },
  }

  function createPool(): Pool {
    // Each attempt has one timer of ours for head and body.
    return new Pool(origin, { connections: maxConnections, connect, headersTimeout: 0, bodyTimeout: 0 })
  }

  function retire(old: Pool): void {
    closing.add(old)
    const forget = () => closing.delete(old)
    old.close().then(forget, forget)
  }
}
