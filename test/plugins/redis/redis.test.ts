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
import { createLogBook } from '../../harness/log.js'
import { freePort, startRedis } from '../../harness/redis-server.js'
import { patient } from '../../harness/two-caches.js'
import { until } from '../../harness/until.js'

const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

const up = await startRedis()
const hung = await startRedis()
hung.hang()
const mute = createServer((socket) => socket.resume()) // takes connections and never says a word
await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
const talker = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
await new Promise<void>((resolve) => talker.listen(0, '127.0.0.1', resolve))
// A host that swallows packets: the queue of a stopped server is full, and the kernel answers no further greeting.
const unroutable = await startRedis({ flags: ['--tcp-backlog', '1'] })
unroutable.hang()
const queue = Array.from({ length: 4 }, () => connect(unroutable.port, '127.0.0.1').on('error', () => undefined))
await Promise.race(queue.map((socket) => once(socket, 'connect')))
t.teardown(async () => {
  for (const socket of queue) socket.destroy()
  hung.resume()
  unroutable.resume()
  mute.close()
  talker.close()
  await Promise.all([up.stop(), hung.stop(), unroutable.stop()])
})

function portOf(server: typeof mute): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

async function ready(client: Redis): Promise<void> {
  if (client.status !== 'ready') await new Promise((resolve) => client.once('ready', resolve))
}

const closed = await freePort()
const cases: { name: string; options: RedisPluginOptions; kind: RegExp | undefined }[] = [
  { name: 'up', options: { url: up.url, ...patient.redis }, kind: undefined },
  { name: 'refused', options: { url: `redis://127.0.0.1:${closed}` }, kind: /^refused$/ },
  { name: 'hung', options: { url: hung.url }, kind: /^timeout$/ },
  { name: 'mute', options: { url: `redis://127.0.0.1:${portOf(mute)}` }, kind: /^timeout$/ },
  { name: 'something else', options: { url: `redis://127.0.0.1:${portOf(talker)}` }, kind: /^(protocol|closed)$/ },
  { name: 'unroutable', options: { url: unroutable.url }, kind: /^unreachable$/ },
  { name: 'without a name', options: { url: 'redis://redis.invalid:6379' }, kind: /^unreachable$/ },
  { name: 'a socket file that is not there', options: { url: 'unix:/nowhere/redis.sock' }, kind: /^refused$/ },
  { name: 'a Cluster that is not there', options: { clusterNodes: [{ host: '127.0.0.1', port: closed }] }, kind: /./ },
  {
    name: 'sentinels that are not there',
    options: { sentinels: [{ host: '127.0.0.1', port: closed }], sentinelName: 'master' },
    kind: /./,
  },
]

for (const { name, options, kind } of cases) {
  t.test(`holds up neither boot nor close when Redis is ${name}`, async (t) => {
    const book = createLogBook()
    const app = Fastify({ logger: { stream: book.stream } })
    await app.register(redis, options)
    await app.ready()

    if (kind === undefined) {
      t.equal(await app.redis.ping(), 'PONG', 'serves when it is ready')
      t.equal(book.at(40).length, 0)
    } else {
      const warning = await book.until(({ level }) => level === 40)
      t.match(warning, { subject: 'redis', kind })
      await t.rejects(app.redis.get('k'), 'a command is refused')
    }

    await app.close()
    t.equal(book.at(50).length, 0, 'no error')
  })
}

for (const { name, port } of [
  { name: 'hung', port: hung.port },
  { name: 'mute', port: portOf(mute) },
  { name: 'unroutable', port: unroutable.port },
]) {
  t.test(`boots and closes while a connection and a command have no end, with Redis ${name}`, async (t) => {
    const app = Fastify()
    const { connectTimeoutMs, commandTimeoutMs } = patient.redis
    await app.register(redis, { url: `redis://127.0.0.1:${port}`, connectTimeoutMs, commandTimeoutMs })
    await app.ready()
    t.not(app.redis.status, 'ready')
    let turns = 0
    const refused = t.rejects(app.redis.get('k')).then(() => turns)
    for (; turns < 5; turns += 1) await new Promise(setImmediate)
    t.ok((await refused) < 5, 'a command is refused at once')
    await app.close()
    t.equal(app.redis.status, 'end')
  })
}

t.test('connects by itself when Redis comes up later, and says so once', async (t) => {
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
  await book.until(({ msg }) => msg === 'redis works again')
  t.equal(await app.redis.ping(), 'PONG')
  t.equal(book.at(40).length, 1, 'one warning for the whole outage')
})

t.test('speaks to a Redis behind a unix socket', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'redis-')) // a socket's path has 107 bytes at most
  const path = join(directory, 'redis.sock')
  const server = await startRedis({ flags: ['--unixsocket', path] })
  const app = Fastify()
  await app.register(redis, { url: `unix:${path}`, ...patient.redis })
  t.equal(await app.redis.ping(), 'PONG')
  await app.close()
  await server.stop()
  await rm(directory, { recursive: true })
})

t.test('finds the master by its sentinels, with a password', async (t) => {
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

t.test('a wrong password is a warning with a kind of its own, and the password is not in it', async (t) => {
  const guarded = await startRedis({ password: 'right' })
  const book = createLogBook()
  const app = Fastify({ logger: { stream: book.stream } })
  await app.register(redis, { url: `redis://:wr0ng-secret@127.0.0.1:${guarded.port}` })
  t.match(await book.until(({ level }) => level === 40), { kind: 'auth' })
  t.notMatch(JSON.stringify(book.lines), /wr0ng-secret/)
  await app.close()
  await guarded.stop()
})

t.test('closing while a command waits for a hung Redis ends the command, and Redis hangs on', async (t) => {
  const server = await startRedis()
  const book = createLogBook()
  const app = Fastify({ logger: { stream: book.stream } })
  await app.register(redis, { url: server.url, ...patient.redis })
  await app.redis.ping()
  server.hang()
  const waiting = t.rejects(app.redis.get('k'), { message: /closed/i })
  await app.close()
  await waiting
  t.strictSame(book.at(40), [], 'sooner than the socket is found dead')
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
  // What was sent again would be there before the answer to a later command.
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

t.test('asks to be told where Redis is, and does not take this machine for it', async (t) => {
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

t.test('leaves no rejection unhandled', async (t) => {
  await new Promise(setImmediate)
  t.strictSame(unhandled, [])
})
