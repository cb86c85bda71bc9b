import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { LookupFunction } from 'node:net'
import t, { type Test } from 'tap'
import { createMarketplaceClient } from '../../../src/upstream/marketplace-client.js'
import { createDeferred } from '../../harness/deferred.js'

const amply = 60_000
const name = 'marketplace.test'

/** Two servers on one port of 127.0.0.1 and 127.0.0.2, as before and after a move, and the name that leads to one of them. */
async function open(t: Test, options: { maxConnections?: number } = {}) {
  const gate = createDeferred<undefined>()
  const received: string[] = []
  const [old, moved] = [createMarketplace('old', '/catalogs'), createMarketplace('moved')]
  old.listen(0, '127.0.0.1')
  await once(old, 'listening')
  const { port } = old.address() as { port: number } // a listening TCP server has a port
  moved.listen(port, '127.0.0.2')
  await once(moved, 'listening')

  let address = '127.0.0.1'
  const lookup: LookupFunction = (_host, { all }, done) =>
    all === true ? done(null, [{ address, family: 4 }]) : done(null, address, 4)
  let now = 0
  const marketplace = createMarketplaceClient({
    url: `http://${name}:${port}`,
    timeoutMs: amply,
    deadlineMs: amply,
    closeGraceMs: 0,
    connectionMaxAgeMs: 30_000,
    monotonicNow: () => now,
    lookup,
    ...options,
  })
  t.after(async () => {
    await marketplace.close()
    for (const server of [old, moved]) {
      server.closeAllConnections()
      server.close()
    }
  })
  return {
    marketplace,
    received,
    gate,
    old,
    move: () => {
      address = '127.0.0.2'
    },
    step: (milliseconds: number) => {
      now += milliseconds
    },
  }

  /** Responses to `slowPath` wait for the gate. */
  function createMarketplace(label: string, slowPath?: string): Server {
    const server: Server = createServer(async (request, response) => {
      received.push(label)
      server.emit('received')
      if (slowPath !== undefined && request.url?.startsWith(slowPath)) await gate.promise
      response.end(JSON.stringify({ items: [], page: 1, page_size: 500, total: 0 }))
    })
    server.keepAliveTimeout = amply
    return server
  }
}

t.test('calls reach the new address of the upstream once connections are too old', async (t) => {
  const { marketplace, received, move, step } = await open(t, { maxConnections: 1 })
  await marketplace.sellers.all()
  move()
  step(29_999)
  await marketplace.sellers.all()
  t.strictSame(received, ['old', 'old'], 'a connection is reused')
  step(1)
  await marketplace.sellers.all()
  await marketplace.sellers.all()
  t.strictSame(received, ['old', 'old', 'moved', 'moved'])
})

t.test('a call in flight on an old connection completes', async (t) => {
  const { marketplace, received, move, step, gate, old } = await open(t)
  const arrived = once(old, 'received')
  const inFlight = marketplace.catalogs.all({ sellerId: 1 })
  await arrived
  move()
  step(30_000)
  await marketplace.sellers.all()
  t.strictSame(received, ['old', 'moved'])
  gate.resolve(undefined)
  t.strictSame(await inFlight, [])
})

t.test('old connections close once they are idle', async (t) => {
  const { marketplace, step, old } = await open(t)
  const connected = once(old, 'connection')
  await marketplace.sellers.all()
  const [socket] = await connected
  const closed = once(socket, 'close')
  step(30_000)
  await marketplace.sellers.all()
  await closed
})

t.test('with one connection, calls continue after it is replaced', async (t) => {
  const { marketplace, received, move, step } = await open(t, { maxConnections: 1 })
  for (let calls = 0; calls < 3; calls++) {
    await marketplace.sellers.all()
    move()
    step(30_000)
  }
  t.strictSame(received, ['old', 'moved', 'moved'])
})
