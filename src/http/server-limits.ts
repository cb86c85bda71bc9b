import type { FastifyHttpOptions, RawServerDefault } from 'fastify'

/** Milliseconds. */
export interface ServerTimeouts {
  /** For a complete request, head and body. A later one is answered with 408. */
  readonly requestMs: number
  /** For the head of a request. */
  readonly headMs: number
  /** How often these two are checked. */
  readonly checkIntervalMs: number
}

const defaults: ServerTimeouts = { requestMs: 15_000, headMs: 10_000, checkIntervalMs: 5_000 }

/**
 * Open connections of the process; further ones are closed at once. They bound the memory and the file descriptors that idle
 * clients take. There is no limit by address: behind a proxy all connections have the same one.
 */
export const maxConnections = 10_000

/** Bounds for what a client sends. Node.js refuses a head of more than 16 KiB by itself. */
export function serverOptions(
  timeouts: Partial<ServerTimeouts> = {},
): Pick<FastifyHttpOptions<RawServerDefault>, 'bodyLimit' | 'requestTimeout' | 'keepAliveTimeout' | 'http'> {
  const { requestMs, headMs, checkIntervalMs } = { ...defaults, ...timeouts }
  return {
    bodyLimit: 64 * 1_024, // the largest body is a list of purges
    requestTimeout: requestMs,
    keepAliveTimeout: 72_000, // longer than the idle time-out of common load balancers, which is 60 s
    http: { headersTimeout: headMs, connectionsCheckingInterval: checkIntervalMs },
  }
}
