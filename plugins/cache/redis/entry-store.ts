import { isCluster } from '../../redis/client-shape.js'
import { type Entry, encodeTombstone, formatFingerprint, formatStamp } from '../entry/codec.js'
import type { KeyPurgeRequest, WriteOutcome } from '../store.js'
import { BatchedReads } from './batched-reads.js'
import { circuitOpen } from './commands.js'
import { EntrySerializer, type EntrySerializerOptions, type StoredRecord } from './entry-serializer.js'
import * as scripts from './scripts.js'
import { latestStamp, type StoreDeps } from './store-deps.js'

/** Maximum number of keys that one command reads. */
const maxKeysPerRead = 64

/** Entries and tombstones, one string per key. */
export class EntryStore {
  readonly #deps: StoreDeps
  readonly #serializer: EntrySerializer
  readonly #reads: BatchedReads<StoredRecord>

  constructor(deps: StoreDeps, options: EntrySerializerOptions) {
    const serializer = new EntrySerializer(options)
    // In a Cluster one command cannot read keys of several slots.
    const isBatching = deps.client.mget !== undefined && !isCluster(deps.client)
    this.#deps = deps
    this.#serializer = serializer
    this.#reads = new BatchedReads({
      getOne: (name) => deps.commands.get(name),
      getMany: (names) => deps.commands.getMany(names),
      maxKeys: isBatching ? maxKeysPerRead : 1,
      decode: (text) => serializer.parse(text),
    })
  }

  get(key: string): Promise<StoredRecord> {
    const { commands, names } = this.#deps
    const name = names.entry(key)
    return commands.isCircuitOpen(name) ? Promise.reject(circuitOpen()) : this.#reads.get(name)
  }

  async stampOf(key: string): Promise<number | undefined> {
    const { clock, commands, names } = this.#deps
    const text = await commands.read(scripts.readStamp, names.entry(key), [latestStamp(clock)])
    return text === '' ? undefined : Number(text)
  }

  async set(key: string, entry: Entry, valueText: string): Promise<WriteOutcome> {
    const { clock, commands, names, tracking } = this.#deps
    const lifetimeMs = Math.ceil(entry.staleUntil - clock.now())
    if (lifetimeMs <= 0) return 'stored' // and expired at once
    commands.assertWritable()
    const text = await this.#serializer.serialize(entry, valueText)
    const now = Math.round(clock.now() + clock.offsetMs) * 1_000
    const reply = await commands.write(scripts.setEntry, names.entry(key), [
      text,
      String(entry.stamp),
      formatFingerprint(entry.fingerprint),
      String(now),
      String(lifetimeMs),
      latestStamp(clock),
    ])
    const [outcome, stamp] = Array.isArray(reply) ? reply : []
    clock.observe(Number(stamp))
    if (outcome === 'stored') tracking?.broadcast(names.wireEntry(key))
    return outcome === 'newer' || outcome === 'purged' || outcome === 'other-schema' ? outcome : 'stored'
  }

  /** Whether there was an entry. */
  async purge(key: string, { stamp, isHard, fenceMs }: KeyPurgeRequest): Promise<boolean> {
    const { clock, commands, names, tracking } = this.#deps
    const reply = await commands.write(isHard ? scripts.purgeKeyHard : scripts.purgeKeySoft, names.entry(key), [
      encodeTombstone({ purgedAt: stamp, isHard }),
      String(stamp),
      formatStamp(stamp),
      String(Math.ceil(fenceMs)),
      names.removedChannel,
      latestStamp(clock),
    ])
    tracking?.broadcast(names.wireEntry(key))
    return reply === 1
  }
}
