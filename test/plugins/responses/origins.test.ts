import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import replyFrom from '@fastify/reply-from'
import Fastify, { type FastifyInstance, type FastifyReply, type RouteHandlerMethod } from 'fastify'
import t, { type Test } from 'tap'
import edge, { type EdgeOptions } from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'
import { controlDelays } from '../../harness/controlled-delays.js'
import { createDeferred } from '../../harness/deferred.js'
import { connectRaw, listen, type RawConnection } from '../../harness/raw-http.js'
import { until } from '../../harness/until.js'

// Faulty servers and handlers: nothing is stored, no request hangs, and the next request succeeds.

const stray: unknown[] = []
for (const event of ['unhandledRejection', 'uncaughtException']) process.on(event, (error) => stray.push(error))
t.teardown(() => {
  if (stray.length > 0) throw new Error('something went astray', { cause: stray[0] })
})

const head = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n'
const healed = `${head}Content-Length: 6\r\n\r\nhealed`

type Behaviour = (socket: Socket) => unknown

interface RudeOrigin {
  readonly url: string
  /** Connections, one for each request, in order. */
  readonly visits: readonly Socket[]
  /** How it answers from now on. */
  behave(behaviour: Behaviour): void
  /** Whether only a time-out ends a request. */
  isStalling(): boolean
}

