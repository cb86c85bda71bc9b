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

// A process with a cache on Redis, controlled over IPC by cache-processes.ts. The test settles its loads, too, so the test
// decides what happens while a process loads.

/** Requests to the worker. The reply has the same `id`. */
export type WorkerRequest =
  /** Replaces the application by one with these options. */
  | {
      readonly type: 'open'
      readonly redis: RedisPluginOptions
      readonly cache: CacheOptions
      /** Whether lifetimes use a clock that only `step` advances. */
      readonly isStepped: boolean
    }
  | { readonly type: 'step'; readonly seconds: number }
  | { readonly type: 'read'; readonly key: string; readonly callers: number; readonly policy: PlainPolicy }
  | { readonly type: 'purge'; readonly purge: Purge }
  /** The reply follows once the cache knows this many purged tags. */
  | { readonly type: 'tags-purged'; readonly count: number }
  | { readonly type: 'close' }

export type PlainPolicy = Omit<Policy, 'schema'>

/** The value of a load, or the message of its error. */
export type LoadResult = { readonly value: string } | { readonly message: string }

export type ToWorker =
  | (WorkerRequest & { readonly id: number })
  | { readonly settle: number; readonly result: LoadResult }

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'loading'; readonly load: number; readonly key: string }
  | { readonly type: 'reply'; readonly id: number; readonly reply: unknown }

/** The result of one caller. */
export type Outcome =
  | { readonly value: string; readonly state: string; readonly reason: string }
  | { readonly error: string }

const loads: Deferred<string>[] = []
let app: FastifyInstance | undefined
let clock = createClock()

process.on('message', (message: ToWorker) => {
  if ('settle' in message) settle(message.settle, message.result)
  else void answer(message).then((reply) => send({ type: 'reply', id: message.id, reply }))
})
process.once('disconnect', () => process.exit())
send({ type: 'ready' })

async function answer(request: WorkerRequest): Promise<unknown> {
  if (request.type === 'open') return open(request)
  if (request.type === 'step') return clock.step(request.seconds)
  if (request.type === 'close') return app?.close()
  if (request.type === 'purge') return app?.cache.purge(request.purge)
  if (request.type === 'tags-purged') return tagsPurged(request.count)
  const { key, callers, policy } = request
  return Promise.all(Array.from({ length: callers }, () => read(key, policy)))
}

async function open({
  redis: redisOptions,
  cache: cacheOptions,
  isStepped,
}: WorkerRequest & { type: 'open' }): Promise<void> {
  await app?.close()
  clock = createClock() // starts at the same time in every process
  const tracking = createDeferred<void>()
  const onState = (event: unknown) => {
    const { cache, state } = event as StateEvent // the payload type of this channel
    if (cache === cacheOptions.keyPrefix && state === 'tracking') tracking.resolve()
  }
  channels.state.subscribe(onState)
  app = Fastify()
  await app.register(redis, redisOptions)
  await app.register(cache, { ...cacheOptions, ...(isStepped ? { now: clock.now } : {}) })
  await app.ready()
  await tracking.promise // from now on invalidations wake waiting callers
  channels.state.unsubscribe(onState)
}

async function tagsPurged(count: number): Promise<void> {
  await until(() => (app?.cache.stats().purges.remembered ?? 0) >= count)
}

async function read(key: string, policy: PlainPolicy): Promise<Outcome> {
  const load = () => {
    const deferred = createDeferred<string>()
    const index = loads.push(deferred) - 1
    send({ type: 'loading', load: index, key })
    return deferred.promise
  }
  try {
    if (app === undefined) throw new Error('a read request arrived before an open request')
    const { value, state, reason } = await app.cache.read<string>(key, load, policy)
    return { value, state, reason }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

function settle(index: number, result: LoadResult): void {
  if ('value' in result) loads[index]?.resolve(result.value)
  else loads[index]?.reject(new Error(result.message))
}

function send(message: FromWorker): void {
  process.send?.(message)
}
