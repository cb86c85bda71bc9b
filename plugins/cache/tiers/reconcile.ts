import type { Tombstone } from '../entry/codec.js'
import { type MemoryEntry, unverified } from '../memory/memory-entry.js'
import type { KeyPurge } from '../purge/purge-queue.js'
import { type FoundEntry, isTombstone } from '../store.js'

export interface ReconcileInput {
  readonly memory: MemoryEntry | undefined
  /** Whether the memory entry matched the shared store when that last reported anything about it. */
  readonly isReliable: boolean
  readonly shared: FoundEntry | Tombstone | undefined
  /** A purge of the key that covers the shared entry and has not reached the shared store yet. */
  readonly queuedPurge: KeyPurge | undefined
  /** Whether the shared entry matches the schema of the read. */
  readonly isSchemaMatch: boolean
}

/** What happens to the memory entry. */
export type ReconcileEffect =
  | 'invalidate'
  | 'delete'
  /** The shared store has the same entry. */
  | 'mark-persisted'
  /** The shared store had the entry and has lost it. */
  | 'mark-lost'
  | 'report-schema-mismatch'

/** Which entry answers the read, after the effects were applied in order. */
export interface Reconciliation {
  readonly answer: 'memory' | 'shared' | 'none'
  readonly effects: readonly ReconcileEffect[]
}

/** Decides between the entry in memory and what the shared store has under the key. */
export function reconcile(input: ReconcileInput): Reconciliation {
  const { memory, shared } = input
  if (shared !== undefined && !isTombstone(shared)) return reconcileEntries(input, shared)
  if (memory === undefined) return { answer: 'none', effects: [] }
  if (shared !== undefined) {
    const effect = tombstoneEffect(memory, shared)
    return { answer: effect === 'delete' ? 'none' : 'memory', effects: listOf(effect) }
  }
  if (!input.isReliable) return { answer: 'memory', effects: ['invalidate'] }
  // An entry that was never persisted (outage, full store, another schema) is not missing there.
  return { answer: 'memory', effects: memory.isPersisted ? ['mark-lost'] : [] }
}

/** What a tombstone does to the memory entry: nothing to one whose load began later. */
export function tombstoneEffect(
  memory: Pick<MemoryEntry, 'stamp'>,
  { purgedAt, isHard }: Tombstone,
): 'delete' | 'invalidate' | undefined {
  if (memory.stamp > purgedAt) return undefined
  return isHard ? 'delete' : 'invalidate'
}

function reconcileEntries(
  { memory, queuedPurge, isSchemaMatch }: ReconcileInput,
  { entry }: FoundEntry,
): Reconciliation {
  if (memory === undefined) {
    if (queuedPurge !== undefined) return { answer: 'none', effects: [] }
    return isSchemaMatch ? { answer: 'shared', effects: [] } : { answer: 'none', effects: ['report-schema-mismatch'] }
  }
  // A soft purge of the key covers the memory entry too, whichever of the two is newer.
  const purged = listOf(tombstoneEffect(memory, { purgedAt: entry.purgedAt, isHard: false }))
  if (queuedPurge?.isHard === true) return { answer: 'none', effects: ['delete'] }
  if (queuedPurge !== undefined) return { answer: 'memory', effects: purged }
  if (!isSchemaMatch) {
    const isReplaced = memory.verifiedVersion === unverified && entry.stamp > memory.stamp
    return { answer: 'memory', effects: [...purged, 'report-schema-mismatch', ...listOf(isReplaced && 'invalidate')] }
  }
  if (memory.fingerprint !== entry.fingerprint) return { answer: 'shared', effects: purged }
  if (memory.stamp === entry.stamp) return { answer: 'memory', effects: [...purged, 'mark-persisted'] }
  const isMemoryNewer = memory.stamp > entry.stamp && !memory.isPersisted
  return { answer: isMemoryNewer ? 'memory' : 'shared', effects: purged }
}

function listOf(effect: ReconcileEffect | false | undefined): readonly ReconcileEffect[] {
  return effect === undefined || effect === false ? [] : [effect]
}
