import type { FastifyInstance } from 'fastify'
import { type CacheOptions, channels, type StateEvent } from 'fastify-vitrine/cache'
import type { Test } from 'tap'
import type { LogBook } from './log.js'
import { longTimeouts, type PluginAppOptions, startPlugins } from './plugins.js'
import { until } from './until.js'

export { longTimeouts }

/** Two applications on one Redis, like two processes, and their key prefix. */
export interface CachePair {
  readonly a: FastifyInstance
  readonly b: FastifyInstance
  readonly books: readonly [LogBook, LogBook]
  readonly prefix: string
}

let prefixes = 0

/** A key prefix that is unique in the test file. */
export function nextPrefix(): string {
  prefixes += 1
  return `cat_${prefixes}:`
}

/** Starts two applications with long timeouts and waits until both receive invalidations. */
export async function startCachePair(
  t: Test,
  url: string,
  options: CacheOptions = {},
  more: Pick<PluginAppOptions, 'edge' | 'proxyCache' | 'routes'> = {},
): Promise<CachePair> {
  const prefix = nextPrefix()
  const cache = { keyPrefix: prefix, ...options }
  const start = () => startPlugins(t, { redis: { url, ...longTimeouts.redis }, cache, ...more })
  const [one, other] = [await start(), await start()]
  for (const { app } of [one, other]) await untilTracking(app)
  return { a: one.app, b: other.app, books: [one.book, other.book], prefix }
}

/** Waits until the cache is verified to receive invalidations. */
export async function untilTracking({ cache }: FastifyInstance): Promise<void> {
  await until(() => cache.stats().coherence === 'tracking')
}

/**
 * The result of a run during which the cache was tracking all the time, as memory is trusted only then. Repeats a run in which
 * tracking was interrupted, because its heartbeat may time out on a busy machine.
 */
export async function whileTracking<T>(app: FastifyInstance, prefix: string, run: () => Promise<T>): Promise<T> {
  let wasInterrupted = false
  const onState = (event: unknown) => {
    if ((event as StateEvent).cache === prefix) wasInterrupted = true // the payload type of this channel
  }
  channels.state.subscribe(onState)
  try {
    for (;;) {
      await untilTracking(app)
      wasInterrupted = false
      const result = await run()
      if (!wasInterrupted) return result
    }
  } finally {
    channels.state.unsubscribe(onState)
  }
}

/** Whether the key is in memory. A reply that arrives with the invalidation of a write is not stored there. */
export async function isInMemory({ cache }: FastifyInstance, key: string): Promise<boolean> {
  const before = cache.stats().hits.memory
  await cache.get(key)
  return cache.stats().hits.memory > before
}
