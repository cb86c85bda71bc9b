import t from 'tap'
import type { Dependencies } from '../../../plugins/cache/index.js'
import { notForCdn } from '../../../plugins/http/cdn-fields.js'
import { cacheControlOf } from '../../../plugins/http/freshness.js'
import { decideStorage, type StorageFacts, type UnstoredReason } from '../../../plugins/responses/storage-decision.js'

/** Dependencies on data with the given state. */
function dependsOn(state: { freshForMs?: number; staleForMs?: number; isCurrent?: boolean }): Dependencies {
  const { freshForMs = Number.POSITIVE_INFINITY, isCurrent = true } = state
  const dependencies: Dependencies = {
    tags: [],
    freshForMs,
    revalidateForMs: freshForMs,
    staleForMs: state.staleForMs ?? freshForMs,
    isCurrent: () => isCurrent,
    withTags: () => dependencies,
    purgeVerdict: () => 'none',
  }
  return dependencies
}

const storable: StorageFacts = {
  lifetime: { seconds: 60, isExplicit: true },
  control: cacheControlOf({}),
  tags: ['a'],
  tagFields: { 'surrogate-key': 'a' },
  hasLateTags: false,
  dependencies: undefined,
  staleTtlMs: 2_000,
  now: 1_000_000,
  isInvalidated: false,
  isTooLarge: false,
  hasUnkeyedVary: false,
  hasNonce: false,
}
/** A response that states no lifetime: no cache in front would store it. */
const silent = { lifetime: { seconds: 60, isExplicit: false } }
const noStore = notForCdn

t.test('a storable response is stored with its tags, unless a fact forbids it', async (t) => {
  const { tagFields } = storable
  const cases: readonly {
    readonly name: string
    readonly facts: Partial<StorageFacts>
    readonly reason: UnstoredReason | undefined
    readonly cdnFields: object
  }[] = [
    { name: 'nothing forbids it', facts: {}, reason: undefined, cdnFields: tagFields },
    { name: 'current data', facts: { dependencies: dependsOn({}) }, reason: undefined, cdnFields: tagFields },
    {
      name: 'fresh data',
      facts: { dependencies: dependsOn({ freshForMs: 1 }) },
      reason: undefined,
      cdnFields: tagFields,
    },
    { name: 'unknown tags', facts: { tags: undefined }, reason: 'tags', cdnFields: noStore },
    {
      name: 'stale data',
      facts: { dependencies: dependsOn({ freshForMs: 0 }) },
      reason: 'derived',
      cdnFields: noStore,
    },
    {
      name: 'purged data',
      facts: { dependencies: dependsOn({ isCurrent: false }) },
      reason: 'derived',
      cdnFields: noStore,
    },
    {
      name: 'purged data, and no cache in front would store it',
      facts: { dependencies: dependsOn({ isCurrent: false }), ...silent },
      reason: 'derived',
      cdnFields: {},
    },
    { name: 'an invalidated target', facts: { isInvalidated: true }, reason: 'invalidated', cdnFields: tagFields },
    { name: 'a large body', facts: { isTooLarge: true }, reason: 'too-large', cdnFields: tagFields },
    { name: 'an unkeyed Vary', facts: { hasUnkeyedVary: true }, reason: 'vary', cdnFields: tagFields },
    {
      name: 'tags may follow',
      facts: { hasLateTags: true },
      reason: undefined,
      cdnFields: { ...tagFields, ...noStore },
    },
    {
      name: 'tags may follow, and no cache in front would store it',
      facts: { hasLateTags: true, ...silent },
      reason: undefined,
      cdnFields: tagFields,
    },
  ]
  for (const { name, facts, reason, cdnFields } of cases) {
    const decision = decideStorage({ ...storable, ...facts })
    t.equal(decision.reason, reason, name)
    t.strictSame(decision.cdnFields, cdnFields, name)
  }
})

t.test('the freshness of the data counts from the end of tracking', async (t) => {
  const dataFreshUntil = (dependencies: Dependencies | undefined) => {
    const decision = decideStorage({ ...storable, dependencies, now: 5_000 })
    return decision.reason === undefined ? decision.dataFreshUntil : decision.reason
  }
  t.equal(dataFreshUntil(dependsOn({ freshForMs: 3_000 })), 8_000)
  t.equal(dataFreshUntil(dependsOn({})), Number.POSITIVE_INFINITY)
  t.equal(dataFreshUntil(undefined), Number.POSITIVE_INFINITY)
})

t.test('a response from stale data is stored for a short time, at most as long as the data may be used', async (t) => {
  const until = (staleForMs: number, staleTtlMs = 2_000, isCurrent = true) => {
    const dependencies = dependsOn({ freshForMs: 0, staleForMs, isCurrent })
    const decision = decideStorage({ ...storable, dependencies, staleTtlMs, now: 5_000 })
    return decision.reason ?? [decision.isFromStale, decision.dataFreshUntil]
  }
  t.strictSame(until(60_000), [true, 7_000])
  t.strictSame(until(500), [true, 5_500])
  t.equal(until(60_000, 0), 'derived', 'unless the time is 0')
  t.equal(until(60_000, 2_000, false), 'derived', 'unless the data have changed')
})

t.test('of several reasons the first one is given', async (t) => {
  const all = { ...storable, isInvalidated: true, isTooLarge: true, hasUnkeyedVary: true }
  const stale = dependsOn({ freshForMs: 0 })
  t.equal(decideStorage({ ...all, tags: undefined, dependencies: stale }).reason, 'tags')
  t.equal(decideStorage({ ...all, dependencies: stale }).reason, 'derived')
  t.equal(decideStorage(all).reason, 'invalidated')
  t.equal(decideStorage({ ...all, isInvalidated: false }).reason, 'too-large')
})
