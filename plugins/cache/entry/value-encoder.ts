import type { OutageLog } from '../../redis/outage-log.js'
import { type Entry, type Lifetime, normaliseValue, resolveInstants } from './codec.js'
import type { SchemaCheck } from './schema-check.js'

/** A value to store, loaded or set. */
export interface UnencodedValue {
  readonly value: unknown
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly durationMs: number
  /** Undefined: the value is not stored. */
  readonly lifetime: Lifetime | undefined
  readonly tags: readonly string[]
}

export interface EncodedValue {
  /** As every reader gets it: what JSON makes of it, frozen. */
  readonly value: unknown
  /** Its JSON. */
  readonly text: string
  /** Undefined when the value is not to be stored, or cannot be. */
  readonly entry: Entry | undefined
}

/** Turns values into entries; logs a warning for one that cannot be stored. */
export class ValueEncoder {
  readonly #maxEntryBytes: number
  readonly #outageLog: Pick<OutageLog, 'report'>

  constructor({ maxEntryBytes, outageLog }: { maxEntryBytes: number; outageLog: Pick<OutageLog, 'report'> }) {
    this.#maxEntryBytes = maxEntryBytes
    this.#outageLog = outageLog
  }

  encode(
    key: string,
    { value, startedAt, durationMs, lifetime, tags }: UnencodedValue,
    { stamp, check }: { readonly stamp: number; readonly check: SchemaCheck | undefined },
  ): EncodedValue {
    const normal = normaliseValue(value)
    if (normal === undefined) {
      this.#refuse(key, 'not-json', 'JSON cannot represent it')
      return { value, text: '', entry: undefined }
    }
    const withoutEntry = { ...normal, entry: undefined }
    if (lifetime === undefined) return withoutEntry
    const bytes = Buffer.byteLength(normal.text)
    if (bytes > this.#maxEntryBytes) {
      this.#refuse(key, 'too-large', `${bytes} bytes exceed maxEntryBytes`)
      return withoutEntry
    }
    if (check !== undefined && !check.accepts(normal.value)) {
      this.#refuse(key, 'wrong-shape', 'it does not match its schema')
      return withoutEntry
    }
    const instants = resolveInstants(lifetime, startedAt)
    const fingerprint = check?.fingerprint ?? ''
    const entry = { value: normal.value, stamp, ...instants, tags, fingerprint, loadMs: durationMs, purgedAt: 0 }
    return { ...normal, entry }
  }

  #refuse(key: string, kind: string, reason: string): void {
    this.#outageLog.report({ kind, key, message: `cache: value not stored: ${reason}` })
  }
}
