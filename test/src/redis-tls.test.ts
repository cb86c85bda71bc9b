import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { createAuthority } from '../harness/certificates.js'
import { startProgram, startServer } from '../harness/process.js'
import { startRedisCluster } from '../harness/redis-cluster.js'
import { until } from '../harness/until.js'

// The compiled program with a real Cluster over TLS.

/** Longer than it takes until a connection is closed during the handshake. */
const refusedConnections = 100
t.setTimeout(240_000)

t.test('refused certificates of a Cluster cause a warning and do not end the process', async (t) => {
  const { nodes, serverOf, refusals } = await startParts(t)
  const server = await serverOf({ REDIS_CLUSTER_NODES: nodes, REDIS_TLS: 'true' })
  await server.until(/"kind":"tls"/)
  let hasEnded = false
  server.exited.then(() => {
    hasEnded = true
  })
  t.ok(await until(() => hasEnded || refusals() >= refusedConnections, 120_000))
  t.notOk(hasEnded, `${refusals()} refused connections`)
  t.equal((await fetch(`${server.url}/api/v1/sellers?page_size=1`)).status, 200)
  t.equal((await fetch(server.url)).status, 200)
  t.match(await server.stop(), { code: 0, signal: null })
  t.strictSame(server.stderr, [])
  t.equal(server.log().filter(({ level }) => level > 40).length, 0)
})

t.test('the certificates of a Cluster are trusted with REDIS_TLS_CA_FILE', async (t) => {
  const { nodes, serverOf, caFile } = await startParts(t)
  const server = await serverOf({ REDIS_CLUSTER_NODES: nodes, REDIS_TLS: 'true', REDIS_TLS_CA_FILE: caFile })
  const readiness = async () => (await fetch(`${server.url}/readyz`)).text()
  t.ok(await until(async () => (await readiness()).includes('"redis":"up"')))
  t.equal(server.log().filter(({ kind }) => kind === 'tls').length, 0)
})

t.test('an invalid REDIS_TLS_CA_FILE ends the process with one line', async (t) => {
  const program = startProgram(t, { PORT: '0', REDIS_URL: 'rediss://127.0.0.1', REDIS_TLS_CA_FILE: '/nowhere/ca.pem' })
  t.equal((await program.exited).code, 1)
  t.strictSame(program.stderr, ['vitrine: REDIS_TLS_CA_FILE must be the path of a readable file of PEM certificates'])
})

async function startParts(t: Test) {
  const directory = t.testdir()
  const authority = createAuthority(directory, 'ca')
  const logFile = `${directory}/redis.log`
  const cluster = await startRedisCluster(directory, {
    certificate: authority.issue('IP:127.0.0.1'),
    flags: ['--logfile', logFile],
  })
  t.teardown(() => cluster.stop())
  return {
    caFile: authority.caFile,
    nodes: cluster.nodes.map(({ tlsPort }) => `127.0.0.1:${tlsPort}`).join(','),
    serverOf: (environment: Record<string, string>) => startServer(t, environment),
    /** Connections that a client refused, counted by the servers. */
    refusals: () => readFileSync(logFile, 'utf8').split('Error accepting a client connection').length - 1,
  }
}
