import { connect, createServer } from 'node:net'
import type { Test } from 'tap'

/** Handlers of one connection. Each forwards data by calling `send`, at once, later or never. */
export interface ProxyHandlers {
  /** Data of the client. Default: forwarded at once. `reply` sends data to the client. */
  readonly toServer?: (
    data: Buffer,
    send: (data: Buffer | string) => void,
    reply: (data: Buffer | string) => void,
  ) => void
  /** Data of the server. Default: forwarded at once. */
  readonly toClient?: (data: Buffer, send: (data: Buffer | string) => void) => void
}

/** Starts a proxy for a loopback port and returns its port. `createHandlers` is called for each connection. */
export async function startTcpProxy(t: Test, port: number, createHandlers: () => ProxyHandlers): Promise<number> {
  const proxy = createServer((socket) => {
    const upstream = connect(port, '127.0.0.1')
    const close = () => [socket, upstream].map((one) => one.destroy())
    for (const one of [socket, upstream]) one.on('error', close).on('close', close)
    const { toServer, toClient } = createHandlers()
    const up = (data: Buffer | string) => upstream.write(data)
    const down = (data: Buffer | string) => socket.write(data)
    socket.on('data', (data) => (toServer === undefined ? up(data) : toServer(data, up, down)))
    upstream.on('data', (data) => (toClient === undefined ? down(data) : toClient(data, down)))
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => proxy.close())
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

/** Starts a proxy that delays every reply of the server. */
export function startSlowTcpProxy(t: Test, port: number, delayMs: number): Promise<number> {
  return startTcpProxy(t, port, () => ({ toClient: (data, send) => setTimeout(send, delayMs, data) }))
}
