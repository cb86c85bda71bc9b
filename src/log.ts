import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyServerOptions } from 'fastify'
import { pino } from 'pino'
import type { Config } from './config/environment.js'

/** Lines that nobody has read yet, in bytes: some 60,000 of them. Newer ones are dropped, and counted. */
const unreadLimitBytes = 16 * 1_024 * 1_024
/** What a reader is given at the end to take what is left. */
const lastLinesMs = 500

/** The log of a process: JSON lines on stdout; for eyes only where stdout is a terminal. */
export interface Log {
  readonly options: Exclude<FastifyServerOptions['logger'], boolean | undefined>
  /** Writes what is left, if it is read. Never rejects; nothing is written after it. */
  end(): Promise<void>
}

/**
 * Whoever reads the log may hang or be gone: lines then wait in memory, within bounds, and the process neither waits for
 * their reader nor ends with it. `onGap` is told of lines that were dropped, once lines are read again.
 */
export function openLog({ LOG_LEVEL: level }: Pick<Config, 'LOG_LEVEL'>, onGap: (lines: number) => void): Log {
  if (process.stdout.isTTY) {
    return { options: { level, transport: { target: 'pino-pretty' } }, end: async () => undefined }
  }
  const stream = pino.destination({ dest: 1, sync: false, maxLength: unreadLimitBytes })
  const closed = new Promise<void>((resolve) => stream.once('close', resolve).once('error', () => resolve()))
  stream.on('error', () => undefined) // a full disk behind stdout is no reason to end
  let dropped = 0
  stream.on('drop', () => dropped++)
  stream.on('drain', () => {
    if (dropped === 0) return
    const lines = dropped
    dropped = 0
    onGap(lines)
  })
  // Else pino writes what is left until somebody takes it, and with a reader that is gone or hangs the process never ends.
  process.prependListener('exit', () => stream.destroy())
  return {
    options: { level, stream },
    async end() {
      stream.end()
      await Promise.race([closed, pause(lastLinesMs, undefined, { ref: false })])
    },
  }
}
