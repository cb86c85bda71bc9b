import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import type { Redis } from 'ioredis'
import t from 'tap'
import redis, { type RedisPluginOptions } from '../../../plugins/redis/index.js'
import { longTimeouts } from '../../harness/cache-pair.js'
import { createLogBook } from '../../harness/log.js'
import { freePort, startRedis } from '../../harness/redis-server.js'
import { until } from '../../harness/until.js'

const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

const up = await startRedis()
const hung = await startRedis()
hung.hang()
const silent = createServer((socket) => socket.resume()) // accepts connections and never replies
await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
const httpServer = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve))
// A host that drops packets: the backlog of a stopped server is full, so the kernel answers no further SYN.
const unroutable = await startRedis({ flags: ['--tcp-backlog', '1'] })
unroutable.hang()
const queue = Array.from({ length: 4 }, () => connect(unroutable.port, '127.0.0.1').on('error', () => undefined))
await Promise.race(queue.map((socket) => once(socket, 'connect')))
t.teardown(async () => {
  for (const socket of queue) socket.destroy()
  hung.resume()
  unroutable.resume()
  silent.close()
  httpServer.close()
  await Promise.all([up.stop(), hung.stop(), unroutable.stop()])
})

function portOf(server: typeof silent): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

async function ready(client: Redis): Promise<void> {
  if (client.status !== 'ready') await new Promise((resolve) => client.once('ready', resolve))
}

const closed = await freePort()
const cases: { name: string; options: RedisPluginOptions; kind: RegExp | undefined }[] = [
  { name: 'up', options: { url: up.url, ...longTimeouts.redis }, kind: undefined },
  { name: 'refused', options: { url: `redis://127.0.0.1:${closed}` }, kind: /^refused$/ },
  { name: 'hung', options: { url: hung.url }, kind: /^timeout$/ },
  { name: 'silent', options: { url: `redis://127.0.0.1:${portOf(silent)}` }, kind: /^timeout$/ },
  { name: 'an HTTP server', options: { url: `redis://127.0.0.1:${portOf(httpServer)}` }, kind: /^(protocol|closed)$/ },
  { name: 'unroutable', options: { url: unroutable.url }, kind: /^unreachable$/ },
  { name: 'a host without a DNS record', options: { url: 'redis://redis.invalid:6379' }, kind: /^unreachable$/ },
  { name: 'a missing socket file', options: { url: 'unix:/nowhere/redis.sock' }, kind: /^refused$/ },
  { name: 'a missing Cluster', options: { clusterNodes: [{ host: '127.0.0.1', port: closed }] }, kind: /./ },
  {
    name: 'behind missing sentinels',
    options: { sentinels: [{ host: '127.0.0.1', port: closed }], sentinelName: 'master' },
    kind: /./,
  },
]

for (const { name, options, kind } of cases) {
  t.test(`blocks neither boot nor close when Redis is ${name}`, async (t) => {
    const book = createLogBook()
    const app = Fastify({ logger: { stream: book.stream } })
    await app.register(redis, options)
    await app.ready()

    if (kind === undefined) {
      t.equal(await app.redis.ping(), 'PONG', 'the client is connected')
      t.equal(book.at(40).length, 0)
    } else {
      const warning = await book.until(({ level }) => level === 40)
      t.match(warning, { subject: 'redis', kind })
      await t.rejects(app.redis.get('k'), 'a command rejects')
    }

    await app.close()
    t.equal(book.at(50).length, 0, 'no error')
  })
}

for (const { name, port } of [
  { name: 'hung', port: hung.port },
  { name: 'silent', port: portOf(silent) },
  { name: 'unroutable', port: unroutable.port },
]) {
  t.test(`boots and closes with Redis ${name} and without limits for connections and commands`, async (t) => {
    const app = Fastify()
    const { connectTimeoutMs, commandTimeoutMs } = longTimeouts.redis
    await app.register(redis, { url: `redis://127.0.0.1:${port}`, connectTimeoutMs, commandTimeoutMs })
    await app.ready()
    t.not(app.redis.status, 'ready')
    let turns = 0
    const refused = t.rejects(app.redis.get('k')).then(() => turns)
    for (; turns < 5; turns += 1) await new Promise(setImmediate)
    t.ok((await refused) < 5, 'a command rejects at once')
    await app.close()
    t.equal(app.redis.status, 'end')
  })
}

