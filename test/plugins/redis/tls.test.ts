import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import cache from '../../../plugins/cache/index.js'
import redis, { type RedisPluginOptions } from '../../../plugins/redis/index.js'
import { type Certificate, createAuthority } from '../../harness/certificates.js'
import { startPlugins } from '../../harness/plugins.js'
import { type RedisCluster, startRedisCluster } from '../../harness/redis-cluster.js'
import { freePort, type RedisServer, startRedis, tlsFlags } from '../../harness/redis-server.js'
import { until } from '../../harness/until.js'

// An error of a socket that has no listener is an uncaught exception, which fails the test it happens in.

t.setTimeout(120_000)
const directory = t.testdir()
const trusted = createAuthority(directory, 'trusted')
const unknown = createAuthority(directory, 'unknown')
const tls = { ca: await readFile(trusted.caFile) }
const byAddress = trusted.issue('IP:127.0.0.1')
const byName = trusted.issue('DNS:localhost')
const byUnknown = unknown.issue('IP:127.0.0.1', 'DNS:localhost')

t.test(
  'serves through a single server, a Cluster and sentinels with certificates of an authority of their own',
  async (t) => {
    const server = await serverFor(t, byAddress)
    const places: RedisPluginOptions[] = [
      { url: `redis://127.0.0.1:${server.tlsPort}` },
      { url: `rediss://127.0.0.1:${server.tlsPort}` },
      { clusterNodes: nodesOf(await clusterFor(t, byAddress), '127.0.0.1') },
      { sentinels: [await sentinelFor(t, server.tlsPort, byAddress)], sentinelName: 'master' },
    ]
    for (const place of places) await proves(t, { ...place, tls })
  },
)

t.test(
  'a Cluster whose certificates name a host is reached by that name, by address and by names of its own',
  async (t) => {
    const byAddresses = await clusterFor(t, byName)
    await proves(t, { clusterNodes: nodesOf(byAddresses, 'localhost'), tls })
    const names = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname']
    await proves(t, { clusterNodes: nodesOf(await clusterFor(t, byName, names), 'localhost'), tls })
  },
)

t.test('reports a refused certificate as tls', async (t) => {
  const refused = await serverFor(t, byUnknown)
  const named = await serverFor(t, byName)
  const places: [name: string, place: RedisPluginOptions][] = [
    ['of a server, by an unknown authority', { url: `rediss://127.0.0.1:${refused.tlsPort}` }],
    ['of a server, for another name', { url: `rediss://127.0.0.1:${named.tlsPort}` }],
    ['of a Cluster, by an unknown authority', { clusterNodes: nodesOf(await clusterFor(t, byUnknown), '127.0.0.1') }],
    ['of a Cluster, for another name', { clusterNodes: nodesOf(await clusterFor(t, byName), '127.0.0.1') }],
    [
      'of a sentinel, by an unknown authority',
      { sentinels: [await sentinelFor(t, refused.tlsPort, byUnknown)], sentinelName: 'master' },
    ],
    [
      'of a master behind sentinels',
      { sentinels: [await sentinelFor(t, refused.tlsPort, byAddress)], sentinelName: 'master' },
    ],
  ]
  for (const [name, place] of places) {
    await t.test(name, async (t) => {
      const { app, book } = await startPlugins(t, { redis: { ...place, tls } })
      t.match(await book.until(({ kind }) => kind === 'tls'), {
        level: 40,
        subject: 'redis',
        reason: /cert/i,
      })
      t.equal(await app.cache.fetch('k', () => 'loaded'), 'loaded')
      await app.close()
      t.equal(book.at(50).length + book.at(60).length, 0)
    })
  }
})

