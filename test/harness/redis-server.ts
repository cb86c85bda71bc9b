import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Certificate } from './certificates.js'

/** A real Redis of the test's own, on a free loopback port, which holds nothing on disk. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  /** Where it speaks TLS; 0 without a certificate. */
  readonly tlsPort: number
  /** A plain connection for looking at and meddling with what the application stored; closed by `stop`. */
  readonly client: Redis
  readonly pid: number
  /** `kill -9`, as a crash would. */
  kill(): Promise<void>
  /** Starts again on the same port, empty; does nothing while it runs. */
  start(): Promise<void>
  /** SIGSTOP: connections stay open and nobody answers. */
  hang(): void
  /** SIGCONT. */
  resume(): void
  stop(): Promise<void>
}

const programs = ['redis-server', 'valkey-server']

/** Path of a Redis server program on this machine, if it has one. */
export function findRedisServer(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/bin', '/usr/local/bin', '/usr/sbin']
  return programs.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

/** Finds a Redis server or installs one where that needs no question; throws with one line of advice otherwise. */
export function ensureRedisServer(): void {
  if (findRedisServer() !== undefined) return
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  for (const step of [['update'], ['install', '-y', 'redis-server']]) {
    const [program = 'apt-get', ...rest] = [...sudo, 'apt-get', ...step]
    spawnSync(program, rest, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  }
  if (findRedisServer() === undefined) {
    throw new Error('The tests need redis-server or valkey-server on the PATH (Debian: apt-get install redis-server).')
  }
}

export interface RedisServerOptions {
  /** Default: one that nobody listens on. */
  readonly port?: number
  /** Added to the command line as they are. */
  readonly flags?: readonly string[]
  readonly password?: string
  /** Speaks TLS too, on a port of its own. */
  readonly certificate?: Certificate
}

/** Starts a Redis that answers when the promise resolves; the test that starts it stops it. */
export async function startRedis({ flags = [], password, ...options }: RedisServerOptions = {}): Promise<RedisServer> {
  const program = findRedisServer()
  if (program === undefined) throw new Error('There is no redis-server on this machine; `npm test` installs one.')
  const port = options.port ?? (await freePort())
  const tlsPort = options.certificate === undefined ? 0 : await freePort()
  const tls = options.certificate === undefined ? [] : ['--tls-port', String(tlsPort), ...tlsFlags(options.certificate)]
  const client = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    ...(password === undefined ? {} : { password }),
  })
  client.on('error', () => undefined) // tests take the server away on purpose
  const guard = password === undefined ? [] : ['--requirepass', password]
  let server: ChildProcess | undefined

  async function start(): Promise<void> {
    if (server !== undefined) return
    server = spawn(
      program as string, // checked above; a closure does not remember it
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...guard, ...tls, ...flags],
      { stdio: 'ignore' },
    )
    const refuse = new Promise<never>((_resolve, reject) => {
      server?.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)))
    })
    refuse.catch(() => client.disconnect()) // before it answers; later it ends when a test wants it to
    await Promise.race([client.ping(), refuse])
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

  const leaveNoneBehind = () => server?.kill('SIGKILL')
  process.once('exit', leaveNoneBehind) // of a test that throws
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
      process.off('exit', leaveNoneBehind)
    },
  }
}

/** What a Redis server or sentinel is started with to speak TLS. */
export function tlsFlags({ certFile, keyFile, caFile }: Certificate): string[] {
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', caFile]
  return [...files, '--tls-auth-clients', 'no']
}

/** Ports below those that the system gives to connections and to servers without a port of their own. */
const ports = { first: 10_000, count: 22_000 }

/**
 * A loopback port that nobody listens on. It is not one that the system gives away by itself: that would often be taken again before
 * a server is started on it.
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
