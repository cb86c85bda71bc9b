import { LRUCache } from 'lru-cache'
import type { Entry } from './entry.js'
import type { Store } from './store.js'

export interface MemoryStoreOptions {
  /** Bound on what all entries together may weigh, in bytes of JSON. */
  readonly maxBytes: number
}

/** Counted for each entry beside its value: the key's header, the instants, the links of the list. */
const overheadBytes = 256

/** Keeps entries in this process, the least recently used ones giving way. */
export function createMemoryStore({ maxBytes }: MemoryStoreOptions): Store {
  const entries = new LRUCache<string, Entry>({ maxSize: maxBytes })
  return {
    tier: 'memory',
    async get(key) {
      return entries.get(key)
    },
    async set(key, entry, valueText) {
      entries.set(key, entry, { size: overheadBytes + key.length + Buffer.byteLength(valueText) })
    },
    async delete(key) {
      return entries.delete(key)
    },
  }
}
