import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { killOnExit } from './kill-on-exit.js'
import { freePort } from './redis-server.js'
import { until } from './until.js'

/** An nginx process on a free loopback port with its own folder. */
export interface Nginx {
  readonly url: string
  /** Answered requests as `GET /path 200`. nginx logs them with a short delay. */
  answered(): Promise<string[]>
  /** Writes a file below the root with this modification time. */
  write(path: string, content: string | Uint8Array, changedAt?: string): Promise<void>
  remove(path: string): Promise<void>
}

/** The path of nginx, if it is installed. */
export function findNginx(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/usr/local/nginx/sbin']
  return folders.map((folder) => join(folder, 'nginx')).find((path) => existsSync(path))
}

/** The reason to skip tests with nginx, or `false`. In CI a missing nginx is an error. */
export const skipWithoutNginx =
  findNginx() === undefined && process.env.CI !== 'true' && 'nginx is not installed (Debian: apt-get install nginx)'

/** Starts nginx with these directives in the `server` block. It is killed by its pid when the test ends. */
export async function startNginx(t: Test, directives: string): Promise<Nginx> {
  const program = findNginx()
  if (program === undefined) throw new Error('These tests require nginx (Debian: apt-get install nginx).')
  const prefix = await mkdtemp(join(tmpdir(), 'vitrine-nginx-'))
  const port = await freePort()
  await writeFile(join(prefix, 'nginx.conf'), configuration(port, directives))
  await mkdir(join(prefix, 'files'))
  const server = spawn(program, ['-p', prefix, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stderr: Buffer[] = []
  server.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const ended = once(server, 'exit')
  killOnExit(server)
  t.teardown(async () => {
    server.kill('SIGTERM')
    await ended
    await rm(prefix, { recursive: true, force: true })
  })
  const listens = () => server.exitCode !== null || canConnect(port)
  if (!(await until(listens)) || server.exitCode !== null) throw new Error(`nginx: ${Buffer.concat(stderr)}`)
  const fileAt = (path: string) => join(prefix, 'files', path)
  return {
    url: `http://127.0.0.1:${port}`,
    async answered() {
      const log = await readFile(join(prefix, 'access.log'), 'utf8')
      return log.split('\n').filter(Boolean)
    },
    async write(path, content, changedAt = '2026-02-02T10:00:00Z') {
      await mkdir(dirname(fileAt(path)), { recursive: true })
      await writeFile(fileAt(path), content)
      await utimes(fileAt(path), new Date(changedAt), new Date(changedAt))
    },
    remove: (path) => rm(fileAt(path)),
  }
}

/** All files that nginx writes are below its prefix. */
function configuration(port: number, directives: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp-${name};`)
  return `
    daemon off;
    master_process off;
    pid nginx.pid;
    events { worker_connections 256; }
    http {
      log_format short '$request_method $request_uri $status';
      access_log access.log short;
      ${temporary.join('\n      ')}
      types { text/plain txt; application/json json; }
      server {
        listen 127.0.0.1:${port};
        root files;
        ${directives}
      }
    }
  `
}

async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).then((connected) => {
    socket.destroy()
    return connected === true
  })
}
