import t from 'tap'
import { unverified } from '../../../../plugins/cache/memory/memory-entry.js'
import { type ReconcileInput, reconcile, tombstoneEffect } from '../../../../plugins/cache/tiers/reconcile.js'

const instants = { freshUntil: 100, revalidateUntil: 200, staleUntil: 300 }
const common = { value: 'v', tags: [], fingerprint: 'f', ...instants }

function memoryEntry(
  changes: { stamp?: number; isPersisted?: boolean; fingerprint?: string; verifiedVersion?: number } = {},
) {
  return {
    ...common,
    stamp: 20,
    refreshAt: 100,
    verifiedVersion: 1,
    isPersisted: true,
    isInvalidated: false,
    ...changes,
  }
}

function sharedEntry(changes: { stamp?: number; purgedAt?: number } = {}) {
  return { entry: { ...common, stamp: 20, loadMs: 0, purgedAt: 0, ...changes }, bytes: 3 }
}

const nothing: ReconcileInput = {
  memory: undefined,
  isReliable: true,
  shared: undefined,
  queuedPurge: undefined,
  isSchemaMatch: true,
}
const softPurge = { stamp: 30, isHard: false }
const hardPurge = { stamp: 30, isHard: true }

const cases: readonly (readonly [string, Partial<ReconcileInput>, string, readonly string[]])[] = [
  ['neither tier has an entry', {}, 'none', []],
  ['the store lost a persisted entry', { memory: memoryEntry() }, 'memory', ['mark-lost']],
  ['the store never had the entry', { memory: memoryEntry({ isPersisted: false }) }, 'memory', []],
  ['the entry was deleted by another client', { memory: memoryEntry(), isReliable: false }, 'memory', ['invalidate']],
  ['the store has a tombstone and memory nothing', { shared: { purgedAt: 30, isHard: false } }, 'none', []],
  [
    'a soft tombstone is newer',
    { memory: memoryEntry(), shared: { purgedAt: 30, isHard: false } },
    'memory',
    ['invalidate'],
  ],
  ['a hard tombstone is newer', { memory: memoryEntry(), shared: { purgedAt: 30, isHard: true } }, 'none', ['delete']],
  ['a tombstone is older', { memory: memoryEntry(), shared: { purgedAt: 10, isHard: true } }, 'memory', []],
  ['only the store has an entry', { shared: sharedEntry() }, 'shared', []],
  ['the store has the same entry', { memory: memoryEntry(), shared: sharedEntry() }, 'memory', ['mark-persisted']],
  ['the store has a newer entry', { memory: memoryEntry(), shared: sharedEntry({ stamp: 40 }) }, 'shared', []],
  [
    'the store has an older entry than one in memory that it never had',
    { memory: memoryEntry({ isPersisted: false }), shared: sharedEntry({ stamp: 10 }) },
    'memory',
    [],
  ],
  [
    'the store went back to an older entry',
    { memory: memoryEntry(), shared: sharedEntry({ stamp: 10 }) },
    'shared',
    [],
  ],
  [
    'memory has an entry of another schema',
    { memory: memoryEntry({ fingerprint: 'other' }), shared: sharedEntry({ stamp: 10 }) },
    'shared',
    [],
  ],
  [
    'the same entry was softly purged',
    { memory: memoryEntry(), shared: sharedEntry({ purgedAt: 30 }) },
    'memory',
    ['invalidate', 'mark-persisted'],
  ],
  ['a queued purge covers the only entry', { shared: sharedEntry(), queuedPurge: softPurge }, 'none', []],
  [
    'a queued soft purge covers the shared entry',
    { memory: memoryEntry(), shared: sharedEntry(), queuedPurge: softPurge },
    'memory',
    [],
  ],
  [
    'a queued hard purge covers the shared entry',
    { memory: memoryEntry(), shared: sharedEntry(), queuedPurge: hardPurge },
    'none',
    ['delete'],
  ],
  [
    'the only entry does not match the schema',
    { shared: sharedEntry(), isSchemaMatch: false },
    'none',
    ['report-schema-mismatch'],
  ],
  [
    'the shared entry does not match the schema',
    { memory: memoryEntry(), shared: sharedEntry({ stamp: 40 }), isSchemaMatch: false },
    'memory',
    ['report-schema-mismatch'],
  ],
  [
    'an entry of another schema has replaced ours',
    { memory: memoryEntry({ verifiedVersion: unverified }), shared: sharedEntry({ stamp: 40 }), isSchemaMatch: false },
    'memory',
    ['report-schema-mismatch', 'invalidate'],
  ],
]

for (const [name, input, answer, effects] of cases) {
  t.test(`${name}: ${answer} answers${effects.length === 0 ? '' : `, ${effects.join(', ')}`}`, async (t) => {
    t.strictSame(reconcile({ ...nothing, ...input }), { answer, effects })
  })
}

t.test('a tombstone affects entries with the same stamp or an earlier one', async (t) => {
  t.equal(tombstoneEffect({ stamp: 30 }, softPurgeOf(30)), 'invalidate')
  t.equal(tombstoneEffect({ stamp: 31 }, softPurgeOf(30)), undefined)
})

function softPurgeOf(purgedAt: number) {
  return { purgedAt, isHard: false }
}
