import type { EntryExplanation, Explanation } from 'fastify-vitrine/cache'
import type { OperatorWords } from './operator-words.js'

/** What there is to say of one key. */
export interface ExplanationView {
  readonly key: string
  readonly sentences: readonly string[]
  readonly places: readonly { readonly name: string; readonly facts: readonly string[] }[]
}

export function createExplanationView(explanation: Explanation, words: OperatorWords): ExplanationView {
  const { key, state, memory, redis, isLoading, isBackingOff } = explanation
  const { lookUp } = words.says
  const hasEnded = state === 'purged'
  return {
    key,
    sentences: [
      lookUp.standing[state],
      ...(isLoading ? [lookUp.isLoading] : []),
      ...(isBackingOff ? [lookUp.isPaused] : []),
    ],
    places: [
      { name: lookUp.inMemory, facts: memory === undefined ? [lookUp.nothing] : factsOf(memory, hasEnded) },
      { name: lookUp.inRedis, facts: redisFacts() },
    ],
  }

  function redisFacts(): string[] {
    if (redis === undefined) return [lookUp.nothing]
    if (redis === 'unknown') return [lookUp.unknown]
    if (redis === 'memory-only') return [lookUp['memory-only']]
    if ('purgedAt' in redis) return [lookUp.removed]
    return factsOf(redis, hasEnded && redis.storedAt === memory?.storedAt)
  }

  /** `hasEnded`: before its time, by a purge or a change that the entry itself knows nothing of. */
  function factsOf({ ageSeconds, freshUntil, staleUntil, tags }: EntryExplanation, hasEnded: boolean): string[] {
    return [
      lookUp.age(words.ago(ageSeconds)),
      hasEnded ? lookUp.notFresh : `${lookUp.freshUntil} ${words.instant(freshUntil).text}`,
      `${lookUp.staleUntil} ${words.instant(staleUntil).text}`,
      tags.length === 0 ? lookUp.noTags : `${lookUp.tags} ${tags.join(', ')}`,
    ]
  }
}
