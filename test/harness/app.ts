import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config.js'
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
  /** Default: longer than any load takes on a busy machine, which only those who mean a slow one want otherwise. */
  readonly softTimeoutMs?: number
}

/** The whole application before a real upstream; both end with the test. */
export async function startApp(t: Test, options: TestAppOptions = {}): Promise<TestApp> {
  const upstream = await upstreamOf(t, options.upstream ?? {})
  const book = createLogBook()
  const config = readConfig({ UPSTREAM_URL: upstream.url, RATE_LIMIT_MAX: '0', ...options.environment })
  const app = await buildApp({
    config,
    upstreamUrl: upstream.url,
    logger: { level: config.LOG_LEVEL, stream: book.stream },
    softTimeoutMs: options.softTimeoutMs ?? 20_000,
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
