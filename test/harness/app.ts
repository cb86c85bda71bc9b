import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { type AppTimeouts, buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config/environment.js'
import { createLogBook, type LogBook } from './log.js'
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream.js'

export interface TestApp {
  readonly app: FastifyInstance
  readonly upstream: Upstream
  readonly book: LogBook
}

export interface TestAppOptions {
  /** Environment variables. Defaults: `UPSTREAM_URL` is the upstream of the test, and there is no rate limit. */
  readonly environment?: Readonly<Record<string, string>>
  /** The data of the upstream, or a started upstream. */
  readonly upstream?: UpstreamOptions | Upstream
  readonly now?: () => number
  /** Default: `longAppTimeouts`. */
  readonly timeouts?: AppTimeouts
}

const longMs = 60_000

/** Longer than any operation on a busy machine. Only tests of a timeout set a shorter one. */
export const longAppTimeouts = {
  cache: { softTimeoutMs: longMs, readTimeoutMs: longMs, writeTimeoutMs: longMs },
  redis: { bootTimeoutMs: longMs, connectTimeoutMs: longMs, commandTimeoutMs: longMs },
} satisfies AppTimeouts

/** Long timeouts of upstream calls. */
export const longTimeoutEnvironment = {
  UPSTREAM_TIMEOUT_MS: String(longMs),
  UPSTREAM_DEADLINE_MS: String(longMs),
}

/** The complete application with a real upstream. Both close when the test ends. */
export async function startApp(t: Test, options: TestAppOptions = {}): Promise<TestApp> {
  const upstream = await upstreamOf(t, options.upstream ?? {})
  const book = createLogBook()
  const config = readConfig({
    ...longTimeoutEnvironment,
    RATE_LIMIT_MAX: '0',
    UPSTREAM_URL: upstream.url,
    ...options.environment,
  })
  const app = await buildApp({
    config,
    upstreamUrl: upstream.url,
    logger: { level: config.LOG_LEVEL, stream: book.stream },
    timeouts: options.timeouts ?? longAppTimeouts,
    ...(options.now === undefined ? {} : { now: options.now }),
  })
  t.teardown(() => app.close())
  return { app, upstream, book }
}

async function upstreamOf(t: Test, options: UpstreamOptions | Upstream): Promise<Upstream> {
  if ('requests' in options) return options
  const upstream = await startUpstream(options)
  t.teardown(() => upstream.close())
  return upstream
}
