import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { killOnExit } from './kill-on-exit.js'
import type { LogLine } from './log.js'

/** The exit of a process. */
export interface Exit {
  /** `null` when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process that runs compiled code. It is killed by its pid when the test ends. */
export interface Program {
  /** Lines of stdout so far. */
  readonly stdout: readonly string[]
  /** Lines of stderr so far. */
  readonly stderr: readonly string[]
  readonly exited: Promise<Exit>
  /** Parses all lines of stdout as JSON. */
  log(): LogLine[]
  /** Waits for a matching line on stdout. Rejects with all output if the process exits without one. */
  until(pattern: RegExp): Promise<string>
  /** Stops reading stdout, like a log reader that hangs or that has closed its end of the pipe. */
  stopReadingStdout(reader: 'hangs' | 'closed'): void
  /** Sends the signal and waits for the exit. */
  stop(signal?: NodeJS.Signals): Promise<Exit>
}

/** A program that listens for requests. */
export interface ServerProcess extends Program {
  /** Base URL without a trailing slash. */
  readonly url: string
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const lineLimitMs = 120_000

/** Starts `dist/server.js`, or another compiled program, with this environment and PATH only. */
export function startProgram(
  t: Test,
  environment: Readonly<Record<string, string>> = {},
  program = 'dist/server.js',
): Program {
  const child = spawn(process.execPath, [program], {
    cwd: root,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = () => child.kill('SIGKILL') // has no effect after the exit
  killOnExit(child)
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]> // after the last output
  const exited = ended.then(([code, signal]): Exit => ({ code, signal }))
  let hasEnded = false
  child.once('close', () => {
    hasEnded = true
    child.emit('output')
  })
  t.teardown(async () => {
    kill()
    await ended
  })

  const lines = { stdout: linesOf(child, 'stdout'), stderr: linesOf(child, 'stderr') }
  return {
    ...lines,
    exited,
    log: () => lines.stdout.map((line) => JSON.parse(line)),
    async until(pattern) {
      const limit = AbortSignal.timeout(lineLimitMs)
      for (;;) {
        const found = lines.stdout.find((line) => pattern.test(line))
        if (found !== undefined) return found
        if (hasEnded || limit.aborted) {
          throw new Error(`no line on stdout matches ${pattern}:\n${[...lines.stdout, ...lines.stderr].join('\n')}`)
        }
        await once(child, 'output', { signal: limit }).catch(() => undefined)
      }
    },
    stopReadingStdout(reader) {
      if (reader === 'closed') child.stdout.destroy()
      else child.stdout.pause()
      child.once('exit', () => child.stdout.resume())
    },
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return exited
    },
  }
}

/** Starts `dist/server.js`, or another compiled program, on a free port, and waits until it logs its address. */
export async function startServer(
  t: Test,
  environment: Readonly<Record<string, string>> = {},
  program?: string,
): Promise<ServerProcess> {
  const server = startProgram(t, { PORT: '0', ...environment }, program)
  const line = await server.until(/listen.*http:/)
  return { ...server, url: line.match(/http:\/\/[\d.]+:\d+/)?.[0] ?? '' }
}

function linesOf(child: ChildProcess, channel: 'stdout' | 'stderr'): string[] {
  const lines: string[] = []
  const stream = child[channel]
  if (stream === null) throw new Error(`the ${channel} of a child is not a pipe`)
  createInterface(stream).on('line', (line) => {
    lines.push(line)
    child.emit('output')
  })
  return lines
}