async function startOrigin(t: Test): Promise<RudeOrigin> {
  const visits: Socket[] = []
  let behaviour: Behaviour = (socket) => socket.write(healed)
  const server = createServer((socket) => {
    let received = ''
    socket.on('error', () => undefined) // the other end may reset the connection
    socket.on('data', (chunk) => {
      received += chunk
      if (!received.includes('\r\n\r\n')) return
      received = ''
      visits.push(socket)
      behaviour(socket)
    })
    t.teardown(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    visits,
    behave(next) {
      behaviour = next
    },
    isStalling: () => behaviour === stopsInHead || behaviour === stopsInBody,
  }
}

interface Fixture {
  readonly app: FastifyInstance
  readonly arrived: () => number
  readonly step: (seconds: number) => void
  connect(): Promise<RawConnection>
  /** Status and body of a request on a connection of its own, or that it was cut off. */
  ask(): Promise<string>
}

type CommonOptions = Pick<EdgeOptions, 'maxBodyBytes' | 'staleIfErrorSeconds'>

async function start(
  t: Test,
  routes: (app: FastifyInstance) => void,
  options: CommonOptions | false = {},
): Promise<Fixture> {
  const clock = createClock()
  const app = Fastify()
  if (options !== false) {
    await app.register(edge, { now: clock.now, collapseTimeoutMs, ...options })
    await app.register(proxyCache, { now: clock.now, collapseTimeoutMs, ...options })
  }
  let arrived = 0
  app.addHook('onRequest', async () => {
    arrived += 1
  })
  routes(app)
  await app.ready()
  t.teardown(() => app.close())
  const port = await listen(app)
  const connect = () => connectRaw(t, port)
  return { app, arrived: () => arrived, step: clock.step, connect, ask: async () => outcomeOf(await write(connect())) }
}

async function write(connecting: Promise<RawConnection>): Promise<RawConnection> {
  const connection = await connecting
  connection.write('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n')
  return connection
}

async function outcomeOf(connection: RawConnection): Promise<string> {
  try {
    const { status, body } = await connection.response()
    return `${status} ${body}`
  } catch (error) {
    if (error instanceof Error && /^the connection ended/.test(error.message)) return 'cut off'
    throw error
  }
}

/** Time-out for an origin that never answers. */
const stallTimeoutMs = 50
/** Longer than any test. */
const collapseTimeoutMs = 300_000

/** A route of the proxy cache. */
async function startForwarding(t: Test, options: CommonOptions = {}) {
  const origin = await startOrigin(t)
  const world = await start(
    t,
    (app) => {
      app.register(replyFrom, { base: origin.url, disableRequestLogging: true })
      app.get('/x', { config: { proxyCache: {} } }, (request, reply) =>
        reply.from(request.raw.url, origin.isStalling() ? { timeout: stallTimeoutMs } : {}),
      )
    },
    options,
  )
  return { ...world, origin }
}

// --- other servers -----------------------------------------------------------------------------------------------------------

const stopsInHead: Behaviour = (socket) => socket.write(`${head}X-A: 1`)
const stopsInBody: Behaviour = (socket) => socket.write(`${head}Content-Length: 100\r\n\r\n${'x'.repeat(50)}`)

const failures: readonly [title: string, behaviour: Behaviour][] = [
  ['ends without a word', (socket) => socket.end()],
  ['is reset', (socket) => socket.resetAndDestroy()],
  ['is no HTTP', (socket) => socket.write('GARBAGE\r\n\r\n')],
  ['stops in the middle of its head', stopsInHead],
  ['has a head of 1 MB', (socket) => socket.write(`${head}X-Long: ${'x'.repeat(2 ** 20)}\r\n\r\n`)],
  ['has 20,000 fields', (socket) => socket.write(`${head}${'X-A: 1\r\n'.repeat(20_000)}\r\n`)],
  ['has two lengths', (socket) => socket.write(`${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhealed`)],
  [
    'has a length and chunks',
    (socket) => socket.write(`${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  ],
]
const cuts: readonly [title: string, behaviour: Behaviour][] = [
  ['is cut off after its head', (socket) => socket.end(`${head}Content-Length: 100\r\n\r\n`)],
  ['is shorter than it said', (socket) => socket.end(`${head}Content-Length: 100\r\n\r\n${'x'.repeat(50)}`)],
  ['stops in the middle', stopsInBody],
  ['is cut off between chunks', (socket) => socket.end(`${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`)],
  ['is cut off inside of a chunk', (socket) => socket.end(`${head}Transfer-Encoding: chunked\r\n\r\n9\r\nabc`)],
  [
    'has a chunk of no size',
    (socket) => socket.write(`${head}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`),
  ],
  [
    'is reset in the middle',
    (socket) => socket.write(`${head}Content-Length: 9\r\n\r\nabc`, () => socket.resetAndDestroy()),
  ],
]
const odd: readonly [title: string, behaviour: Behaviour, outcome: string][] = [
  [
    'is a 304 to an unconditional request',
    (socket) => socket.write('HTTP/1.1 304 No\r\nCache-Control: max-age=60\r\n\r\n'),
    '304 ',
  ],
  [
    'is a 206 to a request without a range',
    (socket) =>
      socket.write(
        'HTTP/1.1 206 Part\r\nCache-Control: max-age=60\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nab',
      ),
    '206 ab',
  ],
]

for (const [title, behaviour, outcome] of [
  ...failures.map(([title, behaviour]) => [title, behaviour, /^50[024] /] as const),
  ...cuts.map(([title, behaviour]) => [title, behaviour, /^(?:cut off|50[024] .*)$/] as const),
  ...odd.map(([title, behaviour, outcome]) => [title, behaviour, new RegExp(`^${outcome}$`)] as const),
]) {
  t.test(`a response is not stored and no request hangs if it ${title}`, async (t) => {
    const { ask, origin } = await startForwarding(t)
    origin.behave(behaviour)
    for (const seen of await Promise.all([ask(), ask(), ask()])) t.match(seen, outcome)
    const visits = origin.visits.length
    t.ok(visits <= 3)
    origin.behave((socket) => socket.write(healed))
    t.equal(await ask(), '200 healed')
    t.equal(origin.visits.length, visits + 1, 'it is requested again')
    t.equal(await ask(), '200 healed')
    t.equal(origin.visits.length, visits + 1, 'the next response is stored')
  })
}

t.test('bytes after the content length are ignored', async (t) => {
  const { ask, origin } = await startForwarding(t)
  origin.behave((socket) =>
    socket.write(`${head}Content-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`),
  )
  t.equal(await ask(), '200 abc')
  origin.behave((socket) => socket.write(healed))
  t.match(await ask(), /^200 (?:abc|healed)$/)
})

t.test('a stored response is served stale for every kind of failure', async (t) => {
  for (const [title, behaviour] of [...cuts, ...failures]) {
    const { ask, origin, step } = await startForwarding(t, { staleIfErrorSeconds: 3_600 })
    t.equal(await ask(), '200 healed')
    step(61)
    origin.behave(behaviour)
    const seen = await ask()
    // Or the client received the beginning of the response.
    t.ok(seen === '200 healed' || (cuts.some(([cut]) => cut === title) && seen === 'cut off'), `it ${title}`)
    origin.behave((socket) => socket.destroy())
    step(10)
    t.equal(await ask(), '200 healed', `after one that ${title}`)
  }
})

t.test('interim responses are skipped, and trailers ignored', async (t) => {
  const { ask, origin } = await startForwarding(t)
  const chunks = 'Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n6\r\nhealed\r\n0\r\nX-A: 1\r\n\r\n'
  origin.behave((socket) =>
    socket.write(`HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n${head}${chunks}`),
  )
  for (const _ of [1, 2]) t.equal(await ask(), '200 healed')
  t.equal(origin.visits.length, 1)
})

t.test('an endless body is sent at the pace of its reader, and not stored', async (t) => {
  const { arrived, connect, origin } = await startForwarding(t, { maxBodyBytes: 2 ** 20 })
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
  /** Bytes that the origin has written to the first client. */
  let written = 0
  origin.behave((socket) => {
    const isFirst = origin.visits.length === 1
    const more = () => {
      while (socket.writable) {
        if (isFirst) written += chunk.length
        if (!socket.write(chunk)) return
      }
    }
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`)
    socket.on('drain', more)
    more()
  })
  const client = await write(connect())
  t.equal((await client.head()).status, 200, 'the response begins before its end')
  await client.take(2 ** 21)
  client.socket.pause()
  let [before, looks] = [-1, 0]
  const isBlocked = () => {
    looks = written === before ? looks + 1 : 0
    before = written
    return looks === 20
  }
  t.ok(await until(isBlocked), 'back-pressure reaches the origin')

  const other = await write(connect())
  t.ok(await until(() => arrived() === 2 && origin.visits.length === 2), 'the next request does not wait for the end')
  await other.take(2 ** 21)
  t.ok(written < 64 * 2 ** 20, `${written} bytes are on their way`)
  for (const [at, one] of [client, other].entries()) {
    one.socket.destroy()
    t.ok(await until(() => origin.visits[at]?.destroyed === true), 'the origin request ends with its reader')
  }
  const gone = await write(connect())
  t.ok(await until(() => origin.visits.length === 3))
  gone.socket.destroy()
  t.ok(await until(() => origin.visits[2]?.destroyed === true), 'it is not read to its end to be stored')
  origin.behave((socket) => socket.write(healed))
  t.equal(await outcomeOf(await write(connect())), '200 healed')
})

t.test('a body of single bytes is streamed, and stored when it is complete', async (t) => {
  const { arrived, connect, ask, origin } = await startForwarding(t)
  origin.behave((socket) => socket.write(`${head}Content-Length: 6\r\n\r\n<`))
  const leader = await write(connect())
  t.ok(await until(() => origin.visits.length === 1))
  const follower = await write(connect())
  t.ok(await until(() => arrived() === 2))
  t.equal((await leader.head()).status, 200)
  t.equal((await leader.take(1)).toString(), '<')
  for (const byte of 'whole') {
    origin.visits[0]?.write(byte)
    t.equal((await leader.take(1)).toString(), byte)
  }
  t.equal(await outcomeOf(follower), '200 <whole')
  t.equal(await ask(), '200 <whole')
  t.equal(origin.visits.length, 1)
})

// --- handlers ----------------------------------------------------------------------------------------------------------------

const later = () => new Promise((resolve) => setImmediate(resolve))
const boom = () => new Error('boom')
const stream = (reply: FastifyReply, body: Readable) => reply.type('text/plain').send(body)
const misdeeds: readonly [title: string, handler: RouteHandlerMethod][] = [
  [
    'throws',
    () => {
      throw boom()
    },
  ],
  ['rejects', () => Promise.reject(boom())],
  [
    'throws something that is no error',
    async () => {
      throw 'boom'
    },
  ],
  [
    'says how long its answer is fresh, and fails then',
    (_request, reply) => {
      reply.headers({ 'cache-control': 'max-age=60', etag: '"x"' })
      throw boom()
    },
  ],
  ['sends an error', (_request, reply) => void reply.send(boom())],
  [
    'answers with an error of a status',
    (_request, reply) => void reply.code(503).header('retry-after', '1').send(boom()),
  ],
  ['goes where there is nothing', (_request, reply) => void reply.callNotFound()],
  [
    'sends what cannot be written down',
    async () => {
      const circle: Record<string, unknown> = {}
      circle.circle = circle
      return circle
    },
  ],
  ['sends a field that Node refuses', (_request, reply) => reply.header('x-a', 'a\u0100b').send('x')],
  [
    'sends a stream that fails at once',
    (_request, reply) => stream(reply, new Readable({ read() { this.destroy(boom()) } })), // biome-ignore format: one thought
  ],
  [
    'sends a stream that fails in the middle',
    (_request, reply) =>
      stream(
        reply,
        Readable.from(
          (async function* () {
            yield 'abc'
            await later()
            throw boom()
          })(),
        ),
      ),
  ],
  [
    'sends a stream that ends without an end',
    (_request, reply) => {
      const body = new Readable({ read: () => undefined })
      body.push('abc')
      setImmediate(() => body.destroy())
      return stream(reply, body)
    },
  ],
  [
    'sends a web stream that fails',
    (_request, reply) =>
      reply.type('text/plain').send(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('abc'))
            controller.error(boom())
          },
        }),
      ),
  ],
  [
    'answers by itself',
    (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'cache-control': 'max-age=60', 'content-length': 3 })
      reply.raw.end('raw')
    },
  ],
  [
    'takes the request over and cuts it off',
    (_request, reply) => {
      reply.hijack()
      reply.raw.destroy()
    },
  ],
  [
    'fails on its way out',
    (request, reply) => {
      Object.assign(request, { isToFail: true })
      return reply.send('x')
    },
  ],
]

