import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { LiveStreams } from '../../../../src/ops/cache/live-streams.js'
import { createDeferred } from '../../../harness/deferred.js'
import { listen } from '../../../harness/raw-http.js'
import { until } from '../../../harness/until.js'

t.test('a render error fails its own request only', async (t) => {
  const app = Fastify()
  const streams = new LiveStreams()
  app.addHook('onSend', async () => nextTurn()) // the stream fails before Fastify reads it
  app.get('/', (_, reply) => {
    return reply.send(
      streams.open('anna', reply.raw, async () => {
        throw new Error('no template')
      }),
    )
  })
  for (let count = 0; count < 40; count += 1) t.equal((await app.inject('/')).statusCode, 500)
  t.equal(streams.size, 0)
})

t.test('a stream is dropped when another payload replaces it', async (t) => {
  const app = Fastify()
  const streams = new LiveStreams()
  app.addHook('onSend', async (_, __, payload) => {
    if (typeof payload === 'object') throw new Error('a hook fails')
  })
  app.get('/', (_, reply) => reply.send(streams.open('anna', reply.raw, async () => 'numbers')))
  for (let count = 0; count < 40; count += 1) t.equal((await app.inject('/')).statusCode, 500)
  t.equal(streams.size, 0)
})

/** Streams whose operator is the path. */
async function serve(t: Test) {
  const app = Fastify({ forceCloseConnections: true })
  const streams = new LiveStreams()
  const held = createDeferred<string>()
  app.get('/slow', () => held.promise)
  app.get<{ Params: { operator: string } }>('/:operator', ({ params }, reply) => {
    return reply.type('text/event-stream').send(streams.open(params.operator, reply.raw, async () => 'numbers'))
  })
  t.teardown(() => app.close())
  const port = await listen(app)
  const openStream = async (operator: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/${operator}`)
    let text = ''
    let hasEnded = false
    void (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString()
      hasEnded = true
    })().catch(() => undefined)
    return { response, text: () => text, hasEnded: () => hasEnded }
  }
  return { app, streams, held, openStream }
}

t.test('beyond its limit an operator’s newest stream replaces its oldest', async (t) => {
  const { streams, openStream } = await serve(t)
  const other = await openStream('bert')
  const own: Awaited<ReturnType<typeof openStream>>[] = []
  for (let count = 0; count < 10; count += 1) own.push(await openStream('anna'))
  t.equal(streams.size, 9)
  t.ok(await until(() => own.slice(0, 2).every(({ hasEnded }) => hasEnded())))
  t.match(own[0]?.text(), /event: replaced\ndata:\n\n$/, 'it says so: the page does not reconnect')
  t.notOk(other.hasEnded())
  t.ok(own.slice(2).every(({ hasEnded }) => !hasEnded()))
})

t.test('when all places are taken a new stream replaces one of the operator with the most', async (t) => {
  const { streams, openStream } = await serve(t)
  const few = await openStream('few')
  const first = await openStream('many')
  for (let count = 0; count < 7; count += 1) await openStream('many')
  for (let count = 0; count < 23; count += 1) await openStream(`operator-${count}`)
  t.equal(streams.size, 32)
  const late = await openStream('late')
  t.equal(streams.size, 32)
  t.ok(await until(() => first.hasEnded()))
  t.ok(await until(() => late.text().includes('numbers')))
  t.notOk(few.hasEnded())
})

t.test('a stream is freed however its response ends', async (t) => {
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
  await t.test('the client disconnects before it reads', async (t) => {
    const { app, streams } = await serve(t)
    for (let count = 0; count < 8; count += 1) {
      const socket = await openSocket(t, app)
      socket.write(request('/anna'), () => socket.destroy())
    }
    t.ok(await until(() => streams.size === 0))
  })
  await t.test('the client disconnects while it reads', async (t) => {
    const { app, streams } = await serve(t)
    const socket = await openSocket(t, app)
    socket.write(request('/anna'))
    t.ok(await until(() => streams.size === 1))
    socket.destroy()
    t.ok(await until(() => streams.size === 0))
  })
  await t.test('the client disconnects during an earlier response on the connection', async (t) => {
    const { app, streams } = await serve(t)
    const socket = await openSocket(t, app)
    socket.write(`${request('/slow')}${request('/anna')}`)
    t.ok(await until(() => streams.size === 1))
    socket.destroy()
    t.ok(await until(() => streams.size === 0))
  })
})

async function openSocket(t: Test, app: FastifyInstance): Promise<Socket> {
  const socket = connect(await listen(app), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}
