import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { CacheOptions, Purge } from '../../plugins/cache/index.js'
import type { RedisPluginOptions } from '../../plugins/redis/index.js'
import type { FromWorker, LoadResult, Outcome, PlainPolicy, ToWorker, WorkerRequest } from './cache-worker.js'
import { longTimeouts } from './plugins.js'
import type { RedisServer } from './redis-server.js'
import { until as untilMet } from './until.js'

/** A real process with a cache of its own. */
export interface CacheProcess {
  /** What became of so many callers who ask at once; of none when the process ends before it has answered them. */
  read(key: string, options?: { callers?: number; policy?: PlainPolicy }): Promise<Outcome[]>
  purge(purge: Purge): Promise<void>
  /** Waits until it knows of so many purged tags. */
  tagsPurged(count: number): Promise<void>
  /** Moves the clock of the process on, where it is a stepped one. */
  step(seconds: number): Promise<void>
  /** Closes the application; the process stays. */
  close(): Promise<void>
  /** `kill -9`, as a crash would. */
  kill(): Promise<void>
}

/** A load that one of the processes has begun, and which goes on until the test ends it. */
export interface ProcessLoad {
  readonly by: CacheProcess
  readonly key: string
  resolve(value: string): void
  reject(message: string): void
}

/** Processes that share one cache. */
export interface CacheProcesses {
  readonly all: readonly [CacheProcess, CacheProcess, CacheProcess, ...CacheProcess[]]
  /** All loads so far, in the order in which they were heard of. */
  readonly loads: readonly ProcessLoad[]
  /** The load with this index, once it has begun; rejects when that takes too long. */
  load(index: number): Promise<ProcessLoad>
  /** Gives this value to all loads under way, and from now on to those that begin. */
  resolveAll(value: string): void
  /** How many processes have asked Redis for their turn to load the key. */
  leaseRequests(key: string): number
  /** The Redis key of the lease for a key. */
  leaseOf(key: string): string
  /** Waits until no process has the lease for the key. */
  leaseReleased(key: string): Promise<void>
  /** Checks the condition after each event. Throws, with the condition in its message, when it does not come true. */
  until(condition: () => boolean): Promise<true>
}

export interface CacheProcessesOptions {
  /** Three at least, and by default. */
  readonly count?: number
  /** Budgets are patient by default. */
  readonly cache?: CacheOptions
  /** Whether lifetimes are on a clock that only `step` moves. Default false. */
  readonly isStepped?: boolean
  readonly redis?: RedisPluginOptions
}

/** A process before it is told what to do. */
interface Worker extends CacheProcess {
  readonly isAlive: boolean
  onLoad: (load: ProcessLoad) => void
  request(question: WorkerRequest): Promise<unknown>
}

const program = fileURLToPath(new URL('./cache-worker.ts', import.meta.url))
const loader = new URL('./typescript.js', import.meta.url).href
/** No target: the time after which what has not happened never will. */
const deadlineMs = 60_000
/** Longer than any test holds a load. */
const loadTimeoutMs = 600_000

/**
 * Opens caches in real processes on this Redis, each time under a key prefix that nobody had before. The processes are used
 * again for the next one; they are killed by their pids when `t` ends, and end by themselves when we do.
 */
export function createCacheProcesses(
  t: Test,
  server: RedisServer,
): (t: Test, options?: CacheProcessesOptions) => Promise<CacheProcesses> {
  let workers: Worker[] = []
  let prefixes = 0

  return async (test, { count = 3, cache = {}, redis = {}, isStepped = false } = {}) => {
    prefixes += 1
    const keyPrefix = `cat_${prefixes}:`
    const events = new EventEmitter()
    const loads: ProcessLoad[] = []
    let given: string | undefined
    const changed = () => events.emit('change')
    const leasePrefix = `${keyPrefix}~lease:`
    const askers = await watchLeases(test, { server, leasePrefix, heard: changed })

    async function open(worker: Worker): Promise<Worker> {
      worker.onLoad = (load) => {
        loads.push(load)
        if (given !== undefined) load.resolve(given)
        changed()
      }
      await worker.request({
        ask: 'open',
        redis: { url: server.url, ...longTimeouts.redis, ...redis },
        cache: { keyPrefix, loadTimeoutMs, ...longTimeouts.cache, ...cache },
        isStepped,
      })
      return worker
    }
    async function until(condition: () => boolean): Promise<true> {
      const limit = AbortSignal.timeout(deadlineMs)
      while (!condition()) {
        if (limit.aborted)
          throw new Error(`not true within ${deadlineMs} ms, after ${loads.length} loads: ${condition}`)
        await once(events, 'change', { signal: limit }).catch(() => undefined)
      }
      return true
    }

    workers = workers.filter(({ isAlive }) => isAlive)
    while (workers.length < count) workers.push(startWorker(t))
    const [a, b, c, ...more] = await Promise.all(workers.slice(0, count).map(open))
    if (a === undefined || b === undefined || c === undefined) throw new Error('three processes at least')
    return {
      all: [a, b, c, ...more],
      loads,
      async load(index) {
        await until(() => loads.length > index)
        const load = loads[index]
        if (load === undefined) throw new Error('there are as many by now')
        return load
      },
      resolveAll: (value) => {
        given = value
        for (const load of loads) load.resolve(value)
      },
      leaseRequests: (key) => askers.get(key)?.size ?? 0,
      leaseOf: (key) => leasePrefix + key,
      async leaseReleased(key) {
        await untilMet(async () => (await server.client.exists(leasePrefix + key)) === 0)
      },
      until,
    }
  }
}

