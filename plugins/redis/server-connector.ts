import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

interface ServerConnectorOptions {
  readonly path?: string
  readonly host?: string
  readonly port?: number
  readonly family?: number
  readonly tls?: ConnectionOptions
  readonly disconnectTimeout?: number
}

/** The `StandaloneConnector` of ioredis, which is not exported. In a TLS handshake it also sends the name of the host. */
export class ServerConnector {
  /** Read by ioredis when the socket closes. */
  firstError: Error | undefined
  readonly #options: ServerConnectorOptions
  #isConnecting = false
  #socket: Socket | undefined

  constructor(options: ServerConnectorOptions) {
    this.#options = options
  }

  check(): boolean {
    return true
  }

  async connect(): Promise<Socket> {
    this.#isConnecting = true
    await undefined // `disconnect` may follow at once
    if (!this.#isConnecting) throw new Error('Connection is closed.')
    const { path, host, port, family, tls } = this.#options
    const place = path ? { path } : { port: port ?? 6379, ...(host && { host }), ...(family && { family }) }
    const name = host && isIP(host) === 0 ? { servername: host } : {}
    const socket = tls ? connectTls({ ...place, ...name, ...tls }) : connectTcp(place)
    socket.once('error', (error) => {
      this.firstError = error
    })
    this.#socket = socket
    return socket
  }

  /** Ends the socket, and destroys it after `disconnectTimeout`: a server that hangs does not answer the end. */
  disconnect(): void {
    this.#isConnecting = false
    const socket = this.#socket
    if (socket === undefined) return
    const timer = setTimeout(() => socket.destroy(), this.#options.disconnectTimeout ?? 0)
    socket.once('close', () => clearTimeout(timer))
    socket.end()
  }
}
