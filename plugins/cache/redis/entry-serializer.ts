import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { CacheClock } from '../clock.js'
import { decodeEntry, type Entry, encodeEntry, type PackedEntry, parseFrozen, type Tombstone } from '../entry/codec.js'
import { type FoundEntry, StoreFailure } from '../store.js'

const compress = promisify(gzip)
const decompress = promisify(gunzip)
/** Maximum bytes of an entry besides its value: head, instants, tags. */
const envelopeBytes = 2 ** 14

/** What is stored under a key. */
export type StoredRecord = FoundEntry | Tombstone | undefined

export interface EntrySerializerOptions {
  readonly clock: CacheClock
  /** Entries with more bytes of JSON are treated as corrupt: this cache does not store them. */
  readonly maxEntryBytes: number
  /** Values with more bytes of JSON are compressed; `undefined`: none. */
  readonly compressAboveBytes: number | undefined
}

/** Converts entries to and from the strings in Redis. Rejects corrupt data with a `StoreFailure`. */
export class EntrySerializer {
  readonly #options: EntrySerializerOptions

  constructor(options: EntrySerializerOptions) {
    this.#options = options
  }

  async serialize(entry: Entry, valueText: string): Promise<string> {
    return encodeEntry(entry, await this.#pack(valueText), this.#options.clock.offsetMs)
  }

  parse(text: string | null): StoredRecord | Promise<StoredRecord> {
    const { clock, maxEntryBytes } = this.#options
    if (text === null) return undefined
    if (text.length > maxEntryBytes + envelopeBytes) throw corrupt('too-large')
    const decoded = decodeEntry(text, clock.offsetMs)
    if (typeof decoded === 'string') throw corrupt(decoded)
    const stamp = Math.max('stamp' in decoded ? decoded.stamp : 0, decoded.purgedAt)
    if (stamp > clock.maxTrustedStamp) throw corrupt('from-the-future')
    if ('value' in decoded) return { entry: decoded, bytes: Buffer.byteLength(text) }
    return 'packed' in decoded ? this.#unpack(decoded) : decoded
  }

  async #pack(valueText: string): Promise<string | { gzip: string }> {
    const { compressAboveBytes = Number.POSITIVE_INFINITY } = this.#options
    if (valueText.length <= compressAboveBytes) return valueText
    return { gzip: (await compress(valueText, { level: 1 })).toString('base64') }
  }

  async #unpack({ packed, ...entry }: PackedEntry): Promise<FoundEntry> {
    const maxOutputLength = this.#options.maxEntryBytes
    try {
      const text = String(await decompress(Buffer.from(packed, 'base64'), { maxOutputLength }))
      return { entry: { value: parseFrozen(text), ...entry }, bytes: Buffer.byteLength(text) }
    } catch {
      throw corrupt('not-json')
    }
  }
}

function corrupt(defect: string): StoreFailure {
  return new StoreFailure('corrupt', { isOutage: false, message: `not a cache entry: ${defect}` })
}
