import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { createClock } from '../clock.js'
import {
  type Answer,
  type ClientRequest,
  cacheStatusOf,
  contradictions,
  describeRequest,
  differences,
  send,
  wholeOf,
} from './answers.js'
import type { Pair } from './requests.js'

// One client asks, then another one: each gets what it would have got from an empty cache.

export interface World {
  readonly now: () => number
  /** Whether the handlers fail. */
  readonly isDown: () => boolean
  /** Default 64 MiB; 1 stores nothing. */
  readonly maxMemoryBytes?: number
}

/** Applications of one kind, and requests for them. */
export interface Subject<Configuration> {
  readonly configuration: fc.Arbitrary<Configuration>
  readonly pair: fc.Arbitrary<Pair>
  readonly build: (configuration: Configuration, world: World) => Promise<FastifyInstance>
}

export interface SearchOptions<Configuration> extends Subject<Configuration> {
  /** Number of pairs of requests. */
  readonly pairs: number
  readonly seed: number
}

/** How often each kind of answer was given to the second request of a pair. */
export interface Outcomes {
  pairs: number
  configurations: number
  hits: number
  stale: number
  collapsed: number
  bypasses: number
  /** Answers of the status 304. */
  validated: number
  /** Answers of the status 206. */
  parts: number
  misses: number
  /** Pairs of which the second request had the content of the first one, which was stored and is fresh. */
  couldHit: number
  /** Those of them that were answered from the cache. */
  didHit: number
}

const pairsPerConfiguration = 100

/** The seed of a search: CLIENTS_SEED=… repeats one. */
export function seedFor(usual: number): number {
  return Number(process.env.CLIENTS_SEED ?? usual)
}

/** Searches for a request that is answered otherwise than from an empty cache; throws with a minimal example. */
export async function searchLeaks<Configuration>(options: SearchOptions<Configuration>): Promise<Outcomes> {
  const { pairs, seed, configuration, pair, build } = options
  const outcomes = noOutcomes()
  // Twice as many at most, so that there are as many on average.
  const several = fc.array(pair, { minLength: 1, maxLength: 2 * pairsPerConfiguration - 1, size: 'max' })
  const property = fc.asyncProperty(configuration, several, async (one, requests) => {
    const comparison = await Comparison.start((world) => build(one, world), outcomes)
    try {
      for (const each of requests) await comparison.compare(each)
    } finally {
      await comparison.close()
    }
  })
  while (outcomes.pairs < pairs) {
    const numRuns = Math.ceil((pairs - outcomes.pairs) / pairsPerConfiguration)
    const details = await fc.check(property, { numRuns, seed: seed + outcomes.configurations })
    if (details.failed) throw new Error(explain(details, seed), { cause: details.errorInstance })
    outcomes.configurations += details.numRuns
  }
  return outcomes
}

function noOutcomes(): Outcomes {
  return {
    ...{ pairs: 0, configurations: 0, hits: 0, stale: 0, collapsed: 0, bypasses: 0, validated: 0, parts: 0 },
    ...{ misses: 0, couldHit: 0, didHit: 0 },
  }
}

function explain<Configuration>(details: fc.RunDetails<[Configuration, Pair[]]>, seed: number): string {
  const { counterexample, errorInstance } = details
  const [configuration, pairs = []] = counterexample ?? []
  const sent = pairs.map(({ first, second, gapSeconds, isConcurrent, isDown }) =>
    [
      describeRequest(first),
      `  then${isConcurrent ? ', in flight together' : `, ${gapSeconds} s later`}${isDown ? ', the handler fails' : ''}`,
      describeRequest(second),
    ].join('\n'),
  )
  const cause = errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : String(errorInstance)
  return `a leak, with CLIENTS_SEED=${seed}:\n${JSON.stringify(configuration, null, 2)}\n${sent.join('\n\n')}\n\n${cause}`
}

/** An application, and one with the same configuration that stores nothing. */
class Comparison {
  readonly #clock = createClock()
  readonly #outcomes: Outcomes
  #cached: FastifyInstance | undefined
  #empty: FastifyInstance | undefined
  #isDown = false

  private constructor(outcomes: Outcomes) {
    this.#outcomes = outcomes
  }

