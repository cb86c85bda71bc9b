import type { FastifyInstance } from 'fastify'
import { type CacheOptions, channels, type StateEvent } from 'fastify-vitrine/cache'
import type { Test } from 'tap'
import type { LogBook } from './log.js'
import { longTimeouts, type PluginAppOptions, startPlugins } from './plugins.js'
import { until } from './until.js'

export { longTimeouts }

/** Two applications on one Redis, as two processes would be, and what their keys begin with there. */
export interface CachePair {
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

/** Starts two with patient budgets, and with the other plugins and routes they are to have. Waits until both receive invalidations. */
export async function startCachePair(
  t: Test,
  url: string,
  options: CacheOptions = {},
  more: Pick<PluginAppOptions, 'edge' | 'routes'> = {},
): Promise<CachePair> {
  const prefix = nextPrefix()
  const cache = { keyPrefix: prefix, ...options }
  const start = () => startPlugins(t, { redis: { url, ...longTimeouts.redis }, cache, ...more })
  const [one, other] = [await start(), await start()]
  for (const { app } of [one, other]) await untilTracking(app)
  return { a: one.app, b: other.app, books: [one.book, other.book], prefix }
}

/** Waits until invalidations are known to arrive. */
export async function untilTracking({ cache }: FastifyInstance): Promise<void> {
  await until(() => cache.stats().coherence === 'tracking')
}

/**
 * What `run` comes to while invalidations are known to arrive all the time, as memory is trusted only then. Runs it again when there was
 * doubt: the proof has a time-out of its own, which a busy machine may exceed.
 */
export async function whileTracking<T>(app: FastifyInstance, prefix: string, run: () => Promise<T>): Promise<T> {
  let isDisturbed = false
  const hear = (event: unknown) => {
    if ((event as StateEvent).cache === prefix) isDisturbed = true // what the channel carries
  }
  channels.state.subscribe(hear)
  try {
    for (;;) {
      await untilTracking(app)
      isDisturbed = false
      const result = await run()
      if (!isDisturbed) return result
    }
  } finally {
    channels.state.unsubscribe(hear)
  }
}

/** Whether memory answers with the key: a reply that crosses the invalidation of a write is not stored there. */
export async function isInMemory({ cache }: FastifyInstance, key: string): Promise<boolean> {
  const before = cache.stats().hits.memory
  await cache.get(key)
  return cache.stats().hits.memory > before
}
