import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AbstractConnector, type Redis, type RedisOptions, SentinelConnector } from 'ioredis'

/** Receives what becomes of each connection attempt. */
export interface ConnectionListener {
  /** The socket is connected, its TLS handshake included. */
  connected(): void
  /** An error of a socket, which may have several: ioredis reports some of them only as "Connection is closed". */
  failed(error: Error): void
}

type ConnectorOption = NonNullable<RedisOptions['Connector']>
type Report = Parameters<AbstractConnector['connect']>[0]

/** `AbstractConnector` as a class that can be extended again: its `connect` is implemented. */
interface Connector extends AbstractConnector {
  connect(report: Report): Promise<Socket>
}

/** The part of `SentinelConnector` that its types call private: it opens a connection to one sentinel. */
interface SentinelOpener extends Connector {
  connectToSentinel(endpoint: unknown, options?: RedisOptions): Redis
}

const silent: ConnectionListener = { connected: () => undefined, failed: () => undefined }

/**
 * The `Connector` for a client with these options: connects as ioredis does, and leaves an error listener on each socket.
 *
 * ioredis listens for one error. A TLS socket that is ended in mid-handshake can emit two: the refused certificate, then
 * the alert of the server. Without a listener the second one ends the process.
 */
export function guardedConnector(
  {
    Connector: own,
    sentinels,
  }: { Connector?: ConnectorOption | undefined; sentinels?: readonly unknown[] | undefined },
  listener = silent,
): ConnectorOption {
  // The options of a client have `null` where nothing is set.
  return guarded(own ?? (sentinels ? throughSentinels(listener) : ServerConnector), listener)
}

function guarded(base: unknown, listener: ConnectionListener): ConnectorOption {
  const Base = base as new (options: unknown) => Connector // every class that ioredis takes as `Connector` is one
  return class extends Base {
    override async connect(report: Report): Promise<Socket> {
      return guard(await super.connect(report), listener)
    }
  }
}

function guard(socket: Socket, listener: ConnectionListener): Socket {
  socket.on('error', (error) => listener.failed(error))
  socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => listener.connected())
  return socket
}

/** As the `StandaloneConnector` of ioredis, which is not exported; in a TLS handshake it also names the host. */
class ServerConnector extends AbstractConnector {
  readonly #options: RedisOptions

  constructor(options: RedisOptions) {
    super(options.disconnectTimeout ?? 0)
    this.#options = options
  }

  async connect(): Promise<Socket> {
    this.connecting = true
    await undefined // `disconnect` may follow at once
    if (!this.connecting) throw new Error('Connection is closed.')
    const { path, host, port, family, tls } = this.#options
    const place = path ? { path } : { port: port ?? 6379, ...(host && { host }), ...(family && { family }) }
    const name = host && isIP(host) === 0 ? { servername: host } : {}
    const socket = tls ? connectTls({ ...place, ...name, ...tls }) : connectTcp(place)
    socket.once('error', (error) => {
      this.firstError = error
    })
    this.stream = socket
    return socket
  }
}

function throughSentinels(listener: ConnectionListener): unknown {
  const Base = SentinelConnector as unknown as new (options: unknown) => SentinelOpener // private in its types
  return class extends Base {
    override connectToSentinel(endpoint: unknown, options?: RedisOptions): Redis {
      return super.connectToSentinel(endpoint, { ...options, Connector: guardedConnector({}, listener) })
    }
  }
}
