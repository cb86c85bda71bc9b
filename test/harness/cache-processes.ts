import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { CacheOptions, Purge } from '../../plugins/cache/index.js'
import type { RedisPluginOptions } from '../../plugins/redis/index.js'
import type { FromWorker, LoadResult, Outcome, PlainPolicy, ToWorker, WorkerRequest } from './cache-worker.js'
import { killOnExit } from './kill-on-exit.js'
import { longTimeouts } from './plugins.js'
import type { RedisServer } from './redis-server.js'
import { until as untilMet } from './until.js'

/** A real process with its own cache. */
export interface CacheProcess {
  /** Reads with concurrent callers. Resolves to an empty list if the process exits before it answers. */
  read(key: string, options?: { callers?: number; policy?: PlainPolicy }): Promise<Outcome[]>
  purge(purge: Purge): Promise<void>
  /** Waits until the process knows this many purged tags. */
  tagsPurged(count: number): Promise<void>
  /** Advances the clock of the process if `isStepped` is set. */
  step(seconds: number): Promise<void>
  /** Closes the application. The process keeps running. */
  close(): Promise<void>
  /** Kills the process with SIGKILL, like a crash. */
  kill(): Promise<void>
}

/** A load in one of the processes. It lasts until the test settles it. */
export interface ProcessLoad {
  readonly by: CacheProcess
  readonly key: string
  resolve(value: string): void
  reject(message: string): void
}

/** Processes that share one cache. */
export interface CacheProcesses {
  readonly all: readonly [CacheProcess, CacheProcess, CacheProcess, ...CacheProcess[]]
  /** All loads so far, in the order in which they were reported. */
  readonly loads: readonly ProcessLoad[]
  /** The load with this index, once it has started. Rejects after a timeout. */
  load(index: number): Promise<ProcessLoad>
  /** Resolves all loads in flight and all later loads with this value. */
  resolveAll(value: string): void
  /** The number of processes that have asked Redis for the lease of the key. */
  leaseRequests(key: string): number
  /** The Redis key of the lease for a key. */
  leaseOf(key: string): string
  /** Waits until no process holds the lease of the key. */
  leaseReleased(key: string): Promise<void>
  /** Checks the condition after each event. Rejects after a timeout with the condition in the message. */
  until(condition: () => boolean): Promise<true>
}

export interface CacheProcessesOptions {
  /** Minimum and default: 3. */
  readonly count?: number
  /** Timeouts are long by default. */
  readonly cache?: CacheOptions
  /** Whether lifetimes use a clock that only `step` advances. Default false. */
  readonly isStepped?: boolean
  readonly redis?: RedisPluginOptions
}

/** A process and its message channel. */
interface Worker extends CacheProcess {
  readonly isAlive: boolean
  onLoad: (load: ProcessLoad) => void
  request(request: WorkerRequest): Promise<unknown>
}

const program = fileURLToPath(new URL('./cache-worker.ts', import.meta.url))
const loader = new URL('./typescript.js', import.meta.url).href
/** Not a performance target, but a limit after which a test fails instead of hanging. */
const deadlineMs = 60_000
/** Longer than any load in these tests. */
const loadTimeoutMs = 600_000

