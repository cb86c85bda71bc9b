import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { isInMemory, longTimeouts } from '../../harness/cache-pair.js'
import { createClock } from '../../harness/clock.js'
import { startPlugins } from '../../harness/plugins.js'
import { startRedis } from '../../harness/redis-server.js'
import { until } from '../../harness/until.js'

// Two caches on one Redis are compared with a model that tracks only versions: the minimum version that each may return.

const tagsOf: Readonly<Record<string, readonly string[]>> = { a: ['x'], b: ['x', 'y'], c: [] }
const keys = Object.keys(tagsOf)
const [ttlSeconds, staleWhileRevalidateSeconds, staleIfErrorSeconds] = [10, 5, 30]

const cacheIndex = fc.constantFrom(0, 1)
const key = fc.constantFrom(...keys)
const isHard = fc.boolean()
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('read' as const), cacheIndex, key, fails: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set' as const), cacheIndex, key }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('purgeTag' as const), cacheIndex, tag: fc.constantFrom('x', 'y'), isHard }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('purgeKey' as const), cacheIndex, key, isHard }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), cacheIndex, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deleteByOtherClient' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 6, 12, 41) }) },
)
const steps = fc.array(operation, { minLength: 3, maxLength: 12 })
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never

const redis = await startRedis()
t.teardown(() => redis.stop())
let runs = 0
/** MODEL_SECONDS limits a longer search. The default is a fixed number of runs without a time limit. */
const { MODEL_SECONDS } = process.env
const numRuns = MODEL_SECONDS === undefined ? 40 : Number(MODEL_SECONDS) * 8
const deadline = MODEL_SECONDS === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(MODEL_SECONDS) * 1_000

t.test(
  'no sequence of operations returns a purged, invalidated or too old version, or loads a key twice at once',
  async (t) => {
    const outage = fc.record({ cacheIndex, during: steps, after: steps })
    const scenario = fc.record({
      before: steps,
      cut: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: outage }),
    })
    // One run of ten has an outage, as recovery takes time.
    await fc.assert(
      fc.asyncProperty(scenario, async ({ before, cut }) => {
        if (Date.now() > deadline) return
        const world = await createWorld()
        try {
          await world.settle()
          for (const step of before) await world.run(step)
          if (cut !== null) {
            world.disconnect(cut.cacheIndex)
            for (const step of cut.during) await world.run(step)
            await world.settle()
            for (const step of cut.after) await world.run(step)
          }
        } finally {
          await world.close()
        }
      }),
      { numRuns, endOnFailure: true },
    )
    t.pass(`${runs} runs`)
  },
)

