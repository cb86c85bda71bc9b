import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Certificate } from './certificates.js'
import { killOnExit } from './kill-on-exit.js'

/** A Redis process on a free loopback port without persistence. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  /** The TLS port. 0 without a certificate. */
  readonly tlsPort: number
  /** A connection to inspect and change what the application stored. Closed by `stop`. */
  readonly client: Redis
  readonly pid: number
  /** Kills the process with SIGKILL, like a crash. */
  kill(): Promise<void>
  /** Restarts an empty server on the same port. Has no effect while it runs. */
  start(): Promise<void>
  /** SIGSTOP: connections stay open without replies. */
  hang(): void
  /** SIGCONT. */
  resume(): void
  stop(): Promise<void>
}

const programs = ['redis-server', 'valkey-server']

/** The path of a Redis server program, if one is installed. */
export function findRedisServer(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/bin', '/usr/local/bin', '/usr/sbin']
  return programs.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

/** Finds a Redis server, or installs one if that needs no password. Throws with a hint otherwise. */
export function ensureRedisServer(): void {
  if (findRedisServer() !== undefined) return
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  for (const step of [['update'], ['install', '-y', 'redis-server']]) {
    const [program = 'apt-get', ...rest] = [...sudo, 'apt-get', ...step]
    spawnSync(program, rest, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  }
  if (findRedisServer() === undefined) {
    throw new Error(
      'The tests require redis-server or valkey-server on the PATH (Debian: apt-get install redis-server).',
    )
  }
}

export interface RedisServerOptions {
  /** Default: a free port. */
  readonly port?: number
  /** Added to the command line. */
  readonly flags?: readonly string[]
  readonly password?: string
  /** Enables TLS on a second port. */
  readonly certificate?: Certificate
}

/** Starts a Redis and waits until it answers. The test must stop it. */
export async function startRedis({ flags = [], password, ...options }: RedisServerOptions = {}): Promise<RedisServer> {
  const program = findRedisServer()
  if (program === undefined) throw new Error('redis-server is not installed. `npm test` installs it.')
  const port = options.port ?? (await freePort())
  const tlsPort = options.certificate === undefined ? 0 : await freePort()
  const tls = options.certificate === undefined ? [] : ['--tls-port', String(tlsPort), ...tlsFlags(options.certificate)]
  const client = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    ...(password === undefined ? {} : { password }),
  })
  client.on('error', () => undefined) // tests stop the server on purpose
  const auth = password === undefined ? [] : ['--requirepass', password]
  let server: ChildProcess | undefined

  async function start(): Promise<void> {
    if (server !== undefined) return
    server = spawn(
      program as string, // checked above, but narrowing does not reach into a closure
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...auth, ...tls, ...flags],
      { stdio: 'ignore' },
    )
    killOnExit(server)
    const failure = new Promise<never>((_resolve, reject) => {
      server?.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)))
    })
    failure.catch(() => client.disconnect()) // it exited before it answered
    await Promise.race([client.ping(), failure])
    server.removeAllListeners('exit')
  }
  async function kill(): Promise<void> {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const exited = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGKILL')
    await exited
  }

  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    tlsPort,
    client,
    get pid() {
      return server?.pid ?? -1
    },
    kill,
    start,
    hang: () => server?.kill('SIGSTOP'),
    resume: () => server?.kill('SIGCONT'),
    async stop() {
      client.disconnect()
      await kill()
    },
  }
}

/** TLS flags of a Redis server or sentinel. */
export function tlsFlags({ certFile, keyFile, caFile }: Certificate): string[] {
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', caFile]
  return [...files, '--tls-auth-clients', 'no']
}

/** Ports below the ephemeral range. */
const ports = { first: 10_000, count: 22_000 }

/**
 * A free loopback port. It is not an ephemeral one, as the system would often assign that again before a server is started on
 * it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ports.first + Math.floor(Math.random() * ports.count)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
