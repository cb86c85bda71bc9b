import type { EntryExplanation, Explanation } from 'fastify-vitrine/cache'
import type { OperatorWords } from './operator-words.js'

/** What there is to say of one key. */
export interface ExplanationView {
  readonly key: string
  readonly sentences: readonly string[]
  readonly places: readonly { readonly name: string; readonly facts: readonly string[] }[]
}

export function createExplanationView(explanation: Explanation, words: OperatorWords): ExplanationView {
  const { key, standing, memory, redis, isLoading, isPaused } = explanation
  const { lookUp } = words.says
  return {
    key,
    sentences: [
      lookUp.standing[standing],
      ...(isLoading ? [lookUp.isLoading] : []),
      ...(isPaused ? [lookUp.isPaused] : []),
    ],
    places: [
      { name: lookUp.inMemory, facts: memory === undefined ? [lookUp.nothing] : factsOf(memory, words) },
      { name: lookUp.inRedis, facts: redisFacts(redis, words) },
    ],
  }
}

function redisFacts(redis: Explanation['redis'], words: OperatorWords): string[] {
  const { lookUp } = words.says
  if (redis === undefined) return [lookUp.nothing]
  if (redis === 'unknown') return [lookUp.unknown]
  if (redis === 'alone') return [lookUp.alone]
  return 'purgedAt' in redis ? [lookUp.removed] : factsOf(redis, words)
}

function factsOf({ ageSeconds, freshUntil, staleUntil, tags }: EntryExplanation, words: OperatorWords): string[] {
  const { lookUp } = words.says
  return [
    lookUp.age(words.ago(ageSeconds)),
    `${lookUp.freshUntil} ${words.instant(freshUntil).text}`,
    `${lookUp.staleUntil} ${words.instant(staleUntil).text}`,
    tags.length === 0 ? lookUp.noTags : `${lookUp.tags} ${tags.join(', ')}`,
  ]
}
