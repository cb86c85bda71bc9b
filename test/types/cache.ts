// The types of the cache as its users see them. `npm run typecheck` checks them with the compiler of the repository and with
// TypeScript 5. A line that is marked as an error and compiles is an error. Nothing here runs.
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import cache, {
  type Entry,
  type FoundEntry,
  isTombstone,
  type KeyPurgeRequest,
  type LeaseAnswer,
  type PurgeLogPosition,
  type PurgeLogRead,
  type Reading,
  type Store,
  StoreFailure,
  type StoreWatcher,
  type Tombstone,
  type WriteOutcome,
} from 'fastify-vitrine/cache'

declare const app: FastifyInstance
const Names = Type.Array(Type.String())

export async function inferred(): Promise<void> {
  const plain: number = await app.cache.fetch('k', () => 1)
  const awaited: string = await app.cache.fetch('k', async () => 'text')
  const checked: string[] = await app.cache.fetch('k', () => ['a'], { schema: Names })
  const found: string[] | undefined = await app.cache.get('k', { schema: Names })
  const reading: Reading<string[]> = await app.cache.read('k', () => ['a'], { schema: Names })
  const isStored: boolean = await app.cache.set('k', { any: 'JSON' }, { ttlSeconds: 60, tags: ['t'] })
  void [plain, awaited, checked, found, reading.state, isStored]
}

export async function refused(): Promise<void> {
  // @ts-expect-error the loader must return what the schema describes
  await app.cache.fetch('k', () => 1, { schema: Names })
  // @ts-expect-error a lifetime names its unit
  await app.cache.set('k', 1, { ttl: 60 })
  // @ts-expect-error tags are an array
  await app.cache.set('k', 1, { tags: 'sellers' })
  // @ts-expect-error without a schema the value is unknown
  const guess: string = await app.cache.get('k')
  // @ts-expect-error a reading is read-only
  ;(await app.cache.read('k', () => 1)).value = 2
  void guess
}

/** A store of one's own needs nothing but the exports of `fastify-vitrine/cache`. It is minimal, not correct. */
class MinimalStore implements Store {
  readonly hasOpenCircuit = false
  readonly isTracking = false
  readonly #entries = new Map<string, FoundEntry | Tombstone>()
  #watcher: StoreWatcher | undefined

  isCircuitOpen(_key: string): boolean {
    return this.hasOpenCircuit
  }

  async get(key: string): Promise<FoundEntry | Tombstone | undefined> {
    if (key === 'bad') throw new StoreFailure('corrupt', { isOutage: false, message: 'not an entry' })
    return this.#entries.get(key)
  }

  async stampOf(key: string): Promise<number | undefined> {
    const found = this.#entries.get(key)
    return found === undefined || isTombstone(found) ? undefined : found.entry.stamp
  }

  async set(key: string, entry: Entry, valueText: string): Promise<WriteOutcome> {
    this.#entries.set(key, { entry, bytes: valueText.length })
    this.#watcher?.changed([key])
    return 'stored'
  }

  async purgeKey(key: string, { stamp, isHard }: KeyPurgeRequest): Promise<boolean> {
    const hadEntry = this.#entries.has(key)
    this.#entries.set(key, { purgedAt: stamp, isHard })
    return hadEntry
  }

  async readPurges(after: PurgeLogPosition | undefined): Promise<PurgeLogRead> {
    const position = after ?? { name: 'log', upTo: 0 }
    return { stamps: new Map(), isComplete: after === undefined, position }
  }

  async addPurges(_members: readonly string[], stamp: number): Promise<number> {
    this.#watcher?.purged()
    return stamp
  }

  async restorePurges(): Promise<void> {}

  async acquireLease(): Promise<LeaseAnswer> {
    return 'acquired'
  }

  async renewLease(): Promise<boolean> {
    return true
  }

  async releaseLease(): Promise<void> {}

  watch(watcher: StoreWatcher): void {
    this.#watcher = watcher
  }

  async close(): Promise<void> {}
}

export async function ownStore(): Promise<void> {
  await Fastify().register(cache, { store: new MinimalStore() })
}