/** A route of the edge with the handler of the test; without the edge for comparison. */
async function startOwn(t: Test, options: CommonOptions | false = {}) {
  let handler: RouteHandlerMethod = async () => 'healed'
  let calls = 0
  const world = await start(
    t,
    (app) => {
      app.addHook('onSend', async (request) => {
        if ('isToFail' in request) throw boom()
      })
      app.get('/x', { config: { edge: { ttlSeconds: 60 } } }, function (request, reply) {
        calls += 1
        return handler.call(this, request, reply)
      })
    },
    options,
  )
  return {
    ...world,
    calls: () => calls,
    behave(next: RouteHandlerMethod) {
      handler = next
    },
  }
}

for (const [title, misdeed] of misdeeds) {
  t.test(`nothing is stored if a handler ${title}, and clients see what they would see without a cache`, async (t) => {
    const plain = await startOwn(t, false)
    plain.behave(misdeed)
    const expected = await plain.ask()
    t.not(expected, '200 healed')
    const { ask, behave, calls } = await startOwn(t)
    behave(misdeed)
    t.strictSame(await Promise.all([ask(), ask(), ask()]), [expected, expected, expected])
    const before = calls()
    behave(async () => 'healed')
    for (const _ of [1, 2]) t.equal(await ask(), '200 healed')
    t.equal(calls(), before + 1)
  })
}

