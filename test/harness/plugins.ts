import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import cache, { type CacheOptions } from '../../plugins/cache/index.js'
import redis, { type RedisPluginOptions } from '../../plugins/redis.js'
import { createLogBook, type LogBook } from './log.js'

export interface PluginApp {
  readonly app: FastifyInstance
  readonly book: LogBook
}

/** A Fastify with only the plugins, as somebody who reuses them would have it; closed when the test ends. */
export async function startPlugins(
  t: Test,
  options: { readonly redis?: RedisPluginOptions; readonly cache?: CacheOptions } = {},
): Promise<PluginApp> {
  const book = createLogBook()
  const app = Fastify({ logger: { stream: book.stream } })
  if (options.redis !== undefined) await app.register(redis, options.redis)
  await app.register(cache, options.cache ?? {})
  await app.ready()
  t.teardown(() => app.close())
  return { app, book }
}
