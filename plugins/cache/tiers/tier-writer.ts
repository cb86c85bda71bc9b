import type { Entry } from '../entry/codec.js'
import { decideAfterWrite, decideWrite } from '../entry/decide-write.js'
import type { ChangeWatch } from '../memory/change-watches.js'
import type { MemoryTier } from '../memory/memory-tier.js'
import type { CacheEvents } from '../observe/cache-events.js'
import type { CacheSignals } from '../signals.js'
import type { Store, WriteOutcome } from '../store.js'
import type { StoreAccess } from '../store-access.js'
import type { Coherence } from './coherence.js'
import type { VerifiedMemory } from './verified-memory.js'

export interface EntryWrite {
  readonly key: string
  readonly entry: Entry
  /** The JSON of the value. */
  readonly text: string
}

export interface WriteResult {
  /** The value as stored in memory: the previous object where the new value is equal. */
  readonly value: unknown
  /** `newer`: refused, memory has a newer entry; a promise: the write to the shared store, `undefined` when it fails. */
  readonly outcome: 'memory-only' | 'newer' | Promise<WriteOutcome | undefined>
}

export interface WriteOptions {
  /** Has watched the key since the load started. */
  readonly watch?: ChangeWatch
  /** Default true; false writes to memory only. */
  readonly isPersisted?: boolean
}

interface TierWriterDeps {
  readonly memory: MemoryTier
  readonly verifiedMemory: VerifiedMemory
  readonly coherence: Coherence
  readonly access: StoreAccess
  readonly events: CacheEvents
  readonly signals: CacheSignals
}

/** Writes entries to both tiers, and distinguishes the echo of an own write from a change by another client. */
export class TierWriter {
  readonly #deps: TierWriterDeps

  constructor(deps: TierWriterDeps) {
    this.#deps = deps
    deps.signals.subscribe({ keyChanged: (key) => this.#changed(key) })
  }

  /** Writes to memory at once, and to the shared store in the background. */
  write(write: EntryWrite, { watch, isPersisted = true }: WriteOptions = {}): WriteResult {
    const { key, entry, text } = write
    const { memory, verifiedMemory, access } = this.#deps
    const store = isPersisted ? access.storeFor(key) : undefined
    const { stamp } = entry
    const target = decideWrite({ stamp, memoryStamp: memory.peek(key)?.stamp, canPersist: store !== undefined })
    if (target === 'none') return { value: entry.value, outcome: 'newer' }
    const placed = verifiedMemory.place(key, entry, { bytes: Buffer.byteLength(text), isPersisted: false })
    const value = placed === undefined ? entry.value : placed.value
    if (watch?.isCurrent === false) memory.markUnverified(key)
    if (target === 'memory' || store === undefined) return { value, outcome: 'memory-only' }
    return { value, outcome: this.#persist(store, write, watch) }
  }

  async #persist(
    store: Store,
    { key, entry, text }: EntryWrite,
    watch: ChangeWatch | undefined,
  ): Promise<WriteOutcome | undefined> {
    const { memory, access, events } = this.#deps
    // Another client that deletes a key leaves no tombstone: the store could not refuse what was loaded before that.
    const isRemoved = watch?.hasChanged === true && !(await this.#exists(store, key))
    if (!isRemoved) memory.expectEcho(key)
    const outcome = isRemoved ? 'purged' : await access.attempt(key, () => store.set(key, entry, text))
    events.writeEnded(key, outcome)
    const isInMemory = memory.peek(key)?.stamp === entry.stamp
    const effect = decideAfterWrite(outcome, isInMemory)
    if (effect === 'changed') this.#changed(key)
    else if (effect === 'persisted') memory.markPersisted(key, true)
    else if (effect === 'no-echo') memory.consumeEcho(key)
    return outcome
  }

  /** Whether the store has an entry or a tombstone under the key. */
  async #exists(store: Store, key: string): Promise<boolean> {
    const answer = await this.#deps.access.attempt(key, async () => ({ found: await store.get(key) }))
    return answer?.found !== undefined
  }

  #changed(key: string): void {
    const { memory, signals } = this.#deps
    memory.markChanged(key)
    if (memory.consumeEcho(key)) void this.#verifyEcho(key)
    else signals.keyInvalidated(key)
  }

  /** Compares stamps: if the change was our own write, the memory entry is still current. */
  async #verifyEcho(key: string): Promise<void> {
    const { memory, verifiedMemory, coherence, access, signals } = this.#deps
    const { store } = access
    if (store === undefined) return
    const watch = memory.watches.start(key)
    const answer = await access.attempt(key, async () => ({ stamp: await store.stampOf(key) }))
    memory.watches.stop(key, watch)
    const entry = memory.peek(key)
    if (entry === undefined || answer?.stamp !== entry.stamp || !watch.isCurrent) {
      signals.keyInvalidated(key)
      return
    }
    memory.markPersisted(key, true)
    if (verifiedMemory.checkPurges(key, entry) === 'none') memory.markVerified(key, coherence.version)
  }
}