async function createWorld() {
  runs += 1
  const keyPrefix = `run${runs}:`
  const clock = createClock()
  const closers: (() => unknown)[] = []
  const owner = { teardown: (close: () => unknown) => closers.push(close) } as unknown as typeof t // closed with the run
  const lifetimes = { ttlSeconds, staleWhileRevalidateSeconds, staleIfErrorSeconds }
  const cache = { keyPrefix, ...longTimeouts.cache, ...lifetimes, now: clock.now }
  const options = { redis: { url: redis.url, ...longTimeouts.redis }, cache }
  const apps = [(await startPlugins(owner, options)).app, (await startPlugins(owner, options)).app] as const
  /** Creation time of each version. */
  const createdAt: number[] = []
  const floors = apps.map(() => ({ hard: new Map<string, number>(), soft: new Map<string, number>() }))
  const pending: (() => void)[] = []
  const inFlight = [new Map<string, number>(), new Map<string, number>()] as const
  return { run, disconnect, settle, close: () => Promise.all(closers.map((close) => close())) }

  function appOf(at: number) {
    return at === 0 ? apps[0] : apps[1]
  }
  function isSettled(): boolean {
    return apps.every(({ cache }) => cache.stats().coherence === 'tracking' && cache.stats().purges.queued === 0)
  }
  /** Waits until both caches are tracking. From then on the purges of one apply in the other. */
  async function settle(): Promise<void> {
    await until(isSettled)
    await processInvalidations()
    for (const apply of pending.splice(0)) apply()
  }
  /**
   * Waits until both caches have processed every invalidation so far. Invalidations arrive in order, so one for a marker key
   * arrives last. Reads that they cause use a connection that answers in order, and may cause a second read.
   */
  async function processInvalidations(): Promise<void> {
    const key = 'marker'
    await apps[0].cache.set(key, 'set')
    for (const app of apps) await until(() => isInMemory(app, key))
    await redis.client.del(keyPrefix + key)
    for (const app of apps) {
      await until(async () => (await app.cache.get(key)) === undefined)
      for (let round = 0; round < 3; round += 1) await app.redis.ping()
    }
  }
  function disconnect(at: number): void {
    appOf(at).redisBreakers.forClient.trip()
  }
  function next(): number {
    createdAt.push(clock.now())
    return createdAt.length - 1
  }
  /** No version so far may be returned by this cache from now on, and by the other once it can have received the change. */
  async function raise(at: number | undefined, kind: 'hard' | 'soft', names: readonly string[]): Promise<void> {
    const floor = createdAt.length
    for (const [index, own] of floors.entries()) {
      const apply = () => {
        for (const name of names) own[kind].set(name, Math.max(floor, own[kind].get(name) ?? 0))
      }
      if (index === at) apply()
      else pending.push(apply)
    }
    if (isSettled()) await settle()
  }
  async function load(at: number, name: string, fails: boolean): Promise<number> {
    const running = inFlight[at === 0 ? 0 : 1]
    const count = (running.get(name) ?? 0) + 1
    running.set(name, count)
    const version = next()
    try {
      if (count > 1) throw new Error(`two loads of ${name} at once`)
      await new Promise(setImmediate)
      if (fails) throw new Error('upstream is down')
      return version
    } finally {
      running.set(name, count - 1)
    }
  }
  async function run(step: Operation): Promise<void> {
    clock.step(0.005)
    switch (step.do) {
      case 'read':
        await Promise.all([read(step.cacheIndex, step.key, step.fails), read(step.cacheIndex, step.key, step.fails)])
        // Wait for background refreshes, as a load from before a purge may run next to one from after it.
        while (appOf(step.cacheIndex).cache.stats().loads.inFlight > 0) await sleep(1)
        return
      case 'set':
        await appOf(step.cacheIndex).cache.set(step.key, next(), { tags: tagsOf[step.key] ?? [] })
        return
      case 'purgeTag':
        await appOf(step.cacheIndex).cache.purge({ tags: [step.tag], hard: step.isHard })
        return raise(
          step.cacheIndex,
          step.isHard ? 'hard' : 'soft',
          keys.filter((name) => tagsOf[name]?.includes(step.tag)),
        )
      case 'purgeKey':
        await appOf(step.cacheIndex).cache.purge({ keys: [step.key], hard: step.isHard })
        return raise(step.cacheIndex, step.isHard ? 'hard' : 'soft', [step.key])
      case 'delete':
        await appOf(step.cacheIndex).cache.delete(step.key)
        return raise(step.cacheIndex, 'hard', [step.key])
      case 'deleteByOtherClient': {
        const wasCalm = isSettled()
        const deleted = await redis.client.del(keyPrefix + step.key)
        return wasCalm && deleted === 1 ? raise(undefined, 'soft', [step.key]) : undefined
      }
      case 'wait':
        clock.step(step.seconds)
    }
  }
  async function read(at: number, name: string, fails: boolean): Promise<void> {
    const floor = floors[at]
    const [hard, soft] = [floor?.hard.get(name) ?? 0, floor?.soft.get(name) ?? 0]
    const policy = { tags: tagsOf[name] ?? [] }
    const reading = await appOf(at)
      .cache.read(name, () => load(at, name, fails), policy)
      .catch((error: unknown) => {
        if (!(error instanceof Error) || error.message !== 'upstream is down') throw error
      })
    if (reading === undefined) return
    const { value, reason, state, tier } = reading
    const ageSeconds = (clock.now() - (createdAt[value] ?? 0)) / 1_000
    const description = `${name} at ${at}: version ${value}, ${tier} ${state} ${reason}, ${ageSeconds} s old`
    if (value < hard) throw new Error(`${description}: hard purged up to ${hard}`)
    if (value < soft && reason !== 'stale-if-error') throw new Error(`${description}: invalidated up to ${soft}`)
    if (state === 'fresh' && ageSeconds >= ttlSeconds) throw new Error(`${description}: not fresh`)
    if (ageSeconds >= ttlSeconds + staleIfErrorSeconds) throw new Error(`${description}: past stale-if-error`)
  }
}
