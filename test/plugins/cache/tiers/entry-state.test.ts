import t from 'tap'
import { type EntryStateContext, entryState } from '../../../../plugins/cache/tiers/entry-state.js'

const entry = { freshUntil: 100, revalidateUntil: 200, staleUntil: 300, isInvalidated: false }
const context: EntryStateContext = { purgeVerdict: 'none', isReliable: true, now: 0 }

for (const [now, expected] of [
  [99, 'fresh'],
  [100, 'stale-while-revalidate'],
  [199, 'stale-while-revalidate'],
  [200, 'stale-if-error'],
  [299, 'stale-if-error'],
  [300, 'expired'],
] as const) {
  t.test(`at ${now} ms an entry is ${expected}`, async (t) => {
    t.equal(entryState(entry, { ...context, now }), expected)
  })
}

for (const [name, changedEntry, changedContext, expected] of [
  ['softly purged', {}, { purgeVerdict: 'soft' }, 'purged'],
  ['invalidated', { isInvalidated: true }, {}, 'purged'],
  ['not known to match the shared store', {}, { isReliable: false }, 'purged'],
  ['hard purged', {}, { purgeVerdict: 'hard' }, 'expired'],
  ['softly purged and past stale-if-error', {}, { purgeVerdict: 'soft', now: 300 }, 'expired'],
] as const) {
  t.test(`an entry that is ${name} is ${expected}`, async (t) => {
    t.equal(entryState({ ...entry, ...changedEntry }, { ...context, ...changedContext }), expected)
  })
}

t.test('without stale windows an entry expires at the end of freshness', async (t) => {
  const short = { ...entry, revalidateUntil: 100, staleUntil: 100 }
  t.equal(entryState(short, { ...context, now: 100 }), 'expired')
})