t.test('a stream of another length than its Content-Length is not stored', async (t) => {
  for (const length of [3, 9]) {
    const { connect, ask, behave, calls } = await startOwn(t)
    behave((_request, reply) => stream(reply.header('content-length', length), Readable.from(['abc', 'def'])))
    const client = await write(connect())
    await client.head()
    await client.take(3)
    client.socket.destroy()
    behave(async () => 'healed')
    t.equal(await ask(), '200 healed', `${length}`)
    t.equal(calls(), 2)
  }
})

t.test('an endless stream of a handler is sent, and not stored', async (t) => {
  const { connect, ask, behave } = await startOwn(t, { maxBodyBytes: 2 ** 16 })
  const bodies: Readable[] = []
  behave((_request, reply) => {
    const body = new Readable({ read() { setImmediate(() => this.push('x'.repeat(2 ** 14))) } }) // biome-ignore format: one thought
    bodies.push(body)
    return stream(reply, body)
  })
  for (const at of [0, 1]) {
    const client = await write(connect())
    await client.take(2 ** 18)
    t.equal(bodies.length, at + 1)
    client.socket.destroy()
    t.ok(await until(() => bodies[at]?.destroyed === true))
  }
  behave(async () => 'healed')
  t.equal(await ask(), '200 healed')
})

t.test('a request is forwarded after the collapse time-out, and later ones do not wait', async (t) => {
  const waits = controlDelays(t, collapseTimeoutMs)
  const { connect, ask, behave, calls, step } = await startOwn(t)
  const never = createDeferred<string>()
  t.teardown(() => never.resolve('late'))
  behave(() => never.promise)
  const leader = await write(connect())
  t.ok(await until(() => calls() === 1))
  behave(async () => `answer ${calls()}`)
  const follower = await write(connect())
  t.ok(await until(() => waits.started === 1))
  t.equal(calls(), 1, 'the second request waits')
  waits.finish()
  t.equal(await outcomeOf(follower), '200 answer 2')
  t.equal(await ask(), '200 answer 2')
  step(61)
  t.equal(await ask(), '200 answer 3')
  t.equal(waits.started, 1, 'later requests do not wait')
  leader.socket.destroy()
  await leader.closed
  never.resolve('late')
  t.match(await ask(), /^200 answer/)
})

t.test('later requests succeed after a client has left a handler that never answers', async (t) => {
  const waits = controlDelays(t, collapseTimeoutMs)
  const { connect, ask, behave, calls } = await startOwn(t)
  const never = createDeferred<string>()
  t.teardown(() => never.resolve('late'))
  behave(() => never.promise)
  const only = await write(connect())
  t.ok(await until(() => calls() === 1))
  only.socket.destroy()
  await once(only.socket, 'close')
  behave(async () => 'healed')
  const next = ask()
  t.ok(await until(() => waits.started === 1 || calls() === 2))
  waits.finish()
  for (const answer of [await next, await ask()]) t.equal(answer, '200 healed')
  t.equal(calls(), 2)
  t.ok(waits.started <= 1, 'no request waits after the time-out')
})