  static async start(build: (world: World) => Promise<FastifyInstance>, outcomes: Outcomes): Promise<Comparison> {
    const comparison = new Comparison(outcomes)
    const world = { now: comparison.#clock.now, isDown: () => comparison.#isDown }
    comparison.#cached = await build(world)
    comparison.#empty = await build({ ...world, maxMemoryBytes: 1 })
    return comparison
  }

  async close(): Promise<void> {
    await Promise.all([this.#cached?.close(), this.#empty?.close()])
  }

  async compare({ first, second, gapSeconds, isConcurrent, isDown }: Pair): Promise<void> {
    this.#clock.step(1_000) // so that what earlier pairs stored is stale, at least
    this.#isDown = false
    const requests = [first, second]
    const answers: Answer[] = []
    if (isConcurrent) {
      answers.push(...(await Promise.all(requests.map((request) => this.#ask(request)))))
    } else {
      answers.push(await this.#ask(first))
      await this.#judge(first, answers[0])
      this.#clock.step(gapSeconds)
      this.#isDown = isDown
      answers.push(await this.#ask(second))
    }
    const [one, other] = answers
    if (isConcurrent) await this.#judge(first, one)
    await this.#judge(second, other)
    if (one !== undefined && other !== undefined) await this.#count(requests, [one, other], gapSeconds)
  }

  #ask(request: ClientRequest): Promise<Answer> {
    return send(running(this.#cached), request)
  }

  async #askEmpty(request: ClientRequest, isDown = this.#isDown): Promise<Answer> {
    const before = this.#isDown
    this.#isDown = isDown
    const answer = await send(running(this.#empty), request)
    this.#isDown = before
    return answer
  }

  /** Throws if the answer is none that an empty cache could give. */
  async #judge(request: ClientRequest, answer: Answer | undefined): Promise<void> {
    if (answer === undefined) return
    const expected = await this.#askEmpty(request)
    const found = differences(expected, answer)
    if (found.length === 0) return
    const isStale = /; hit.*detail=stale|detail=stale-if-error/.test(cacheStatusOf(answer))
    const isStored = isStale || /; hit/.test(cacheStatusOf(answer))
    // A stored answer has the content of a handler that does not fail. What a stale one says of freshness is its own.
    const whole = await this.#askEmpty(wholeOf(request), isStored ? false : this.#isDown)
    const contradicting = contradictions(request, whole, answer).filter(
      (line) => !(isStale && /^(?:cdn-)?cache-control|^surrogate-control/.test(line)),
    )
    if (contradicting.length === 0) return
    const text = contradicting.join('\n  ')
    throw new Error(`${describeRequest(request)}\nis answered with ${cacheStatusOf(answer)}\n  ${text}`)
  }

  async #count(requests: ClientRequest[], answers: [Answer, Answer], gapSeconds: number): Promise<void> {
    const counts = this.#outcomes
    const [one, other] = answers
    const status = cacheStatusOf(other)
    counts.pairs += 1
    if (other.status === 304) counts.validated += 1
    if (other.status === 206) counts.parts += 1
    if (/detail=stale/.test(status)) counts.stale += 1
    else if (/; hit/.test(status)) counts.hits += 1
    else if (/; collapsed/.test(status)) counts.collapsed += 1
    else if (/fwd=bypass/.test(status)) counts.bypasses += 1
    else counts.misses += 1
    const ttl = Number(/; ttl=(-?\d+).*stored|; hit; ttl=(-?\d+)/.exec(cacheStatusOf(one))?.slice(1).find(Boolean))
    const isPlain = requests.every(({ method }) => method === 'GET') && other.status === 200 && one.status === 200
    if (!isPlain || !(ttl > gapSeconds) || one.body !== other.body || /fwd=bypass/.test(status)) return
    counts.couldHit += 1
    if (/; hit|; collapsed/.test(status)) counts.didHit += 1
  }
}

function running(app: FastifyInstance | undefined): FastifyInstance {
  if (app === undefined) throw new Error('not started')
  return app
}

/** One line with the outcomes. */
export function formatOutcomes(outcomes: Outcomes): string {
  const { couldHit, didHit } = outcomes
  const rate = couldHit === 0 ? 0 : (100 * didHit) / couldHit
  const counts = Object.entries(outcomes).map(([name, count]) => `${name} ${count}`)
  return `${counts.join(', ')}: hit rate ${rate.toFixed(1)} %, leaks 0`
}
