import type { Dependencies } from '../cache/index.js'
import type { CdnFields } from '../http/cdn-fields.js'
import { type Coding, encode, isCompressible } from '../http/encoding.js'
import { type FieldLines, type Fields, hopByHopFilter, singleValue } from '../http/fields.js'
import type { Instants } from '../http/freshness.js'
import { formatHttpDate, parseHttpDate } from '../http/http-date.js'
import type { Head } from './head.js'

/** Everything that answering with a stored response needs, decided when it is stored. RFC 9111 §3. */
export interface StoredResponseFields {
  readonly status: number
  /** End-to-end fields, as the handler stated them. */
  readonly fields: Fields
  /** Fields that this cache adds for caches in front; they replace those of the same name. */
  readonly cdnFields: CdnFields
  readonly body: Buffer
  /** Milliseconds since the epoch, on the local clock, at which its age was 0. */
  readonly bornAt: number
  readonly receivedAt: number
  /** When its generation began, which decides what is more recent. Default `bornAt`. */
  readonly begunAt?: number
  readonly instants: Instants
  /** Request fields that it varies by, in order, and their values in its request. */
  readonly varyNames: readonly string[]
  readonly varyValues: readonly string[]
  /** Lifetime for browsers, where the handler sent no `Cache-Control`. */
  readonly browserTtlSeconds: number | undefined
  readonly compresses: boolean
  /** Whether the route or the client may allow serving it stale. */
  readonly allowsStale: boolean
  /** Whether the handler set a validator, by which it can confirm the response. */
  readonly hasOwnValidator: boolean
  /** Whether it was generated from entries of the data cache, which decides when those may be stale. */
  readonly isDerived: boolean
  readonly tags: readonly string[]
  /** What was read from the data cache for it; `undefined`: there is none. */
  readonly dependencies: Dependencies | undefined
}

/** Approximate size of the objects of a response. */
const overheadBytes = 2_048

export class StoredResponse implements StoredResponseFields {
  readonly status: number
  readonly fields: Fields
  readonly cdnFields: CdnFields
  readonly body: Buffer
  readonly bornAt: number
  readonly receivedAt: number
  readonly begunAt: number
  readonly instants: Instants
  readonly varyNames: readonly string[]
  readonly varyValues: readonly string[]
  readonly browserTtlSeconds: number | undefined
  readonly compresses: boolean
  readonly allowsStale: boolean
  readonly hasOwnValidator: boolean
  readonly isDerived: boolean
  readonly tags: readonly string[]
  readonly dependencies: Dependencies | undefined
  /** Entity-tag of the identity coding. */
  readonly etag: string | undefined
  /** Milliseconds since the epoch: `Last-Modified`, or else `originDate`. */
  readonly modifiedAt: number
  /** Milliseconds since the epoch: `Date`. */
  readonly originDate: number
  readonly lifetimeSeconds: number
  readonly isCompressible: boolean
  /** How often requests selected it, which decides which variants are evicted; the store lets older uses count less. */
  uses = 0
  #isRefused = false
  readonly #encoded = new Map<Coding, Buffer | 'pending'>()
  readonly #heads = new Map<string, { readonly second: number; readonly head: Head }>()

  /** Takes the fields by name: entries of the shared store may have more of them. */
  constructor(given: StoredResponseFields) {
    const { receivedAt } = given
    const fields: Fields = { ...given.fields, date: given.fields.date ?? formatHttpDate(receivedAt) }
    this.status = given.status
    this.fields = fields
    this.cdnFields = given.cdnFields
    this.body = given.body
    this.bornAt = given.bornAt
    this.receivedAt = receivedAt
    this.begunAt = given.begunAt ?? given.bornAt
    this.instants = given.instants
    this.varyNames = given.varyNames
    this.varyValues = given.varyValues
    this.browserTtlSeconds = given.browserTtlSeconds
    this.compresses = given.compresses
    this.allowsStale = given.allowsStale
    this.hasOwnValidator = given.hasOwnValidator
    this.isDerived = given.isDerived
    this.tags = given.tags
    this.dependencies = given.dependencies
    const date = (name: string) => parseHttpDate(singleValue(fields[name]), receivedAt)
    this.etag = singleValue(given.fields.etag)
    this.originDate = date('date') ?? receivedAt
    this.modifiedAt = date('last-modified') ?? this.originDate
    this.lifetimeSeconds = Math.floor((given.instants.freshUntil - given.bornAt) / 1_000)
    this.isCompressible = given.compresses && isCompressible(given.status, given.fields, given.body)
  }

