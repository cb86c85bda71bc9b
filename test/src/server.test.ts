import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { createDeferred } from '../harness/deferred.js'
import { type Program, type ServerProcess, startProgram, startServer } from '../harness/process.js'
import { freePort, type RedisServer, startRedis } from '../harness/redis-server.js'
import { until } from '../harness/until.js'
import { makeSellers, startUpstream, type Upstream, type UpstreamOptions } from '../harness/upstream.js'

// The compiled program, one process per test.

t.jobs = 4 // tests mostly wait for processes

t.test('without environment variables it serves the bundled demo', async (t) => {
  const server = await startServer(t)
  const page = await fetch(server.url)
  t.equal(page.status, 200)
  t.match(page.headers.get('content-type'), 'text/html')
  t.match(await page.text(), /1–20 of 1,240 sellers/)
  const api = await fetch(`${server.url}/api/v1/sellers?page_size=1`)
  t.match(await api.json(), { total: 1_240, items: [{ id: /./ }] })

  const { code } = await server.stop()
  t.equal(code, 0)
  t.match(server.log(), [{ level: 30 }], 'every line on stdout is JSON')
  t.ok(
    server.log().find(({ msg }) => /bundled demo/.test(msg)),
    'the log mentions the demo',
  )
  t.equal(linesAt(server, 40).length, 0, 'not as a warning')
  t.strictSame(server.stderr, [])
})

t.test('concurrent starts in one checkout do not interfere', async (t) => {
  const servers = await Promise.all([startServer(t), startServer(t)])
  t.equal(new Set(servers.map(({ url }) => url)).size, 2)
  const answers = await Promise.all(servers.map(({ url }) => fetch(url)))
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 200],
  )
})

// One that the operating system refuses, and one that may contain a secret; environment.test.ts has the rest.
const wrong: [name: string, value: string][] = [
  ['HOST', '192.0.2.1'], // not an address of this machine: TEST-NET-1 of RFC 5737
  ['UPSTREAM_URL', 'http://user:secret@127.0.0.1'],
  ['REDIS_URL', 'redis://:secret@127.0.0.1/abc'],
]
t.test('an invalid value ends the process with one line that names the variable, not the value', async (t) => {
  t.jobs = 4
  for (const [name, value] of wrong) {
    t.test(`${name}=${JSON.stringify(value)}`, async (t) => {
      const program = startProgram(t, { PORT: '0', [name]: value })
      t.equal((await program.exited).code, 1)
      t.equal(program.stderr.length, 1, program.stderr.join('\n'))
      t.match(program.stderr[0], name)
      t.notMatch(program.stderr[0], /secret/)
    })
  }
})

t.test('a port in use ends the process with one line that names PORT', async (t) => {
  const upstream = await upstreamFor(t)
  const { port } = new URL(upstream.url)
  const program = startProgram(t, { PORT: port, UPSTREAM_URL: upstream.url })
  t.equal((await program.exited).code, 1)
  t.equal(program.stderr.length, 1, program.stderr.join('\n'))
  t.match(program.stderr[0], new RegExp(`PORT.*${port}`))
})

t.test('after SIGTERM a request in flight completes, and new connections are refused', async (t) => {
  const upstream = await upstreamFor(t)
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)
  const server = await startServer(t, { UPSTREAM_URL: upstream.url, UPSTREAM_TIMEOUT_MS: '20000' })
  const inFlight = fetch(`${server.url}/api/v1/sellers`)
  await upstream.received(1)

  const stopped = server.stop('SIGTERM')
  await server.until(/SIGTERM/)
  t.ok(await until(() => refusesConnections(server.url)), 'new connections are refused')
  gate.resolve(undefined)
  const answer = await inFlight
  t.equal(answer.status, 200)
  t.match(await answer.json(), { total: 3 })
  t.equal((await stopped).code, 0)
  const lines = server.log()
  const closing = lines.slice(lines.findIndex(({ msg }) => msg === 'shutting down'))
  t.match(closing, [{ level: 30 }, { level: 30, msg: 'shutdown complete' }])
  t.equal(closing.length, 2)
  t.strictSame(server.stderr, [])
})