/** Who has asked for the lease of which key, by the connection; `heard` is called after each question. */
async function watchLeases(
  t: Test,
  { server, leasePrefix, heard }: { server: RedisServer; leasePrefix: string; heard: () => void },
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const askers = new Map<string, Set<string>>()
  const socket = connect(server.port, '127.0.0.1') // ioredis trips over a line that comes together with the first reply
  t.teardown(() => socket.destroy())
  const lines = createInterface(socket)
  lines.on('line', (line) => {
    const [, source = 'lua'] = line.match(/\[\d+ (\S+)\]/) ?? []
    const [, lease] = line.split(`"${leasePrefix}`)
    if (lease === undefined || source === 'lua') return // what a script does was asked for by who runs it
    const key = lease.slice(0, lease.indexOf('"'))
    askers.set(key, (askers.get(key) ?? new Set()).add(source))
    heard()
  })
  socket.write('MONITOR\r\n')
  await once(lines, 'line')
  return askers
}

function startWorker(t: Test): Worker {
  const child = fork(program, {
    execArgv: [`--import=${loader}`, '--conditions=vitrine-source'],
    env: { PATH: process.env.PATH },
  })
  child.setMaxListeners(0) // one for each question under way
  const kill = () => child.kill('SIGKILL') // does nothing once it has ended
  process.once('exit', kill) // a test file that ends badly must not leave it behind
  const ended = once(child, 'exit')
  t.teardown(async () => {
    kill()
    await ended
    process.removeListener('exit', kill)
  })
  const ready = messageFrom(child, ({ is }) => is === 'ready')
  let questions = 0

  const self: Worker = {
    get isAlive() {
      return !hasEnded(child)
    },
    onLoad: () => undefined,
    async request(question) {
      await ready
      questions += 1
      const id = questions
      const answer = messageFrom(child, (message) => message.is === 'reply' && message.id === id)
      send(child, { ...question, id })
      const message = await answer
      return message?.is === 'reply' ? message.reply : undefined
    },
    async read(key, { callers = 1, policy = {} } = {}) {
      return ((await self.request({ ask: 'read', key, callers, policy })) ?? []) as Outcome[] // as the worker says
    },
    async purge(purge) {
      await self.request({ ask: 'purge', purge })
    },
    async tagsPurged(count) {
      await self.request({ ask: 'tags-purged', count })
    },
    async step(seconds) {
      await self.request({ ask: 'step', seconds })
    },
    async close() {
      await self.request({ ask: 'close' })
    },
    async kill() {
      kill()
      await ended
    },
  }
  child.on('message', (message: FromWorker) => {
    if (message.is !== 'loading') return
    const { load, key } = message
    const settle = (ending: LoadResult) => send(child, { settle: load, ending })
    self.onLoad({
      by: self,
      key,
      resolve: (value) => settle({ value }),
      reject: (complaint) => settle({ message: complaint }),
    })
  })
  return self
}

/** The next message that the predicate accepts; `undefined` when the process ends without one. */
function messageFrom(child: ChildProcess, accepts: (message: FromWorker) => boolean): Promise<FromWorker | undefined> {
  return new Promise((resolve) => {
    const settle = (message?: FromWorker) => {
      child.off('message', hear)
      child.off('exit', end)
      resolve(message)
    }
    const hear = (message: FromWorker) => {
      if (accepts(message)) settle(message)
    }
    const end = () => settle()
    child.on('message', hear)
    child.once('exit', end)
    if (hasEnded(child)) settle()
  })
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function send(child: ChildProcess, message: ToWorker): void {
  child.send(message, () => undefined) // one that has ended is told nothing
}
