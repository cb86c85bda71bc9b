import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import cache, { type CacheOptions } from '../../plugins/cache/index.js'
import edge, { type EdgeOptions } from '../../plugins/edge/index.js'
import proxyCache, { type ProxyCacheOptions } from '../../plugins/proxy-cache/index.js'
import redis, { type RedisPluginOptions } from '../../plugins/redis/index.js'
import { createLogBook, type LogBook } from './log.js'

export interface PluginApp {
  readonly app: FastifyInstance
  readonly book: LogBook
}

export interface PluginAppOptions {
  /** Without it the cache uses memory only. */
  readonly redis?: RedisPluginOptions
  readonly cache?: CacheOptions
  /** Without it the edge plugin is not registered. */
  readonly edge?: EdgeOptions
  /** Without it there is no proxy cache. */
  readonly proxyCache?: ProxyCacheOptions
  readonly routes?: (app: FastifyInstance) => void
}

const longMs = 600_000

/**
 * Timeouts for tests that are not about timeouts. With the defaults a read on a busy machine may time out, and the test sees
 * a miss. With long timeouts a hung Redis is not detected. A test trips the breaker instead.
 */
export const longTimeouts = {
  redis: { bootTimeoutMs: longMs, connectTimeoutMs: longMs, commandTimeoutMs: longMs },
  cache: { readTimeoutMs: longMs, writeTimeoutMs: longMs, softTimeoutMs: longMs },
} as const

/** A Fastify instance with only the plugins, closed when the test ends. The timeouts of its cache are long. */
export async function startPlugins(t: Test, options: PluginAppOptions = {}): Promise<PluginApp> {
  const book = createLogBook()
  const app = Fastify({ logger: { stream: book.stream } })
  if (options.redis !== undefined) await app.register(redis, options.redis)
  await app.register(cache, { ...longTimeouts.cache, ...options.cache })
  if (options.edge !== undefined) await app.register(edge, options.edge)
  if (options.proxyCache !== undefined) await app.register(proxyCache, options.proxyCache)
  options.routes?.(app)
  await app.ready()
  t.teardown(() => app.close())
  return { app, book }
}