/**
 * Returns a function that opens caches in real processes on this Redis, each time with a new key prefix. The processes are
 * reused, killed by their pids when `t` ends, and exit when the parent disconnects.
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
    let resolvedValue: string | undefined
    const changed = () => events.emit('change')
    const leasePrefix = `${keyPrefix}~lease:`
    const requesters = await watchLeases(test, { server, leasePrefix, onRequest: changed })

    async function open(worker: Worker): Promise<Worker> {
      worker.onLoad = (load) => {
        loads.push(load)
        if (resolvedValue !== undefined) load.resolve(resolvedValue)
        changed()
      }
      await worker.request({
        type: 'open',
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
    if (a === undefined || b === undefined || c === undefined) throw new Error('count must be at least 3')
    return {
      all: [a, b, c, ...more],
      loads,
      async load(index) {
        await until(() => loads.length > index)
        const load = loads[index]
        if (load === undefined) throw new Error('the condition above guarantees the load')
        return load
      },
      resolveAll: (value) => {
        resolvedValue = value
        for (const load of loads) load.resolve(value)
      },
      leaseRequests: (key) => requesters.get(key)?.size ?? 0,
      leaseOf: (key) => leasePrefix + key,
      async leaseReleased(key) {
        await untilMet(async () => (await server.client.exists(leasePrefix + key)) === 0)
      },
      until,
    }
  }
}

/** The connections that have asked for the lease of each key. Calls `onRequest` after each request. */
async function watchLeases(
  t: Test,
  { server, leasePrefix, onRequest }: { server: RedisServer; leasePrefix: string; onRequest: () => void },
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const requesters = new Map<string, Set<string>>()
  const socket = connect(server.port, '127.0.0.1') // ioredis fails on a line that arrives together with the first reply
  t.teardown(() => socket.destroy())
  const lines = createInterface(socket)
  lines.on('line', (line) => {
    const [, source = 'lua'] = line.match(/\[\d+ (\S+)\]/) ?? []
    const [, lease] = line.split(`"${leasePrefix}`)
    if (lease === undefined || source === 'lua') return // commands of a script are reported with the script, too
    const key = lease.slice(0, lease.indexOf('"'))
    requesters.set(key, (requesters.get(key) ?? new Set()).add(source))
    onRequest()
  })
  socket.write('MONITOR\r\n')
  await once(lines, 'line')
  return requesters
}

function startWorker(t: Test): Worker {
  const child = fork(program, {
    execArgv: [`--import=${loader}`, '--conditions=vitrine-source'],
    env: { PATH: process.env.PATH },
  })
  child.setMaxListeners(0) // one for each request in flight
  const kill = () => child.kill('SIGKILL') // has no effect after the exit
  killOnExit(child)
  const ended = once(child, 'exit')
  t.teardown(async () => {
    kill()
    await ended
  })
  const ready = messageFrom(child, ({ type }) => type === 'ready')
  let requests = 0

  const self: Worker = {
    get isAlive() {
      return !hasEnded(child)
    },
    onLoad: () => undefined,
    async request(request) {
      await ready
      requests += 1
      const id = requests
      const answer = messageFrom(child, (message) => message.type === 'reply' && message.id === id)
      send(child, { ...request, id })
      const message = await answer
      return message?.type === 'reply' ? message.reply : undefined
    },
    async read(key, { callers = 1, policy = {} } = {}) {
      return ((await self.request({ type: 'read', key, callers, policy })) ?? []) as Outcome[] // the type of this reply in cache-worker.ts
    },
    async purge(purge) {
      await self.request({ type: 'purge', purge })
    },
    async tagsPurged(count) {
      await self.request({ type: 'tags-purged', count })
    },
    async step(seconds) {
      await self.request({ type: 'step', seconds })
    },
    async close() {
      await self.request({ type: 'close' })
    },
    async kill() {
      kill()
      await ended
    },
  }
  child.on('message', (message: FromWorker) => {
    if (message.type !== 'loading') return
    const { load, key } = message
    const settle = (result: LoadResult) => send(child, { settle: load, result })
    self.onLoad({
      by: self,
      key,
      resolve: (value) => settle({ value }),
      reject: (message) => settle({ message }),
    })
  })
  return self
}

/** The next message that the predicate accepts. `undefined` if the process exits without one. */
function messageFrom(child: ChildProcess, accepts: (message: FromWorker) => boolean): Promise<FromWorker | undefined> {
  return new Promise((resolve) => {
    const settle = (message?: FromWorker) => {
      child.off('message', onMessage)
      child.off('exit', onExit)
      resolve(message)
    }
    const onMessage = (message: FromWorker) => {
      if (accepts(message)) settle(message)
    }
    const onExit = () => settle()
    child.on('message', onMessage)
    child.once('exit', onExit)
    if (hasEnded(child)) settle()
  })
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function send(child: ChildProcess, message: ToWorker): void {
  child.send(message, () => undefined) // ignores that the process may have exited
}
