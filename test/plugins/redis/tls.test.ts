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
import { killOnExit } from '../../harness/kill-on-exit.js'
import { startPlugins } from '../../harness/plugins.js'
import { type RedisCluster, startRedisCluster } from '../../harness/redis-cluster.js'
import { freePort, type RedisServer, startRedis, tlsFlags } from '../../harness/redis-server.js'
import { until } from '../../harness/until.js'

// An error of a socket without a listener is an uncaught exception and fails the current test.

t.setTimeout(120_000)
const directory = t.testdir()
const trusted = createAuthority(directory, 'trusted')
const unknown = createAuthority(directory, 'unknown')
const tls = { ca: await readFile(trusted.caFile) }
const byAddress = trusted.issue('IP:127.0.0.1')
const byName = trusted.issue('DNS:localhost')
const byUnknown = unknown.issue('IP:127.0.0.1', 'DNS:localhost')

t.test('connects to a server, a Cluster and sentinels with certificates of a private authority', async (t) => {
  const server = await serverFor(t, byAddress)
  const places: RedisPluginOptions[] = [
    { url: `redis://127.0.0.1:${server.tlsPort}` },
    { url: `rediss://127.0.0.1:${server.tlsPort}` },
    { clusterNodes: nodesOf(await clusterFor(t, byAddress), '127.0.0.1') },
    { sentinels: [await sentinelFor(t, server.tlsPort, byAddress)], sentinelName: 'master' },
  ]
  for (const place of places) await checkTracking(t, { ...place, tls })
})

t.test('connects to a Cluster with host certificates by configured and by announced host names', async (t) => {
  const byAddresses = await clusterFor(t, byName)
  await checkTracking(t, { clusterNodes: nodesOf(byAddresses, 'localhost'), tls })
  const names = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname']
  await checkTracking(t, { clusterNodes: nodesOf(await clusterFor(t, byName, names), 'localhost'), tls })
})

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

t.test('sends the configured host name of a Cluster node as SNI', async (t) => {
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

t.test('a Cluster node that announces a host name must have a certificate for it', async (t) => {
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

t.test('works from memory while replaced certificates are refused, and recovers when they are valid', async (t) => {
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
    t.match(await book.until(({ msg }) => msg === 'redis connection restored'), { level: 30 })
    t.ok(await until(() => app.cache.stats().coherence === 'tracking'))
    t.equal(book.at(50).length, 0)
  }
})

t.test('closing while certificates are being refused raises no error', async (t) => {
  const server = await serverFor(t, byUnknown)
  const proxy = await startHandshakeProxy(t, server.tlsPort)
  const places: RedisPluginOptions[] = [
    { url: `rediss://127.0.0.1:${proxy.port}` },
    { sentinels: [await sentinelFor(t, proxy.port, byAddress)], sentinelName: 'master' },
    { clusterNodes: [{ host: '127.0.0.1', port: proxy.port }] },
  ]
  for (const place of places) {
    for (let round = 0; round < 3; round += 1) {
      const app = Fastify()
      const { delayedHandshakes: delayed, closedConnections: closed } = proxy
      await app.register(redis, { ...place, tls, bootTimeoutMs: 1 })
      await app.register(cache)
      await app.ready()
      t.ok(await until(() => proxy.delayedHandshakes > delayed))
      await app.close()
      t.ok(await until(() => proxy.closedConnections > closed), 'the handshake has ended')
    }
  }
})

t.test('closing a cache on a client of the application raises no error', async (t) => {
  const server = await serverFor(t, byUnknown)
  const proxy = await startHandshakeProxy(t, server.tlsPort)
  const client = new Redis({ host: '127.0.0.1', port: proxy.port, tls, retryStrategy: () => null })
  client.on('error', () => undefined) // the proxy closes the connection
  const app = Fastify()
  await app.register(cache, { redis: client })
  await app.ready()
  t.ok(await until(() => proxy.delayedHandshakes >= 2), 'the connections of the client and of the cache')
  const { closedConnections: closed } = proxy
  await app.close()
  t.ok(await until(() => proxy.closedConnections > closed), 'the handshake has ended')
})

async function checkTracking(t: Test, options: RedisPluginOptions): Promise<void> {
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

/** A sentinel configured with the master at this port. It need not be able to reach it. */
async function sentinelFor(t: Test, masterPort: number, certificate: Certificate, flags: readonly string[] = []) {
  const port = await freePort()
  const file = `sentinel-${port}.conf`
  const folder = t.testdir({ [file]: `sentinel monitor master 127.0.0.1 ${masterPort} 1\n` })
  const options = ['--port', '0', '--bind', '127.0.0.1', '--tls-port', String(port), '--tls-replication', 'yes']
  const sentinel: ChildProcess = spawn(
    'redis-server',
    [`${folder}/${file}`, '--sentinel', ...options, ...tlsFlags(certificate), ...flags],
    { stdio: 'ignore' },
  )
  killOnExit(sentinel)
  t.teardown(() => sentinel.kill('SIGKILL'))
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
 * A proxy that delays the data of the server until the client has closed its side during the handshake. The client then
 * receives the certificate that it refuses together with the alert of the server.
 */
async function startHandshakeProxy(t: Test, target: number) {
  const sockets = new Set<Socket>()
  const proxy = { port: 0, delayedHandshakes: 0, closedConnections: 0 }
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
    const delayed: Buffer[] = []
    client.once('close', () => {
      proxy.closedConnections += 1
      server.destroy()
    })
    client.pipe(server)
    server.on('data', (data) => {
      if (delayed.push(data) === 1) proxy.delayedHandshakes += 1
    })
    server.once('end', () => client.end(Buffer.concat(delayed)))
    for (const socket of [client, server]) {
      sockets.add(socket.on('error', () => undefined))
      socket.once('close', () => sockets.delete(socket))
    }
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    listener.close()
    for (const socket of sockets) socket.destroy()
  })
  proxy.port = portOf(listener)
  return proxy
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}