  /** Approximate size in memory, with encoded bodies and heads. */
  get bytes(): number {
    let bytes = overheadBytes + this.body.length
    for (const encoded of this.#encoded.values()) bytes += typeof encoded === 'string' ? 0 : encoded.length
    for (const value of this.varyValues) bytes += 2 * value.length
    for (const { head } of this.#heads.values()) bytes += head.bytes
    for (const [name, lines] of Object.entries({ ...this.fields, ...this.cdnFields }))
      bytes += 2 * (name.length + String(lines).length)
    return bytes
  }

  /** Whether something that it depends on was purged, removed or changed. */
  get isOutdated(): boolean {
    return this.dependencies !== undefined && !this.dependencies.isCurrent()
  }

  /** Whether it is fresh now, and everything that it depends on is unchanged. */
  isFresh(now: number): boolean {
    return this.isFreshAt(now) && !this.isOutdated
  }

  /** Whether its lifetime has not ended at the instant. */
  isFreshAt(instant: number): boolean {
    return instant < this.instants.freshUntil
  }

  /**
   * Whether it may be served stale until the given instant. An outdated one only as a last resort, if the route allows stale-if-error, and
   * not after a hard purge.
   */
  mayBeStale(now: number, until: number, isLastResort: boolean): boolean {
    if (now >= until) return false
    if (!this.isOutdated) return true
    const { freshUntil, staleUntil } = this.instants
    return isLastResort && staleUntil > freshUntil && !this.isDerived && this.dependencies?.purgeVerdict() !== 'hard'
  }

  /** Whether it may be served stale while it is refreshed in the background. */
  mayRefreshInBackground(now: number): boolean {
    return !this.#isRefused && this.mayBeStale(now, this.instants.revalidateUntil, false)
  }

  /** Call it when the handler answers a refresh with a client error: later requests are to get that. */
  endBackgroundRefresh(): void {
    this.#isRefused = true
  }

  /** Whether it is the variant for a request with these field values. */
  matches(variantOf: (name: string) => string): boolean {
    const { varyNames, varyValues } = this
    for (let at = 0; at < varyNames.length; at++) {
      if (variantOf(varyNames[at] ?? '') !== varyValues[at]) return false
    }
    return true
  }

  /** Whole seconds of age. RFC 9111 §4.2.3. */
  ageAt(now: number): number {
    return Math.max(0, Math.floor((now - this.bornAt) / 1_000))
  }

  /** Whole seconds of remaining freshness; negative if it is stale. */
  ttlAt(now: number): number {
    return this.lifetimeSeconds - this.ageAt(now)
  }

  /** The bytes in the coding; `undefined` while they are being computed, which the first call begins. */
  coded(coding: Coding, onReady: () => void): Buffer | undefined {
    const coded = this.#encoded.get(coding)
    if (coded === 'pending') return undefined
    if (coded !== undefined) return coded
    this.#encoded.set(coding, 'pending')
    encode(coding, this.body).then(
      (bytes) => {
        this.#encoded.set(coding, bytes.length < this.body.length ? bytes : this.body)
        onReady()
      },
      () => undefined, // then it is sent unencoded
    )
    return undefined
  }

  /** A head of the given kind, cached for the second in which age and lifetime do not change. */
  head(kind: string, now: number, create: () => Head, onGrown: () => void): Head {
    const second = this.ageAt(now)
    const known = this.#heads.get(kind)
    if (known !== undefined && known.second === second) return known.head
    const head = create()
    this.#heads.set(kind, { second, head })
    if (known === undefined) onGrown()
    return head
  }
}

/** Fields of a response that are stored and forwarded. */
export function endToEndFields(fields: Fields): Record<string, FieldLines> {
  const isHopByHop = hopByHopFilter(fields.connection)
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !isHopByHop(name)))
}

/**
 * Fields that a 304 does not change in the stored response: those of one message or one coding (RFC 9111 §3.2), cookies of one client,
 * and the entity-tag, which some servers send without its weakness in a 304.
 */
const unchangedBy304 = new Set(['content-length', 'content-encoding', 'content-range', 'etag', 'set-cookie'])

/** The stored fields, updated by those of a 304, from which the age counts. RFC 9111 §4.3.4, §4.2.3. */
export function updatedFields({ age: _age, date: _date, ...stored }: Fields, newFields: Fields): Fields {
  const updates = Object.entries(endToEndFields(newFields)).filter(([name]) => !unchangedBy304.has(name))
  return { ...stored, ...Object.fromEntries(updates) }
}
