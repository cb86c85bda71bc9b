import Fastify, { type FastifyInstance } from 'fastify'
import cache, {
  type CacheOptions,
  channels,
  type Policy,
  type Purge,
  type StateEvent,
} from '../../plugins/cache/index.js'
import redis, { type RedisPluginOptions } from '../../plugins/redis/index.js'
import { createClock } from './clock.js'
import { createDeferred, type Deferred } from './deferred.js'
import { until } from './until.js'

// A process with a cache on Redis that does what it is told over IPC: cache-processes.ts starts it and tells it. Its loads
// are settled from there as well, so that who loads while what else happens is chosen by the test.

/** What it can be asked; the reply has the same `id`. */
export type WorkerRequest =
  /** Begins anew with an application of these options. */
  | {
      readonly ask: 'open'
      readonly redis: RedisPluginOptions
      readonly cache: CacheOptions
      /** Whether lifetimes are on a clock that only `step` moves. */
      readonly isStepped: boolean
    }
  | { readonly ask: 'step'; readonly seconds: number }
  | { readonly ask: 'read'; readonly key: string; readonly callers: number; readonly policy: PlainPolicy }
  | { readonly ask: 'purge'; readonly purge: Purge }
  /** Replied to once it knows of so many purged tags. */
  | { readonly ask: 'tags-purged'; readonly count: number }
  | { readonly ask: 'close' }

export type PlainPolicy = Omit<Policy, 'schema'>

/** How a load ends: with the value, or with an error of this message. */
export type LoadResult = { readonly value: string } | { readonly message: string }

export type ToWorker =
  | (WorkerRequest & { readonly id: number })
  | { readonly settle: number; readonly ending: LoadResult }

export type FromWorker =
  | { readonly is: 'ready' }
  | { readonly is: 'loading'; readonly load: number; readonly key: string }
  | { readonly is: 'reply'; readonly id: number; readonly reply: unknown }

/** What became of one caller. */
export type Outcome =
  | { readonly value: string; readonly state: string; readonly reason: string }
  | { readonly error: string }

const loads: Deferred<string>[] = []
let app: FastifyInstance | undefined
let clock = createClock()

process.on('message', (message: ToWorker) => {
  if ('settle' in message) settle(message.settle, message.ending)
  else void answer(message).then((reply) => tell({ is: 'reply', id: message.id, reply }))
})
process.once('disconnect', () => process.exit())
tell({ is: 'ready' })

async function answer(question: WorkerRequest): Promise<unknown> {
  if (question.ask === 'open') return open(question)
  if (question.ask === 'step') return clock.step(question.seconds)
  if (question.ask === 'close') return app?.close()
  if (question.ask === 'purge') return app?.cache.purge(question.purge)
  if (question.ask === 'tags-purged') return tagsPurged(question.count)
  const { key, callers, policy } = question
  return Promise.all(Array.from({ length: callers }, () => read(key, policy)))
}

async function open({
  redis: redisOptions,
  cache: cacheOptions,
  isStepped,
}: WorkerRequest & { ask: 'open' }): Promise<void> {
  await app?.close()
  clock = createClock() // at the same instant in every process
  const proven = createDeferred<void>()
  const hear = (event: unknown) => {
    const { cache, state } = event as StateEvent // what the channel carries
    if (cache === cacheOptions.keyPrefix && state === 'tracking') proven.resolve()
  }
  channels.state.subscribe(hear)
  app = Fastify()
  await app.register(redis, redisOptions)
  await app.register(cache, { ...cacheOptions, ...(isStepped ? { now: clock.now } : {}) })
  await app.ready()
  await proven.promise // from here on invalidations wake the callers that wait
  channels.state.unsubscribe(hear)
}

async function tagsPurged(count: number): Promise<void> {
  await until(() => (app?.cache.stats().purges.remembered ?? 0) >= count)
}

async function read(key: string, policy: PlainPolicy): Promise<Outcome> {
  const load = () => {
    const deferred = createDeferred<string>()
    const number = loads.push(deferred) - 1
    tell({ is: 'loading', load: number, key })
    return deferred.promise
  }
  try {
    if (app === undefined) throw new Error('asked to read before it was told to open')
    const { value, state, reason } = await app.cache.read<string>(key, load, policy)
    return { value, state, reason }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

function settle(load: number, ending: LoadResult): void {
  if ('value' in ending) loads[load]?.resolve(ending.value)
  else loads[load]?.reject(new Error(ending.message))
}

function tell(message: FromWorker): void {
  process.send?.(message)
}