t.test('greets a configured node of a Cluster by its name', async (t) => {
  const names: (string | false)[] = []
  const [key, cert] = await Promise.all([readFile(byName.keyFile), readFile(byName.certFile)])
  const server = createTlsServer({ key, cert }, (socket) => {
    names.push(socket.servername ?? false)
    socket.on('error', () => undefined).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  await startPlugins(t, { redis: { clusterNodes: [{ host: 'localhost', port: portOf(server) }], tls } })
  t.ok(await until(() => names.length > 0))
  t.equal(names[0], 'localhost')
})

t.test('a node that has a name of its own needs a certificate for it', async (t) => {
  const names = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname']
  const cluster = await clusterFor(t, byAddress, names)
  const { book } = await startPlugins(t, { redis: { clusterNodes: nodesOf(cluster, '127.0.0.1'), tls } })
  t.match(await book.until(({ kind }) => kind === 'tls'), { reason: /altnames/ })
})

t.test('reports a wrong password of the sentinels as auth', async (t) => {
  const server = await serverFor(t, byAddress)
  const sentinels = [await sentinelFor(t, server.tlsPort, byAddress, ['--requirepass', 'right'])]
  for (const login of [{}, { sentinelPassword: 'wrong' }]) {
    const { book } = await startPlugins(t, { redis: { sentinels, sentinelName: 'master', tls, ...login } })
    t.match(await book.until(({ kind }) => kind === 'auth'), { level: 40, subject: 'redis' })
  }
})

t.test('goes on when certificates are replaced by refused ones, and again when they are right', async (t) => {
  const server = await serverFor(t, byAddress)
  const cluster = await clusterFor(t, byAddress)
  const places: [servers: readonly RedisServer[], place: RedisPluginOptions][] = [
    [[server], { url: `rediss://127.0.0.1:${server.tlsPort}` }],
    [cluster.nodes, { clusterNodes: nodesOf(cluster, '127.0.0.1') }],
  ]
  for (const [servers, place] of places) {
    const { app, book } = await startPlugins(t, { redis: { ...place, tls } })
    t.ok(await until(() => app.cache.stats().coherence === 'tracking'))
    await Promise.all(servers.map((server) => useCertificate(server, byUnknown)))
    t.match(await book.until(({ kind }) => kind === 'tls'), {
      level: 40,
      subject: 'redis',
      reason: /certificate/,
    })
    t.equal(await app.cache.fetch('k', () => 'loaded'), 'loaded')

    await Promise.all(servers.map((server) => useCertificate(server, byAddress)))
    t.match(await book.until(({ msg }) => msg === 'redis works again'), { level: 30 })
    t.ok(await until(() => app.cache.stats().coherence === 'tracking'))
    t.equal(book.at(50).length, 0)
  }
})

t.test('closing while certificates are being refused raises no error', async (t) => {
  const server = await serverFor(t, byUnknown)
  const gate = await gateFor(t, server.tlsPort)
  const places: RedisPluginOptions[] = [
    { url: `rediss://127.0.0.1:${gate.port}` },
    { sentinels: [await sentinelFor(t, gate.port, byAddress)], sentinelName: 'master' },
    { clusterNodes: [{ host: '127.0.0.1', port: gate.port }] },
  ]
  for (const place of places) {
    for (let round = 0; round < 3; round += 1) {
      const app = Fastify()
      const { heldHandshakes: held, closedConnections: closed } = gate
      await app.register(redis, { ...place, tls, bootTimeoutMs: 1 })
      await app.register(cache)
      await app.ready()
      t.ok(await until(() => gate.heldHandshakes > held))
      await app.close()
      t.ok(await until(() => gate.closedConnections > closed), 'the handshake has ended')
    }
  }
})

t.test('closing a cache on a client of the program raises no error either', async (t) => {
  const server = await serverFor(t, byUnknown)
  const gate = await gateFor(t, server.tlsPort)
  const client = new Redis({ host: '127.0.0.1', port: gate.port, tls, retryStrategy: () => null })
  client.on('error', () => undefined) // the gate ends it
  const app = Fastify()
  await app.register(cache, { redis: client })
  await app.ready()
  t.ok(await until(() => gate.heldHandshakes >= 2), 'its connection and that of the cache')
  const { closedConnections: closed } = gate
  await app.close()
  t.ok(await until(() => gate.closedConnections > closed), 'the handshake has ended')
})

async function proves(t: Test, options: RedisPluginOptions): Promise<void> {
  const { app, book } = await startPlugins(t, { redis: options })
  t.ok(await until(() => app.cache.stats().coherence === 'tracking'), 'entries are tracked')
  const keys = Array.from({ length: 12 }, (_, n) => `k${n}`)
  for (const key of keys) t.ok(await until(() => app.cache.set(key, key)))
  t.equal(book.lines.filter(({ kind }) => kind === 'tls').length, 0)
  await app.close()
}

async function serverFor(t: Test, certificate: Certificate): Promise<RedisServer> {
  const server = await startRedis({ certificate })
  t.teardown(() => server.stop())
  return server
}

async function clusterFor(t: Test, certificate: Certificate, flags: readonly string[] = []): Promise<RedisCluster> {
  const cluster = await startRedisCluster(t.testdir(), { certificate, flags })
  t.teardown(() => cluster.stop())
  return cluster
}

function nodesOf({ nodes }: RedisCluster, host: string) {
  return nodes.map(({ tlsPort }) => ({ host, port: tlsPort }))
}

/** A sentinel that knows the master at this port, whether it can reach it or not. */
async function sentinelFor(t: Test, masterPort: number, certificate: Certificate, flags: readonly string[] = []) {
  const port = await freePort()
  const file = `sentinel-${port}.conf`
  const folder = t.testdir({ [file]: `sentinel monitor master 127.0.0.1 ${masterPort} 1\n` })
  const own = ['--port', '0', '--bind', '127.0.0.1', '--tls-port', String(port), '--tls-replication', 'yes']
  const sentinel: ChildProcess = spawn(
    'redis-server',
    [`${folder}/${file}`, '--sentinel', ...own, ...tlsFlags(certificate), ...flags],
    { stdio: 'ignore' },
  )
  const kill = () => sentinel.kill('SIGKILL')
  process.once('exit', kill)
  t.teardown(() => {
    kill()
    process.off('exit', kill)
  })
  t.ok(await until(() => isListening(port)))
  return { host: '127.0.0.1', port }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function useCertificate({ client }: RedisServer, { certFile, keyFile }: Certificate): Promise<void> {
  await client.call('CONFIG', 'SET', 'tls-cert-file', certFile, 'tls-key-file', keyFile)
  await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
}

/**
 * A proxy that holds back what the server sends until the client has closed its side in mid-handshake. The client then
 * receives the certificate that it refuses together with the alert of the server.
 */
async function gateFor(t: Test, target: number) {
  const sockets = new Set<Socket>()
  const gate = { port: 0, heldHandshakes: 0, closedConnections: 0 }
  const proxy = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
    const held: Buffer[] = []
    client.once('close', () => {
      gate.closedConnections += 1
      server.destroy()
    })
    client.pipe(server)
    server.on('data', (data) => {
      if (held.push(data) === 1) gate.heldHandshakes += 1
    })
    server.once('end', () => client.end(Buffer.concat(held)))
    for (const socket of [client, server]) {
      sockets.add(socket.on('error', () => undefined))
      socket.once('close', () => sockets.delete(socket))
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    proxy.close()
    for (const socket of sockets) socket.destroy()
  })
  gate.port = portOf(proxy)
  return gate
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}
