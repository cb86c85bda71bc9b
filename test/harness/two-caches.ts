import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { CacheOptions } from '../../plugins/cache/index.js'
import type { LogBook } from './log.js'
import { type PluginAppOptions, startPlugins } from './plugins.js'
import { until } from './until.js'

/** Two applications on one Redis, as two processes would be, and what their keys begin with there. */
export interface TwoCaches {
  readonly a: FastifyInstance
  readonly b: FastifyInstance
  readonly books: readonly [LogBook, LogBook]
  readonly prefix: string
}

let prefixes = 0

/** A prefix that no other test of this file has. */
export function nextPrefix(): string {
  prefixes += 1
  return `cat_${prefixes}:`
}

/** Starts two, with what else they are to have, and waits until both hear of changes. */
export async function startTwoCaches(
  t: Test,
  url: string,
  options: CacheOptions = {},
  more: Pick<PluginAppOptions, 'edge' | 'routes'> = {},
): Promise<TwoCaches> {
  const prefix = nextPrefix()
  const start = () => startPlugins(t, { redis: { url }, cache: { keyPrefix: prefix, ...options }, ...more })
  const [one, other] = [await start(), await start()]
  for (const { app } of [one, other]) {
    t.ok(await until(() => app.cache.stats().coherence === 'proven'), 'notices are proven')
  }
  return { a: one.app, b: other.app, books: [one.book, other.book], prefix }
}

/** Whether memory answers with the key: a reply that crosses the notice of a write is not kept there. */
export async function isInMemory({ cache }: FastifyInstance, key: string): Promise<boolean> {
  const before = cache.stats().hits.memory
  await cache.get(key)
  return cache.stats().hits.memory > before
}