t.test('after SIGTERM requests in flight complete on every address of localhost', async (t) => {
  const upstream = await upstreamFor(t)
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)
  const server = await startServer(t, {
    HOST: 'localhost',
    NODE_OPTIONS: `--import=${new URL('../harness/two-addresses.js', import.meta.url)}`,
    UPSTREAM_URL: upstream.url,
    UPSTREAM_TIMEOUT_MS: '60000',
    UPSTREAM_DEADLINE_MS: '60000',
  })
  await server.until(/"listening"/)
  const { port } = new URL(server.url)
  const urls = ['127.0.0.1', '127.0.0.2'].map((host) => `http://${host}:${port}`)
  const inFlight = urls.map((url, index) => fetch(`${url}/api/v1/sellers?name=unknown-${index}`))
  await upstream.received(2)

  const stopped = server.stop('SIGTERM')
  await server.until(/SIGTERM/)
  for (const url of urls) await until(() => refusesConnections(url))
  gate.resolve(undefined)
  for (const answer of await Promise.all(inFlight)) {
    t.equal(answer.status, 200)
    t.match(await answer.json(), { total: 0 })
  }
  t.equal((await stopped).code, 0)
  t.strictSame(server.stderr, [])
})

t.test('after SIGTERM a slow client receives its complete response', async (t) => {
  const { server, socket, received } = await requestLargeList(t)
  const stopped = server.stop('SIGTERM')
  await server.until(/SIGTERM/)
  await until(() => refusesConnections(server.url))
  const ended = once(socket, 'end')
  socket.resume()
  await ended
  t.match(received.head(), /content-length: 7\d{6}/i)
  t.equal(received.bodyBytes(), Number(received.head().match(/content-length: (\d+)/i)?.[1]))
  t.equal((await stopped).code, 0)
})

t.test('a client that stops reading its response does not block the shutdown', async (t) => {
  const { server } = await requestLargeList(t)
  t.strictSame(await server.stop('SIGTERM'), { code: 0, signal: null })
  t.strictSame(server.stderr, [])
})

t.test('SIGINT and SIGTERM at once are one signal: a request in flight completes', async (t) => {
  const upstream = await upstreamFor(t)
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)
  const server = await startServer(t, { UPSTREAM_URL: upstream.url, UPSTREAM_TIMEOUT_MS: '60000' })
  const inFlight = fetch(`${server.url}/api/v1/sellers`)
  await upstream.received(1)

  const stopped = server.stop('SIGINT')
  void server.stop('SIGTERM')
  await server.until(/shutting down/)
  gate.resolve(undefined)
  const answer = await inFlight
  t.equal(answer.status, 200)
  t.match(await answer.json(), { total: 3 })
  t.match(await stopped, { code: 0, signal: null })
  t.equal(server.log().filter(({ msg }) => msg === 'shutting down').length, 1)
  t.strictSame(server.stderr, [])
})

t.test('SIGINT exits like SIGTERM', async (t) => {
  const server = await startServer(t, { UPSTREAM_URL: (await upstreamFor(t)).url })
  t.match(await server.stop('SIGINT'), { code: 0, signal: null })
})

t.test('it serves and exits while the reader of its log hangs or is gone', async (t) => {
  t.jobs = 2
  for (const reader of ['hangs', 'closed'] as const) {
    t.test(reader, async (t) => {
      const upstream = await upstreamFor(t)
      upstream.fail({ status: 404 }) // each response causes a log line
      const server = await startServer(t, { UPSTREAM_URL: upstream.url, RATE_LIMIT_MAX: '10000' })
      server.stopReadingStdout(reader)
      const headers = { 'x-request-id': 'x'.repeat(128) } // long lines that exceed the pipe buffer
      const statuses = new Set<number>()
      for (let sent = 0; reader === 'hangs' && sent < 480; sent += 40) {
        const urls = Array.from({ length: 40 }, (_, n) => `${server.url}/api/v1/sellers?name=${sent + n}`)
        for (const { status } of await Promise.all(urls.map((url) => fetch(url, { headers })))) statuses.add(status)
      }
      t.strictSame([...statuses], reader === 'hangs' ? [502] : [])
      t.strictSame(await server.stop(), { code: 0, signal: null })
    })
  }
})

t.test('SIGTERM exits while Redis hangs', async (t) => {
  const [redis, upstream] = await Promise.all([redisFor(t), upstreamFor(t)])
  const server = await startServer(t, { UPSTREAM_URL: upstream.url, REDIS_URL: redis.url })
  redis.hang()
  t.equal((await fetch(server.url)).status, 200)
  t.equal((await server.stop()).code, 0)
  t.strictSame(server.stderr, [])
})

t.test('SIGTERM exits while Redis and the upstream hang and clients keep connections open', async (t) => {
  const [redis, upstream] = await Promise.all([redisFor(t), upstreamFor(t)])
  const slow = { UPSTREAM_TIMEOUT_MS: '60000', UPSTREAM_DEADLINE_MS: '60000' }
  const server = await startServer(t, { UPSTREAM_URL: upstream.url, REDIS_URL: redis.url, ...slow })
  await holdOn(t, server)
  upstream.fail({ hang: 'at once' })
  const inFlight = fetch(`${server.url}/api/v1/sellers`).then((answer) => answer.json())
  await upstream.received(1)
  redis.hang()

  t.equal((await server.stop()).signal, null, 'it exits by itself')
  t.match(await inFlight, { status: 503 }, 'the waiting client gets a response')
  t.strictSame(server.stderr, [])
})

