import type { EntryExplanation, Explanation } from 'fastify-vitrine/cache'
import type { OperatorFormatter } from './operator-formatter.js'

export interface ExplanationView {
  readonly key: string
  readonly sentences: readonly string[]
  readonly tiers: readonly { readonly name: string; readonly facts: readonly string[] }[]
}

export function createExplanationView(explanation: Explanation, format: OperatorFormatter): ExplanationView {
  const { key, state, memory, redis, isLoading, isBackingOff } = explanation
  const { inspect } = format.labels
  const isPurged = state === 'purged'
  return {
    key,
    sentences: [
      inspect.state[state],
      ...(isLoading ? [inspect.isLoading] : []),
      ...(isBackingOff ? [inspect.isBackingOff] : []),
    ],
    tiers: [
      { name: inspect.inMemory, facts: memory === undefined ? [inspect.nothing] : factsOf(memory, isPurged) },
      { name: inspect.inRedis, facts: redisFacts() },
    ],
  }

  function redisFacts(): string[] {
    if (redis === undefined) return [inspect.nothing]
    if (redis === 'unknown') return [inspect.unknown]
    if (redis === 'memory-only') return [inspect['memory-only']]
    if ('purgedAt' in redis) return [inspect.purged]
    return factsOf(redis, isPurged && redis.storedAt === memory?.storedAt)
  }

  /** `isPurged`: no longer fresh although `freshUntil` has not passed. */
  function factsOf({ ageSeconds, freshUntil, staleUntil, tags }: EntryExplanation, isPurged: boolean): string[] {
    return [
      inspect.age(format.ago(ageSeconds)),
      isPurged ? inspect.notFresh : `${inspect.freshUntil} ${format.time(freshUntil).text}`,
      `${inspect.staleUntil} ${format.time(staleUntil).text}`,
      tags.length === 0 ? inspect.noTags : `${inspect.tags} ${tags.join(', ')}`,
    ]
  }
}
