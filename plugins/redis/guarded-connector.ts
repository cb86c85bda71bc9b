import type { Socket } from 'node:net'
import { ServerConnector } from './server-connector.js'

// No import of ioredis: the cache also guards connections of clients that an application brings.

/** Receives the outcome of each connection attempt. */
export interface ConnectionListener {
  /** The socket is connected, its TLS handshake included. */
  connected(): void
  /** An error of a socket. There may be several, some of which ioredis reports only as "Connection is closed". */
  failed(error: Error): void
}

/** A connector of ioredis: opens the socket of a client. */
export interface Connector {
  connect(report: unknown): Promise<Socket>
  disconnect(): void
  check(info: unknown): boolean
}

export type ConnectorClass = new (options: never) => Connector

/** The part of a connector for sentinels that opens a connection to one of them. */
interface SentinelOpener extends Connector {
  connectToSentinel(endpoint: unknown, options?: object): unknown
}

const silent: ConnectionListener = { connected: () => undefined, failed: () => undefined }

/**
 * A connector that connects as `Base` does and leaves an error listener on each socket.
 *
 * ioredis listens for one error. A TLS socket that is ended during the handshake can emit two: the refused certificate,
 * then the alert of the server. Without a listener the second one ends the process.
 */
export function guardConnector(Base: ConnectorClass, listener = silent): ConnectorClass {
  const Guarded: ConnectorClass = class extends Base {
    override async connect(report: unknown): Promise<Socket> {
      return guard(await super.connect(report), listener)
    }
  }
  return opensSentinels(Guarded) ? guardSentinels(Guarded, listener) : Guarded
}

/** The class of the connector of a client; `undefined` if the client has none. */
export function connectorClass(client: object): ConnectorClass | undefined {
  const connector: unknown = Reflect.get(client, 'connector') // private in the types of ioredis
  if (typeof connector !== 'object' || connector === null) return undefined
  return connector.constructor as ConnectorClass // ioredis creates it with `new`
}

function guard(socket: Socket, listener: ConnectionListener): Socket {
  socket.on('error', (error) => listener.failed(error))
  socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => listener.connected())
  return socket
}

function opensSentinels(Base: ConnectorClass): Base is new (options: never) => SentinelOpener {
  return 'connectToSentinel' in Base.prototype
}

function guardSentinels(Base: new (options: never) => SentinelOpener, listener: ConnectionListener): ConnectorClass {
  return class extends Base {
    override connectToSentinel(endpoint: unknown, options?: object): unknown {
      return super.connectToSentinel(endpoint, { ...options, Connector: guardConnector(ServerConnector, listener) })
    }
  }
}
