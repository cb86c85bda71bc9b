import { once } from 'node:events'
import { PassThrough } from 'node:stream'

/** A log line written by pino. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** Collects log lines. Pass `stream` to pino or Fastify. */
export interface LogBook {
  readonly stream: PassThrough
  readonly lines: LogLine[]
  /** Lines of this level: 30 is info, 40 warn, 50 error. */
  at(level: number): LogLine[]
  /** Waits for a line that the predicate accepts. */
  until(accepts: (line: LogLine) => boolean): Promise<LogLine>
}

export function createLogBook(): LogBook {
  const stream = new PassThrough()
  const lines: LogLine[] = []
  stream.on('data', (chunk: Buffer) => {
    for (const text of chunk.toString().split('\n').filter(Boolean)) lines.push(JSON.parse(text))
    stream.emit('lines')
  })
  return {
    stream,
    lines,
    at: (level) => lines.filter((line) => line.level === level),
    async until(accepts) {
      for (;;) {
        const found = lines.find(accepts)
        if (found !== undefined) return found
        await once(stream, 'lines', { signal: AbortSignal.timeout(20_000) })
      }
    },
  }
}