t.test('a client that reuses its connection does not block the shutdown', async (t) => {
  const upstream = await upstreamFor(t)
  const server = await startServer(t, { UPSTREAM_URL: upstream.url })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  await statusOf(`${server.url}/healthz`, agent)
  const stopped = server.stop()
  await until(async () => (await statusOf(`${server.url}/healthz`, agent)) !== 200)
  t.equal((await stopped).code, 0)
})

t.test('while the configured Redis is unavailable it serves and warns', async (t) => {
  const [upstream, port] = await Promise.all([upstreamFor(t), freePort()])
  const server = await startServer(t, {
    UPSTREAM_URL: upstream.url,
    UPSTREAM_TOKEN: 'upstream-secret',
    REDIS_URL: `redis://user:redis-secret@127.0.0.1:${port}`,
    LOG_LEVEL: 'trace',
  })
  t.equal((await fetch(server.url)).status, 200, 'the first request')
  upstream.fail({ status: 401 })
  t.equal((await fetch(`${server.url}/?name=x`)).status, 502)
  t.equal((await server.stop()).code, 0)

  t.match(linesAt(server, 40)[0], { subject: 'redis', kind: 'refused', msg: /redis/ })
  t.ok(linesAt(server, 50).length === 0, 'no error')
  t.strictSame(server.stderr, [])
  t.equal(upstream.requests[0]?.headers.authorization, 'Bearer upstream-secret')
  t.notMatch(server.stdout.join('\n'), /upstream-secret|redis-secret/, 'no secret is in the log at any level')
})

t.test('demo data in Redis causes a warning', async (t) => {
  const redis = await redisFor(t)
  const server = await startServer(t, { REDIS_URL: redis.url })
  await server.until(/demo data is cached/)
  t.ok(linesAt(server, 40).some(({ msg }) => /demo data.*Redis/.test(String(msg))))
  t.equal((await fetch(server.url)).status, 200)
  t.ok(await until(async () => (await redis.client.keys('cat_demo:*')).length > 0), 'under its own keys')
})

t.test('the demo marketplace runs as a program', async (t) => {
  const marketplace = await startServer(t, {}, 'dist/demo/main.js')
  const answer = await fetch(`${marketplace.url}/sellers?page_size=2`)
  t.match(await answer.json(), { items: [{}, {}], page: 1, page_size: 2, total: 1_240 })
  const server = await startServer(t, { UPSTREAM_URL: marketplace.url })
  t.equal((await fetch(server.url)).status, 200, 'and can be used as the upstream')
  t.equal((await marketplace.stop()).code, 0)
})

function linesAt(program: Program, level: number) {
  return program.log().filter((line) => line.level === level)
}

async function upstreamFor(t: Test, options: UpstreamOptions = { sellers: makeSellers(3) }): Promise<Upstream> {
  const upstream = await startUpstream(options)
  t.teardown(() => upstream.close())
  return upstream
}

async function redisFor(t: Test): Promise<RedisServer> {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  return redis
}

/** Two open connections: one idle after a response, one with an incomplete request. */
async function holdOn(t: Test, { url }: ServerProcess): Promise<void> {
  const idle = await openSocket(t, url)
  idle.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n')
  await once(idle, 'data')
  const half = await openSocket(t, url)
  await new Promise((resolve) => half.write('GET /healthz HTTP/1.1\r\nHost:', resolve))
}

async function openSocket(t: Test, url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined) // the server may close it
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A client that has read the start of a response of 7.5 MB, which is more than the buffers of a connection hold. */
async function requestLargeList(t: Test) {
  const name = 'x'.repeat(75_000)
  const upstream = await upstreamFor(t, { sellers: makeSellers(100).map((seller) => ({ ...seller, name })) })
  const server = await startServer(t, { UPSTREAM_URL: upstream.url })
  const socket = await openSocket(t, server.url)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.write('GET /api/v1/sellers?page_size=100 HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'data')
  socket.pause()
  const text = () => Buffer.concat(chunks).toString('latin1')
  const headEnd = () => text().indexOf('\r\n\r\n') + 4
  return {
    server,
    socket,
    received: { head: () => text().slice(0, headEnd()), bodyBytes: () => text().length - headEnd() },
  }
}

async function refusesConnections(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}

/** The status of the response; `undefined` without one. */
function statusOf(url: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve) => {
    get(url, { agent }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode))).on('error', () =>
      resolve(undefined),
    )
  })
}