t.test('connects when Redis starts later, and logs the recovery once', async (t) => {
  const late = await startRedis()
  await late.kill()
  const book = createLogBook()
  const app = Fastify({ logger: { stream: book.stream } })
  await app.register(redis, { url: late.url })
  t.teardown(async () => {
    await app.close()
    await late.stop()
  })
  await late.start()
  await book.until(({ msg }) => msg === 'redis connection restored')
  t.equal(await app.redis.ping(), 'PONG')
  t.equal(book.at(40).length, 1, 'one warning for the outage')
})

t.test('connects to Redis through a unix socket', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'redis-')) // the path of a socket is limited to 107 bytes
  const path = join(directory, 'redis.sock')
  const server = await startRedis({ flags: ['--unixsocket', path] })
  const app = Fastify()
  await app.register(redis, { url: `unix:${path}`, ...longTimeouts.redis })
  t.equal(await app.redis.ping(), 'PONG')
  await app.close()
  await server.stop()
  await rm(directory, { recursive: true })
})

t.test('connects to a master with a password through sentinels', async (t) => {
  const master = await startRedis({ password: 'secret' })
  const port = await freePort()
  const directory = t.testdir({
    'sentinel.conf': [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor master 127.0.0.1 ${master.port} 1`,
      'sentinel auth-pass master secret',
    ].join('\n'),
  })
  const sentinel = spawn('redis-server', [`${directory}/sentinel.conf`, '--sentinel'], { stdio: 'ignore' })
  const book = createLogBook()
  const app = Fastify({ logger: { stream: book.stream } })
  t.teardown(async () => {
    await app.close()
    sentinel.kill('SIGKILL')
    await master.stop()
  })
  await app.register(redis, {
    sentinels: [{ host: '127.0.0.1', port }],
    sentinelName: 'master',
    password: 'secret',
  })
  await ready(app.redis)
  t.equal(await app.redis.ping(), 'PONG')
})

t.test('a wrong password logs a warning with the kind auth and without the password', async (t) => {
  const guarded = await startRedis({ password: 'right' })
  const book = createLogBook()
  const app = Fastify({ logger: { stream: book.stream } })
  await app.register(redis, { url: `redis://:wr0ng-secret@127.0.0.1:${guarded.port}` })
  t.match(await book.until(({ level }) => level === 40), { kind: 'auth' })
  t.notMatch(JSON.stringify(book.lines), /wr0ng-secret/)
  await app.close()
  await guarded.stop()
})

t.test('closing rejects a command that waits for a hung Redis', async (t) => {
  const server = await startRedis()
  const book = createLogBook()
  const app = Fastify({ logger: { stream: book.stream } })
  await app.register(redis, { url: server.url, ...longTimeouts.redis })
  await app.redis.ping()
  server.hang()
  const waiting = t.rejects(app.redis.get('k'), { message: /closed/i })
  await app.close()
  await waiting
  t.strictSame(book.at(40), [], 'before the socket times out')
  server.resume()
  await server.stop()
})

t.test('a write that timed out is not sent again after an outage', async (t) => {
  const server = await startRedis()
  const app = Fastify()
  await app.register(redis, { url: server.url, commandTimeoutMs: 500 })
  await ready(app.redis)
  server.hang()
  await t.rejects(app.redis.set('k', 'late'), { message: 'Command timed out' })
  const ended = new Promise((resolve) => app.redis.once('close', resolve))
  await server.kill()
  await ended
  await server.start()
  // A retried write would be applied before the reply to a later command.
  await until(() =>
    app.redis
      .ping()
      .then((pong) => pong === 'PONG')
      .catch(() => false),
  )
  t.equal(await server.client.get('k'), null)
  await app.close()
  await server.stop()
})

t.test('rejects missing, invalid and conflicting options', async (t) => {
  for (const options of [
    {},
    { url: 'localhost:6379' },
    { url: 'http://localhost' },
    { url: 'redis://localhost', timeoutMs: 5 } as never,
    { url: 'unix:' },
    { url: 'redis://localhost', tls: 'true' as never },
    { clusterNodes: [] },
    { url: 'redis://localhost', clusterNodes: [{ host: 'localhost', port: 7_000 }] },
  ]) {
    const register = async () => {
      await Fastify().register(redis, options)
    }
    await t.rejects(register(), { code: 'VITRINE_REDIS_OPTION' }, JSON.stringify(options))
  }
})

t.test('causes no unhandled rejection', async (t) => {
  await new Promise(setImmediate)
  t.strictSame(unhandled, [])
})
