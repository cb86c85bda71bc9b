import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import cache, { type CacheOptions } from '../../plugins/cache/index.js'
import edge, { type EdgeOptions } from '../../plugins/edge/index.js'
import redis, { type RedisPluginOptions } from '../../plugins/redis/index.js'
import { createLogBook, type LogBook } from './log.js'

export interface PluginApp {
  readonly app: FastifyInstance
  readonly book: LogBook
}

export interface PluginAppOptions {
  /** Without it everything stays in memory. */
  readonly redis?: RedisPluginOptions
  readonly cache?: CacheOptions
  /** Without it there is no edge. */
  readonly edge?: EdgeOptions
  readonly routes?: (app: FastifyInstance) => void
}

const patienceMs = 600_000

/**
 * Budgets that no machine exceeds, for tests that are not about budgets: with the defaults a busy one answers later than a read may
 * wait, and the test sees a miss. A Redis that hangs is not noticed with them; a test trips the breaker instead.
 */
export const longTimeouts = {
  redis: { bootTimeoutMs: patienceMs, connectTimeoutMs: patienceMs, commandTimeoutMs: patienceMs },
  cache: { readTimeoutMs: patienceMs, writeTimeoutMs: patienceMs, softTimeoutMs: patienceMs },
} as const

/** A Fastify with only the plugins, as a program that reuses them has it; closed when the test ends. Its cache is patient. */
export async function startPlugins(t: Test, options: PluginAppOptions = {}): Promise<PluginApp> {
  const book = createLogBook()
  const app = Fastify({ logger: { stream: book.stream } })
  if (options.redis !== undefined) await app.register(redis, options.redis)
  await app.register(cache, { ...longTimeouts.cache, ...options.cache })
  if (options.edge !== undefined) await app.register(edge, options.edge)
  options.routes?.(app)
  await app.ready()
  t.teardown(() => app.close())
  return { app, book }
}
