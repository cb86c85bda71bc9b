import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import replyFrom from '@fastify/reply-from'
import Fastify, { type FastifyInstance, type RouteHandlerMethod } from 'fastify'
import t, { type Test } from 'tap'
import edge, { type EdgeRouteOptions } from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred, type Deferred } from '../../harness/deferred.js'
import { connectRaw, listen, type RawConnection } from '../../harness/raw-http.js'
import { until } from '../../harness/until.js'

// Behaviour on the wire: clients that leave or do not read, persistent connections, and message framing.

const own: EdgeRouteOptions = { ttlSeconds: 60 }
const text = 'sellers and their catalogs\n'.repeat(200)

interface Fixture {
  readonly app: FastifyInstance
  /** Number of requests that have reached the cache. */
  readonly arrived: () => number
  connect(): Promise<RawConnection>
}

interface FixtureOptions {
  /** Origin of the forwarding routes. */
  readonly base?: string
}

async function start(t: Test, routes: (app: FastifyInstance) => void, { base }: FixtureOptions = {}): Promise<Fixture> {
  const app = Fastify()
  const options = { now: createClock().now, collapseTimeoutMs: 300_000 }
  await app.register(edge, options)
  await app.register(proxyCache, options)
  if (base !== undefined) await app.register(replyFrom, { base, disableRequestLogging: true })
  let arrived = 0
  app.addHook('onRequest', async () => {
    arrived += 1
  })
  routes(app)
  await app.ready()
  t.teardown(() => app.close())
  const port = await listen(app)
  return { app, arrived: () => arrived, connect: () => connectRaw(t, port) }
}

/** A handler whose calls the test resolves. */
function heldHandler() {
  const calls: Deferred<unknown>[] = []
  const handler: RouteHandlerMethod = async (_request, reply) => {
    const call = createDeferred<unknown>()
    calls.push(call)
    const payload = await call.promise
    if (payload instanceof Readable) reply.type('text/plain')
    return reply.send(payload)
  }
  return { calls, handler }
}

