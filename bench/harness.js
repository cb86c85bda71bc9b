import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Starts the compiled server on a free port. Returns its URL, its log lines and the time until it listened. */
export async function startServer(environment = {}) {
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['dist/server.js'], {
    cwd: root,
    env: { PATH: process.env.PATH, PORT: '0', RATE_LIMIT_MAX: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = []
  let url
  for await (const line of createInterface(child.stdout)) {
    lines.push(JSON.parse(line))
    url = /listening at (\S+)/.exec(lines.at(-1).msg)?.[1]
    if (url) break
  }
  const startMs = performance.now() - startedAt
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)))
  return {
    child,
    url,
    startMs,
    lines,
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Requests a URL and reads the complete body. Returns the status and the milliseconds. */
export async function timeGet(url, headers = {}) {
  const startedAt = performance.now()
  const response = await fetch(url, { headers })
  const body = await response.text()
  return { status: response.status, body, ms: performance.now() - startedAt }
}

export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) }
}

export function round(value) {
  return Math.round(value * 10) / 10
}
