import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyServerOptions } from 'fastify'
import { pino } from 'pino'
import type { Config } from '../config/environment.js'

/** Bytes of unwritten lines, about 60,000 lines. Further lines are dropped and counted. */
const maxBufferBytes = 16 * 1_024 * 1_024
/** How long the end of the process waits for unwritten lines. */
const flushMs = 500

/** The log of the process: JSON lines on stdout; pretty-printed on a terminal. */
export interface Log {
  readonly options: Exclude<FastifyServerOptions['logger'], boolean | undefined>
  /** Writes the buffered lines if stdout is read. Never rejects. Later lines are not written. */
  end(): Promise<void>
}

/**
 * The reader of stdout may hang or be gone. Lines are then buffered within bounds; the process neither blocks nor exits.
 * `onDrop` receives the number of dropped lines once lines are read again.
 */
export function openLog({ LOG_LEVEL: level }: Pick<Config, 'LOG_LEVEL'>, onDrop: (lines: number) => void): Log {
  if (process.stdout.isTTY) {
    return { options: { level, transport: { target: 'pino-pretty' } }, end: async () => undefined }
  }
  const stream = pino.destination({ dest: 1, sync: false, maxLength: maxBufferBytes })
  const closed = new Promise<void>((resolve) => stream.once('close', resolve).once('error', () => resolve()))
  stream.on('error', () => undefined) // a full disk behind stdout must not end the process
  let dropped = 0
  stream.on('drop', () => dropped++)
  stream.on('drain', () => {
    if (dropped === 0) return
    const lines = dropped
    dropped = 0
    onDrop(lines)
  })
  // Without this pino flushes synchronously at exit, and never returns while stdout is not read.
  process.prependListener('exit', () => stream.destroy())
  return {
    options: { level, stream },
    async end() {
      stream.end()
      await Promise.race([closed, sleep(flushMs, undefined, { ref: false })])
    },
  }
}
