import { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/**
 * Lets the requests in flight on every address finish when the application closes.
 *
 * Fastify listens on each address of `localhost` with a server of its own, and waits for the first one only. Call it after
 * the `onClose` hooks of what requests in flight need: hooks run in reverse order.
 */
export function drainOnClose(app: FastifyInstance): void {
  let others: Server[] = []
  let drained: Promise<unknown> = Promise.resolve()

  app.addHook('onListen', async () => {
    others = serversOf(app).filter((server) => server !== app.server)
    for (const server of others) server.maxConnections = app.server.maxConnections
    for (const server of serversOf(app)) keepUnsentResponses(server)
  })
  app.addHook('preClose', async () => {
    drained = Promise.all(others.map(closeServer))
  })
  app.addHook('onClose', async () => {
    await drained
  })
}

/** Ends all connections, whatever is in flight on them. */
export function closeAllConnections(app: FastifyInstance): void {
  for (const server of serversOf(app)) server.closeAllConnections()
}

/** The servers on which the application listens. Fastify has no public list of the further ones. */
function serversOf(app: FastifyInstance): Server[] {
  const symbol = Object.getOwnPropertySymbols(app).find(({ description }) => description === 'fastify.serverBindings')
  const further: unknown = symbol === undefined ? [] : Reflect.get(app, symbol)
  return [app.server, ...(Array.isArray(further) ? further.filter((server) => server instanceof Server) : [])]
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve()) // an error says that it is closed already
  })
}

/** Milliseconds between two looks at the connections of a server that is closing. */
const unsentCheckMs = 50

/**
 * Node.js counts a connection as idle once `response.end` was called, and `server.close` destroys it although the client has
 * not received the response. While the server closes, idle connections are closed only when no connection has unsent bytes.
 * Connections are listed, not responses: a response costs nothing more.
 */
export function keepUnsentResponses(server: Server): void {
  const sockets = new Set<Socket>()
  const closeIdle = server.closeIdleConnections.bind(server)
  let check: NodeJS.Timeout | undefined

  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.closeIdleConnections = closeUnlessUnsent

  function closeUnlessUnsent(): void {
    clearTimeout(check)
    const hasUnsent = [...sockets].some(({ writableLength }) => writableLength > 0)
    if (hasUnsent) check = setTimeout(closeUnlessUnsent, unsentCheckMs).unref()
    else closeIdle()
  }
}
