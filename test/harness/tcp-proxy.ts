import { connect, createServer } from 'node:net'
import type { Test } from 'tap'

/** What may happen to the bytes of one connection. Each function passes them on by calling `send`, now, later or never. */
export interface ProxyHandlers {
  /** From the client to the server. Default: at once. */
  readonly toServer?: (
    data: Buffer,
    send: (data: Buffer | string) => void,
    reply: (data: Buffer | string) => void,
  ) => void
  /** From the server to the client. Default: at once. */
  readonly toClient?: (data: Buffer, send: (data: Buffer | string) => void) => void
}

/** Starts a port of this machine that leads to the server at another one; `rules` is called for each connection. */
export async function startTcpProxy(t: Test, port: number, rules: () => ProxyHandlers): Promise<number> {
  const wire = createServer((socket) => {
    const far = connect(port, '127.0.0.1')
    const end = () => [socket, far].map((one) => one.destroy())
    for (const one of [socket, far]) one.on('error', end).on('close', end)
    const { toServer, toClient } = rules()
    const up = (data: Buffer | string) => far.write(data)
    const down = (data: Buffer | string) => socket.write(data)
    socket.on('data', (data) => (toServer === undefined ? up(data) : toServer(data, up, down)))
    far.on('data', (data) => (toClient === undefined ? down(data) : toClient(data, down)))
  })
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve))
  t.teardown(() => wire.close())
  const address = wire.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

/** A port from which a server at another port is further away: each of its replies comes later by so many milliseconds. */
export function startSlowTcpProxy(t: Test, port: number, delayMs: number): Promise<number> {
  return startTcpProxy(t, port, () => ({ toClient: (data, send) => setTimeout(send, delayMs, data) }))
}
