import { connect, createServer } from 'node:net'
import type { Test } from 'tap'

/** A port of this machine from which a server at another port is further away: what it says comes later by so many milliseconds. */
export async function startSlowWire(t: Test, port: number, delayMs: number): Promise<number> {
  const wire = createServer((socket) => {
    const far = connect(port, '127.0.0.1')
    const end = () => [socket, far].map((one) => one.destroy())
    for (const one of [socket, far]) one.on('error', end).on('close', end)
    socket.pipe(far)
    far.on('data', (data) => setTimeout(() => socket.write(data), delayMs))
  })
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve))
  t.teardown(() => wire.close())
  const address = wire.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}
