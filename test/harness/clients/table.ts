import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { createClock } from '../clock.js'
import { type ClientRequest, cacheStatusOf, contradictions, differences, send, wholeOf } from './answers.js'
import type { World } from './run.js'

/** What the second of two clients gets: its own answer in any case, from the cache or not. */
export type Expected = 'hit' | 'miss' | 'bypass' | 'stale' | 'collapsed' | 'refused' | 'any'

const statuses: Readonly<Record<Expected, RegExp>> = {
  hit: /^Vitrine; hit(?!.*detail)/,
  miss: /fwd=(?:uri-miss|vary-miss|stale)(?!.*collapsed)/,
  bypass: /fwd=(?:bypass|request|method)/,
  stale: /detail=stale/,
  collapsed: /collapsed/,
  refused: /^$|fwd=bypass;.*detail=invalid$/,
  any: /^/,
}

export interface TwoClients {
  readonly title: string
  readonly first?: Partial<ClientRequest>
  readonly second?: Partial<ClientRequest>
  readonly expected: Expected
  /** Between the requests. Default 0. */
  readonly gapSeconds?: number
  /** Whether the handler fails at the second request. */
  readonly isDown?: boolean
  /** Whether both requests are in flight at once. */
  readonly isConcurrent?: boolean
}

const plain: ClientRequest = { method: 'GET', target: '/x', headers: {} }
/** More than every lifetime and stale window of the tables. */
const aDay = 86_400

/** In each row one client asks, then another one: the second gets what it would have got from an empty cache. */
export async function compareClients(
  t: Pick<Test, 'match' | 'strictSame'>,
  build: (world: World) => Promise<FastifyInstance>,
  rows: readonly TwoClients[],
): Promise<void> {
  const clock = createClock()
  let isDown = false
  const world = { now: clock.now, isDown: () => isDown }
  const [cached, empty] = [await build(world), await build({ ...world, maxMemoryBytes: 1 })]
  for (const { title, expected, gapSeconds = 0, isConcurrent = false, ...row } of rows) {
    clock.step(aDay)
    isDown = false
    const [first, second] = [
      { ...plain, ...row.first },
      { ...plain, ...row.second },
    ]
    const others = isConcurrent ? [send(cached, first)] : [await send(cached, first)]
    clock.step(gapSeconds)
    isDown = row.isDown === true
    const answer = await send(cached, second)
    await Promise.all(others)
    t.match(cacheStatusOf(answer), statuses[expected], `${title}: ${cacheStatusOf(answer)}`)
    isDown = isDown && !/hit|stale-if-error/.test(cacheStatusOf(answer))
    const isSame = differences(await send(empty, second), answer).length === 0
    const found = isSame ? [] : contradictions(second, await send(empty, wholeOf(second)), answer)
    t.strictSame(expected === 'stale' ? found.filter((line) => !/cache-control/.test(line)) : found, [], title)
  }
  await Promise.all([cached.close(), empty.close()])
}

/** The request fields of the pools, each value in one request and not in the other, both ways. */
export function eachHeader(pools: Readonly<Record<string, readonly string[]>>) {
  return Object.entries(pools).flatMap(([name, values]) =>
    values.flatMap((value) => {
      const text = `${name}: ${value.slice(0, 60)}`
      const [withIt, without] = [{ headers: { [name]: value } }, { headers: {} }]
      return [
        { name, value, title: `${text}, then without`, first: withIt, second: without },
        { name, value, title: `without, then ${text}`, first: without, second: withIt },
      ]
    }),
  )
}
