import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { createClock } from '../../harness/clock.js'
import { startPlugins } from '../../harness/plugins.js'
import { startRedis } from '../../harness/redis-server.js'
import { isInMemory, patient } from '../../harness/two-caches.js'
import { until } from '../../harness/until.js'

// Two processes' caches and one Redis against a model that knows only versions: what may not be older than what.

const tagsOf: Readonly<Record<string, readonly string[]>> = { a: ['x'], b: ['x', 'y'], c: [] }
const keys = Object.keys(tagsOf)
const [ttlSeconds, staleWhileRevalidateSeconds, staleIfErrorSeconds] = [10, 5, 30]

const who = fc.constantFrom(0, 1)
const key = fc.constantFrom(...keys)
const isHard = fc.boolean()
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('read' as const), who, key, fails: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set' as const), who, key }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('purgeTag' as const), who, tag: fc.constantFrom('x', 'y'), isHard }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('purgeKey' as const), who, key, isHard }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), who, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('foreignDelete' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 6, 12, 41) }) },
)
const part = fc.array(operation, { minLength: 3, maxLength: 12 })
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never

const redis = await startRedis()
t.teardown(() => redis.stop())
let runs = 0
/** MODEL_SECONDS=600 searches for so long at most; by default a fixed number of runs is made, however long they take. */
const { MODEL_SECONDS } = process.env
const numRuns = MODEL_SECONDS === undefined ? 40 : Number(MODEL_SECONDS) * 8
const deadline = MODEL_SECONDS === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(MODEL_SECONDS) * 1_000

t.test('whatever happens, nobody reads what was purged, ended or is too old, and no load runs twice', async (t) => {
  const outage = fc.record({ who, during: part, after: part })
  const scenario = fc.record({
    before: part,
    cut: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: outage }),
  })
  // Of ten runs one has an outage: coming back from one takes its time.
  await fc.assert(
    fc.asyncProperty(scenario, async ({ before, cut }) => {
      if (Date.now() > deadline) return
      const world = await createWorld()
      try {
        await world.settle()
        for (const step of before) await world.run(step)
        if (cut !== null) {
          world.disconnect(cut.who)
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
})

async function createWorld() {
  runs += 1
  const keyPrefix = `run${runs}:`
  const clock = createClock()
  const closers: (() => unknown)[] = []
  const owner = { teardown: (close: () => unknown) => closers.push(close) } as unknown as typeof t // ends with the run
  const lifetimes = { ttlSeconds, staleWhileRevalidateSeconds, staleIfErrorSeconds }
  const cache = { keyPrefix, ...patient.cache, ...lifetimes, now: clock.now }
  const options = { redis: { url: redis.url, ...patient.redis }, cache }
  const apps = [(await startPlugins(owner, options)).app, (await startPlugins(owner, options)).app] as const
  /** When each version was made. */
  const madeAt: number[] = []
  const floors = apps.map(() => ({ hard: new Map<string, number>(), soft: new Map<string, number>() }))
  const pending: (() => void)[] = []
  const underWay = [new Map<string, number>(), new Map<string, number>()] as const
  return { run, disconnect, settle, close: () => Promise.all(closers.map((close) => close())) }

  function appOf(at: number) {
    return at === 0 ? apps[0] : apps[1]
  }
  function isCalm(): boolean {
    return apps.every(({ cache }) => cache.stats().coherence === 'tracking' && cache.stats().purges.queued === 0)
  }
  /** Waits until both hear of each other again; from then on what one has purged is purged in the other. */
  async function settle(): Promise<void> {
    await until(isCalm)
    await hearAll()
    for (const raise of pending.splice(0)) raise()
  }
  /**
   * Waits until both have processed every invalidation so far: they come in order, so those before that of a key of our own have come with
   * it. What is asked because of one is asked on a connection that answers in order, too, and may take a second question.
   */
  async function hearAll(): Promise<void> {
    const key = 'last of all'
    await apps[0].cache.set(key, 'here')
    for (const app of apps) await until(() => isInMemory(app, key))
    await redis.client.del(keyPrefix + key)
    for (const app of apps) {
      await until(async () => (await app.cache.get(key)) === undefined)
      for (let question = 0; question < 3; question += 1) await app.redis.ping()
    }
  }
  function disconnect(at: number): void {
    appOf(at).redisBreakers.whole.trip()
  }
  function next(): number {
    madeAt.push(clock.now())
    return madeAt.length - 1
  }
  /** From now on nothing that there was may come from there; elsewhere as soon as it can have been heard. */
  async function raise(at: number | undefined, kind: 'hard' | 'soft', ended: readonly string[]): Promise<void> {
    const floor = madeAt.length
    for (const [index, mine] of floors.entries()) {
      const lift = () => {
        for (const name of ended) mine[kind].set(name, Math.max(floor, mine[kind].get(name) ?? 0))
      }
      if (index === at) lift()
      else pending.push(lift)
    }
    if (isCalm()) await settle()
  }
  async function load(at: number, name: string, fails: boolean): Promise<number> {
    const running = underWay[at === 0 ? 0 : 1]
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
        await Promise.all([read(step.who, step.key, step.fails), read(step.who, step.key, step.fails)])
        // A refresh behind ends before the next step: what a purge has overtaken may run beside what comes after it.
        while (appOf(step.who).cache.stats().loads.inFlight > 0) await sleep(1)
        return
      case 'set':
        await appOf(step.who).cache.set(step.key, next(), { tags: tagsOf[step.key] ?? [] })
        return
      case 'purgeTag':
        await appOf(step.who).cache.purge({ tags: [step.tag], hard: step.isHard })
        return raise(
          step.who,
          step.isHard ? 'hard' : 'soft',
          keys.filter((name) => tagsOf[name]?.includes(step.tag)),
        )
      case 'purgeKey':
        await appOf(step.who).cache.purge({ keys: [step.key], hard: step.isHard })
        return raise(step.who, step.isHard ? 'hard' : 'soft', [step.key])
      case 'delete':
        await appOf(step.who).cache.delete(step.key)
        return raise(step.who, 'hard', [step.key])
      case 'foreignDelete': {
        const wasCalm = isCalm()
        const wasThere = await redis.client.del(keyPrefix + step.key)
        return wasCalm && wasThere === 1 ? raise(undefined, 'soft', [step.key]) : undefined
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
    const ageSeconds = (clock.now() - (madeAt[value] ?? 0)) / 1_000
    const told = `${name} at ${at}: version ${value}, ${tier} ${state} ${reason}, ${ageSeconds} s old`
    if (value < hard) throw new Error(`${told}: hard purged up to ${hard}`)
    if (value < soft && reason !== 'stale-if-error') throw new Error(`${told}: ended up to ${soft}`)
    if (state === 'fresh' && ageSeconds >= ttlSeconds) throw new Error(`${told}: not fresh`)
    if (ageSeconds >= ttlSeconds + staleIfErrorSeconds) throw new Error(`${told}: past stale-if-error`)
  }
}
