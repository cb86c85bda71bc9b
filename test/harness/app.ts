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
  /** Environment variables; `UPSTREAM_URL` is the test's own upstream, and there is no rate limit unless one is set. */
  readonly environment?: Readonly<Record<string, string>>
  /** What the upstream has, or an upstream that is there already. */
  readonly upstream?: UpstreamOptions | Upstream
  readonly now?: () => number
  /** Default: `ampleTimeouts`. */
  readonly timeouts?: AppTimeouts
}

const ampleMs = 60_000

/** Longer than anything takes on a busy machine. Only tests of a time-out set a shorter one. */
export const longAppTimeouts = {
  cache: { softTimeoutMs: ampleMs, readTimeoutMs: ampleMs, writeTimeoutMs: ampleMs },
  redis: { bootTimeoutMs: ampleMs, connectTimeoutMs: ampleMs, commandTimeoutMs: ampleMs },
} satisfies AppTimeouts

/** The same for the marketplace. */
export const longTimeoutEnvironment = {
  UPSTREAM_TIMEOUT_MS: String(ampleMs),
  UPSTREAM_DEADLINE_MS: String(ampleMs),
}

/** The whole application before a real upstream; both end with the test. */
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

async function upstreamOf(t: Test, wanted: UpstreamOptions | Upstream): Promise<Upstream> {
  if ('requests' in wanted) return wanted
  const upstream = await startUpstream(wanted)
  t.teardown(() => upstream.close())
  return upstream
}