function ask(target: string, fields: Readonly<Record<string, string>> = {}, method = 'GET'): string {
  const lines = Object.entries({ Host: 'a.example', ...fields }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** Requests the same without a socket. */
function again(app: FastifyInstance, fields: Readonly<Record<string, string>> = {}) {
  return app.inject({ url: '/x', headers: { host: 'a.example', ...fields } })
}

// --- clients that leave ------------------------------------------------------------------------------------------------------

for (const [kind, payload] of [
  ['text', () => text],
  ['a stream', () => Readable.from([text.slice(0, 100), text.slice(100)])],
] as const) {
  t.test(
    `collapsed requests are answered after the first client has left, and the response is stored: ${kind}`,
    async (t) => {
      const { calls, handler } = heldHandler()
      const { app, arrived, connect } = await start(t, (app) => app.get('/x', { config: { edge: own } }, handler))
      const [leader, ...followers] = [await connect(), await connect(), await connect()]
      leader.write(ask('/x'))
      t.ok(await until(() => calls.length === 1))
      for (const follower of followers) follower.write(ask('/x'))
      t.ok(await until(() => arrived() === 3))
      leader.socket.destroy()
      t.ok(await until(async () => (await connectionsOf(app)) === 2))
      calls[0]?.resolve(payload())
      for (const follower of followers) {
        const { status, fields, body } = await follower.response()
        t.match(
          { status, fields, body: body.toString() },
          { status: 200, fields: { 'cache-status': /collapsed/ }, body: text },
        )
      }
      t.match((await again(app)).headers, { 'cache-status': /hit/ })
      t.equal(calls.length, 1)
    },
  )

  t.test(`a response is stored after its only client has left: ${kind}`, async (t) => {
    const { calls, handler } = heldHandler()
    const { app, connect } = await start(t, (app) => app.get('/x', { config: { edge: own } }, handler))
    const only = await connect()
    only.write(ask('/x'))
    t.ok(await until(() => calls.length === 1))
    only.socket.destroy()
    t.ok(await until(async () => (await connectionsOf(app)) === 0))
    calls[0]?.resolve(payload())
    const late = again(app)
    t.ok(await until(() => calls.length === 1))
    const { headers, body } = await late
    t.match(headers, { 'cache-status': /hit|collapsed/ })
    t.equal(body, text)
    t.equal(calls.length, 1)
  })
}

function connectionsOf({ server }: FastifyInstance): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}

interface HeldOrigin {
  readonly url: string
  /** One for each request: resolve to send the head, then the body. */
  readonly visits: { readonly head: Deferred<void>; readonly body: Deferred<void> }[]
}

/** Answers with the text, fresh for a minute, as far as the test allows. */
async function startHeldOrigin(t: Test): Promise<HeldOrigin> {
  const visits: HeldOrigin['visits'] = []
  const server = createServer(async (_request, response) => {
    const visit = { head: createDeferred<void>(), body: createDeferred<void>() }
    visits.push(visit)
    response.sendDate = false // it would be that of another clock
    await visit.head.promise
    response.writeHead(200, { 'cache-control': 'max-age=60', 'content-type': 'text/plain' })
    response.write(text.slice(0, 1_000))
    await visit.body.promise
    response.end(text.slice(1_000))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return { url: `http://127.0.0.1:${address.port}`, visits }
}

const forward: RouteHandlerMethod = (request, reply) => reply.from(request.raw.url)

t.test(
  'collapsed requests are answered after the first client has left before the other server answered',
  async (t) => {
    const origin = await startHeldOrigin(t)
    const routes = (app: FastifyInstance) => void app.get('/x', { config: { proxyCache: {} } }, forward)
    const { app, arrived, connect } = await start(t, routes, { base: origin.url })
    const [leader, ...followers] = [await connect(), await connect(), await connect()]
    leader.write(ask('/x'))
    t.ok(await until(() => origin.visits.length === 1))
    for (const follower of followers) follower.write(ask('/x'))
    t.ok(await until(() => arrived() === 3))
    leader.socket.destroy()
    t.ok(await until(async () => (await connectionsOf(app)) === 2))
    const giveAll = setInterval(() => {
      for (const { head, body } of origin.visits) {
        head.resolve()
        body.resolve()
      }
    }, 5)
    t.teardown(() => clearInterval(giveAll))
    for (const follower of followers) t.equal((await follower.response()).body.toString(), text)
    t.match((await again(app)).headers, { 'cache-status': /hit/ })
    t.ok(origin.visits.length <= 2, 'one of them was forwarded, for both')
  },
)

t.test('a forwarded response is stored completely after its client has left', async (t) => {
  const origin = await startHeldOrigin(t)
  const routes = (app: FastifyInstance) => void app.get('/x', { config: { proxyCache: {} } }, forward)
  const { app, connect } = await start(t, routes, { base: origin.url })
  const only = await connect()
  only.write(ask('/x'))
  t.ok(await until(() => origin.visits.length === 1))
  origin.visits[0]?.head.resolve()
  await only.head()
  only.socket.destroy()
  t.ok(await until(async () => (await connectionsOf(app)) === 0))
  origin.visits[0]?.body.resolve()
  const isHit = async () => {
    const { headers, body } = await again(app, { 'cache-control': 'only-if-cached' })
    return String(headers['cache-status']).includes('hit') && body === text
  }
  t.ok(await until(isHit))
  t.equal(origin.visits.length, 1)
})

// --- clients that do not read ------------------------------------------------------------------------------------------------

t.test('a client that does not read does not delay the others, and gets the complete response later', async (t) => {
  const chunk = Buffer.alloc(64 * 1_024, 'x')
  const chunks = 256 // half of the memory for streams
  let given = 0
  const body = () => {
    given = 0
    return new Readable({
      read() {
        given += 1
        this.push(given > chunks ? null : chunk)
      },
    })
  }
  const route = { config: { edge: { ...own, maxBodyBytes: 64 * 2 ** 20, compress: false } } }
  const { arrived, connect } = await start(t, (app) => {
    app.get('/x', route, async (_request, reply) => reply.type('text/plain').send(body()))
  })
  const [slow, other] = [await connect(), await connect()]
  slow.socket.pause()
  slow.write(ask('/x'))
  t.ok(await until(() => arrived() === 1))
  other.write(ask('/x'))
  const quick = await other.response()
  t.match(quick.fields, { 'cache-status': /collapsed|hit/ })
  t.equal(quick.body.length, chunks * chunk.length)
  slow.socket.resume()
  const late = await slow.response()
  t.equal(late.body.length, chunks * chunk.length)
})

// --- persistent connections --------------------------------------------------------------------------------------------------

t.test('pipelined requests are answered in order, each with its own framing', async (t) => {
  const { calls, handler } = heldHandler()
  const { connect } = await start(t, (app) => {
    app.get('/slow', { config: { edge: own } }, handler)
    app.get('/text', { config: { edge: own } }, async () => text)
    app.get('/empty', { config: { edge: own } }, async () => '')
    app.get('/none', { config: { edge: own } }, async (_request, reply) => reply.code(204).send())
    app.get('/error', { config: { edge: own } }, async (_request, reply) => reply.code(500).send({ no: 1 }))
    app.get('/stream', { config: { edge: own } }, async (_request, reply) =>
      reply.type('text/plain').send(Readable.from([text, text])),
    )
  })
  const one = await connect()
  one.write(ask('/text'))
  const { etag = '' } = (await one.response()).fields
  const requests: [string, Record<string, string>, string][] = [
    ['/slow', {}, 'GET'],
    ...['/text', '/empty', '/none', '/error', '/stream', '/missing'].flatMap((target) =>
      ['GET', 'HEAD', 'GET'].map((method): [string, Record<string, string>, string] => [target, {}, method]),
    ),
    ['/text', { 'If-None-Match': etag }, 'GET'],
    ['/text', { 'If-None-Match': etag }, 'HEAD'],
    ['/text', { Range: 'bytes=0-6' }, 'GET'],
    ['/text', { Range: 'bytes=999999-' }, 'GET'],
    ['/text', { 'Content-Length': '4' }, 'GET'],
    ['/slow', {}, 'GET'],
    ['/text', { Connection: 'close' }, 'GET'],
  ]
  const written = requests.map(([target, fields, method]) => {
    const payload = 'Content-Length' in fields ? 'GET ' : ''
    return ask(target, fields, method) + payload
  })
  const two = await connect()
  for (const connection of [one, two]) connection.write(written.join(''))
  t.ok(await until(() => calls.length === 1))
  calls[0]?.resolve('slow')
  for (const connection of [one, two]) {
    const answers = []
    for (const [, , method] of requests) answers.push(await connection.response(method))
    await connection.closed
    t.equal(connection.unread.length, 0)
    const cacheStatus = answers.map(({ status, body }) => `${status} ${body.length}`)
    const [n, thrice] = [text.length, (get: string, head: string) => [get, head, get]]
    t.strictSame(cacheStatus, [
      '200 4',
      ...thrice(`200 ${n}`, '200 0'),
      ...thrice('200 0', '200 0'),
      ...thrice('204 0', '204 0'),
      ...thrice('500 8', '500 0'),
      ...thrice(`200 ${2 * n}`, '200 0'),
      ...thrice(cacheStatus[16]?.startsWith('404') ? (cacheStatus[16] ?? '') : '404', '404 0'),
      ...['304 0', '304 0', '206 7', '416 0', `200 ${n}`, '200 4', `200 ${n}`],
    ])
  }
  t.equal(calls.length, 1)
})

t.test('a request may arrive byte by byte', async (t) => {
  const { connect } = await start(t, (app) => app.get('/x', { config: { edge: own } }, async () => text))
  const connection = await connect()
  connection.socket.setNoDelay(true)
  for (const _ of [1, 2]) {
    for (const byte of ask('/x')) {
      connection.write(byte)
      await new Promise(setImmediate)
    }
    t.equal((await connection.response()).body.toString(), text)
  }
})

t.test('half-closed connections and HTTP/1.0 clients are answered', async (t) => {
  const { connect } = await start(t, (app) => {
    app.get('/x', { config: { edge: own } }, async () => text)
    app.get('/stream', { config: { edge: own } }, async (_request, reply) =>
      reply.type('text/plain').send(Readable.from([text])),
    )
  })
  for (const target of ['/x', '/x', '/stream', '/stream']) {
    const half = await connect()
    half.socket.end(ask(target))
    t.equal((await half.response()).body.toString(), text)
    const old = await connect()
    old.write(`GET ${target} HTTP/1.0\r\n\r\n`)
    const { fields, body } = await old.response()
    t.equal(body.toString(), text)
    t.notOk(fields['transfer-encoding'], 'HTTP/1.0 has no transfer codings')
    await old.closed
  }
})

t.test('100 Continue is sent before the response, also after pipelined requests', async (t) => {
  const { calls, handler } = heldHandler()
  const { connect } = await start(t, (app) => {
    app.get('/slow', { config: { edge: own } }, handler)
    app.get('/x', { config: { edge: own } }, async () => text)
  })
  const connection = await connect()
  connection.write(ask('/x'))
  await connection.response()
  connection.write(ask('/slow') + ask('/x', { Expect: '100-continue' }) + ask('/x'))
  t.ok(await until(() => calls.length === 1))
  calls[0]?.resolve('slow')
  t.equal((await connection.response()).body.toString(), 'slow')
  for (const _ of [1, 2]) t.equal((await connection.response()).body.toString(), text)
})

// --- frames ------------------------------------------------------------------------------------------------------------------

t.test('the response to HEAD is that to GET without its body', async (t) => {
  const origin = await startHeldOrigin(t)
  const routes = (app: FastifyInstance) => {
    app.get('/x', { config: { edge: own } }, async () => text)
    app.get('/fwd', { config: { proxyCache: {} } }, forward)
  }
  const { connect } = await start(t, routes, { base: origin.url })
  const connection = await connect()
  const giveAll = setInterval(() => {
    for (const { head, body } of origin.visits) {
      head.resolve()
      body.resolve()
    }
  }, 5)
  t.teardown(() => clearInterval(giveAll))
  for (const target of ['/x', '/fwd']) {
    connection.write(ask(target, {}, 'HEAD'))
    const miss = await connection.response('HEAD')
    connection.write(ask(target))
    const whole = await connection.response()
    connection.write(ask(target, {}, 'HEAD') + ask(target))
    const [head, get] = [await connection.response('HEAD'), await connection.response()]
    t.equal(get.body.toString(), text)
    t.match(head.fields['cache-status'], /hit/)
    t.equal(head.fields['content-length'], String(text.length))
    t.equal(head.fields['content-length'], get.fields['content-length'])
    t.equal(head.fields.etag, get.fields.etag)
    for (const name of target === '/x' ? ['etag', 'content-length', 'content-type'] : ['content-type']) {
      t.equal(miss.fields[name], whole.fields[name], `${name}, though nothing was stored`)
    }
    for (const { fields, status } of [miss, whole])
      t.match({ fields, status }, { status: 200, fields: { 'content-type': /text/ } })
  }
})

t.test('a 304 has no body and no fields that describe one', async (t) => {
  const { connect } = await start(t, (app) => {
    app.get('/own', { config: { edge: own } }, async () => text)
    app.get('/unstored', { config: { edge: own } }, async (_request, reply) =>
      reply.header('cache-control', 'no-store').send(text),
    )
    app.get('/fwd', { config: { proxyCache: {} } }, async ({ headers }, reply) => {
      reply.headers({ etag: '"x"', 'cache-control': 'max-age=60' })
      return headers['if-none-match'] === undefined ? text : reply.code(304).send()
    })
  })
  const connection = await connect()
  for (const target of ['/own', '/unstored', '/fwd']) {
    for (const method of ['HEAD', 'GET', 'HEAD', 'GET', 'GET', 'HEAD']) {
      connection.write(ask(target, { 'If-None-Match': '*' }, method))
      const { status, fields, lines } = await connection.response(method)
      t.equal(status, 304, `${method} ${target}`)
      for (const name of ['transfer-encoding', 'content-type', 'content-encoding']) {
        t.notOk(name in fields, `${name} in ${JSON.stringify(lines)}`)
      }
      // A response to HEAD may have the length of the representation, RFC 9110 §8.6. Fastify sends 0 for an empty payload.
      if (method === 'GET') t.notOk('content-length' in fields)
      else if (target !== '/fwd') t.ok(['5400', undefined].includes(fields['content-length']))
      connection.write(ask('/own'))
      t.equal((await connection.response()).body.toString(), text, 'the framing of the next response is intact')
    }
  }
})

// --- many at once ------------------------------------------------------------------------------------------------------------

for (const [kind, options, payload] of [
  ['text', own, () => text],
  ['a stream', own, () => Readable.from([text])],
  ['text with its own lifetime', {}, () => text],
] as const) {
  t.test(`64 concurrent requests are collapsed into one: ${kind}`, async (t) => {
    const { calls, handler } = heldHandler()
    const { arrived, connect } = await start(t, (app) => {
      if (options !== own)
        app.addHook('preHandler', async (_request, reply) => void reply.header('cache-control', 'max-age=60'))
      app.get('/x', { config: { edge: options } }, handler)
    })
    const clients = await Promise.all(Array.from({ length: 64 }, connect))
    for (const client of clients) client.write(ask('/x'))
    t.ok(await until(() => arrived() === clients.length))
    t.equal(calls.length, 1)
    calls[0]?.resolve(payload())
    const answers = await Promise.all(clients.map((client) => client.response()))
    t.ok(answers.every(({ status, body }) => status === 200 && body.toString() === text))
    t.equal(answers.filter(({ fields }) => fields['cache-status']?.includes('collapsed')).length, clients.length - 1)
    t.equal(calls.length, 1)
  })
}

t.test('requests whose response cannot be stored are collapsed once, and not again', async (t) => {
  const { calls, handler } = heldHandler()
  const routes = (app: FastifyInstance) => {
    app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'private'))
    app.get('/x', { config: { edge: own } }, handler)
  }
  const { arrived, connect } = await start(t, routes)
  const clients = await Promise.all(Array.from({ length: 8 }, connect))
  for (const client of clients) client.write(ask('/x'))
  t.ok(await until(() => arrived() === 8))
  t.equal(calls.length, 1)
  calls[0]?.resolve('own 0')
  t.ok(await until(() => calls.length === 8), 'the others are forwarded at once')
  for (const [at, call] of calls.entries()) call.resolve(`own ${at}`)
  const bodies = await Promise.all(clients.map(async (client) => (await client.response()).body.toString()))
  t.equal(new Set(bodies).size, 8, 'each client has its own response')

  for (const client of clients) client.write(ask('/x'))
  t.ok(await until(() => calls.length === 16), 'the second time all of them are forwarded at once')
  for (const call of calls) call.resolve('own')
  for (const client of clients) t.equal((await client.response()).status, 200)
})

// --- codings -----------------------------------------------------------------------------------------------------------------

t.test('an encoding is computed on the first request for it, and sent once it is there', async (t) => {
  let calls = 0
  const { connect } = await start(t, (app) =>
    app.get('/x', { config: { edge: own } }, async () => {
      calls += 1
      return text
    }),
  )
  const connection = await connect()
  const get = async (fields: Readonly<Record<string, string>>) => {
    connection.write(ask('/x', fields))
    return connection.response()
  }
  const plain = await get({})
  t.match(plain.fields, { vary: /accept-encoding/i })
  const tags = new Set([plain.fields.etag])
  for (const [coding, decode] of [
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const) {
    const first = await get({ 'Accept-Encoding': coding })
    t.equal(first.fields['content-encoding'], undefined, 'the request does not wait for it')
    t.equal(first.body.toString(), text)
    t.ok(await until(async () => (await get({ 'Accept-Encoding': coding })).fields['content-encoding'] === coding))
    const { fields, body } = await get({ 'Accept-Encoding': `identity;q=0.1, ${coding}` })
    t.equal(decode(body).toString(), text)
    t.ok(body.length < text.length)
    t.notOk(tags.has(fields.etag), 'each encoding has another strong entity-tag')
    tags.add(fields.etag)
    t.equal((await get({ 'Accept-Encoding': coding, 'If-None-Match': fields.etag ?? '' })).status, 304)
    t.equal((await get({ 'If-None-Match': fields.etag ?? '' })).status, 304, 'the client has the representation')
  }
  t.match(await get({ 'Accept-Encoding': 'gzip, br' }), { fields: { 'content-encoding': 'br' } })
  for (const none of ['identity', 'br;q=0, gzip;q=0', 'deflate', '']) {
    t.equal((await get({ 'Accept-Encoding': none })).fields['content-encoding'], undefined, none)
  }
  connection.write(ask('/x', { 'Accept-Encoding': 'br' }, 'HEAD') + ask('/x'))
  t.match((await connection.response('HEAD')).fields, { 'content-encoding': 'br' })
  t.equal((await connection.response()).body.toString(), text)
  t.equal(calls, 1)
})
