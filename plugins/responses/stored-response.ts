import type { Dependencies } from '../cache/index.js'
import { type Coding, encode, isCompressible } from '../http/encoding.js'
import { type FieldLines, type Fields, isHopByHop, singleValue } from '../http/fields.js'
import type { Instants } from '../http/freshness.js'
import { formatHttpDate, parseHttpDate } from '../http/http-date.js'
import type { Head } from './head.js'

/** A response as it is kept: everything that answering with it needs, decided once. RFC 9111 §3. */
export interface StoredResponseFields {
  readonly status: number
  /** As they are sent on, without those of the connection. */
  readonly fields: Fields
  readonly body: Buffer
  /** Milliseconds since the epoch, on our clock, at which its age was 0. */
  readonly bornAt: number
  readonly receivedAt: number
  readonly instants: Instants
  /** Request fields that it varies by, in order, and the values of the request that it answers. */
  readonly varyNames: readonly string[]
  readonly varyValues: readonly string[]
  /** Seconds that a browser may keep it, where the lifetime is ours to tell: the handler said nothing. */
  readonly browserTtlSeconds: number | undefined
  readonly compresses: boolean
  /** Whether anybody may allow to serve it stale. */
  readonly allowsStale: boolean
  /** Whether the handler can be asked for changes by a validator that it has given itself. */
  readonly hasOwnValidator: boolean
  /** Whether it was made from entries of the cache, which knows better when those may be stale. */
  readonly isDerived: boolean
  readonly tags: readonly string[]
  /** What of the cache it was made from; `undefined` where there is no cache. */
  readonly dependencies: Dependencies | undefined
}

/** Bytes that the bookkeeping of a response takes, more or less. */
const overheadBytes = 2_048

export class StoredResponse implements StoredResponseFields {
  readonly status: number
  readonly fields: Fields
  readonly body: Buffer
  readonly bornAt: number
  readonly receivedAt: number
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
  /** Milliseconds: when it was last changed, or else made. */
  readonly modifiedAt: number
  /** Milliseconds: when its origin made it, as it says. */
  readonly originDate: number
  readonly lifetimeSeconds: number
  readonly isCompressible: boolean
  readonly #encoded = new Map<Coding, Buffer | 'under way'>()
  readonly #heads = new Map<string, { readonly second: number; readonly head: Head }>()

  constructor(parts: StoredResponseFields) {
    this.status = parts.status
    this.body = parts.body
    this.bornAt = parts.bornAt
    this.receivedAt = parts.receivedAt
    this.instants = parts.instants
    this.varyNames = parts.varyNames
    this.varyValues = parts.varyValues
    this.browserTtlSeconds = parts.browserTtlSeconds
    this.compresses = parts.compresses
    this.allowsStale = parts.allowsStale
    this.hasOwnValidator = parts.hasOwnValidator
    this.isDerived = parts.isDerived
    this.tags = parts.tags
    this.dependencies = parts.dependencies
    this.fields = { ...parts.fields, date: parts.fields.date ?? formatHttpDate(parts.receivedAt) }
    this.etag = singleValue(parts.fields.etag)
    const date = (name: string) => parseHttpDate(singleValue(this.fields[name]), parts.receivedAt)
    this.originDate = date('date') ?? parts.receivedAt
    this.modifiedAt = date('last-modified') ?? this.originDate
    this.lifetimeSeconds = Math.floor((parts.instants.freshUntil - parts.bornAt) / 1_000)
    this.isCompressible = parts.compresses && isCompressible(parts.status, parts.fields, parts.body)
  }

  /** Bytes it takes in memory, codings included. */
  get bytes(): number {
    let bytes = overheadBytes + this.body.length
    for (const encoded of this.#encoded.values()) bytes += typeof encoded === 'string' ? 0 : encoded.length
    for (const value of this.varyValues) bytes += 2 * value.length
    for (const [name, lines] of Object.entries(this.fields)) bytes += 2 * (name.length + String(lines).length)
    return bytes
  }

  /** Whether something that it was made from has gone or changed: a purge, another value. */
  get isOutdated(): boolean {
    return this.dependencies !== undefined && !this.dependencies.isCurrent()
  }

  /** Whether it is fresh, and everything that it was made from still is what it was. */
  isFresh(now: number): boolean {
    return now < this.instants.freshUntil && !this.isOutdated
  }

  /**
   * Whether it may be served stale until the given instant. Where it is outdated, only as what is left when nothing else is
   * to be had, if the route allows that at all, and not after a hard purge.
   */
  mayBeStale(now: number, until: number, isLastResort: boolean): boolean {
    if (now >= until) return false
    if (!this.isOutdated) return true
    const { freshUntil, staleUntil } = this.instants
    return isLastResort && staleUntil > freshUntil && !this.isDerived && this.dependencies?.purgeVerdict() !== 'hard'
  }

  /** Whether it was made for a request whose fields have these values. */
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

  /** Whole seconds that it stays fresh; negative when it is stale. */
  ttlAt(now: number): number {
    return this.lifetimeSeconds - this.ageAt(now)
  }

  /** The bytes in the coding; `undefined` until they are there, which the first question sees to. */
  coded(coding: Coding, onReady: () => void): Buffer | undefined {
    const coded = this.#encoded.get(coding)
    if (coded === 'under way') return undefined
    if (coded !== undefined) return coded
    this.#encoded.set(coding, 'under way')
    encode(coding, this.body).then(
      (bytes) => {
        this.#encoded.set(coding, bytes.length < this.body.length ? bytes : this.body)
        onReady()
      },
      () => undefined, // sent as it is, then
    )
    return undefined
  }

  /** A head of the given kind, made once a second: age and lifetime do not change more often. */
  head(kind: string, now: number, make: () => Head): Head {
    const second = this.ageAt(now)
    const known = this.#heads.get(kind)
    if (known !== undefined && known.second === second) return known.head
    const head = make()
    this.#heads.set(kind, { second, head })
    return head
  }
}

/** Fields of a response that are kept and sent on. */
export function endToEndFields(fields: Fields): Record<string, FieldLines> {
  const { connection } = fields
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !isHopByHop(name, connection)))
}

/**
 * Fields that a 304 does not change in the stored response: those of one message or of one coding (RFC 9111 §3.2), the cookies of
 * one client, and the entity-tag, of which some servers leave out in a 304 that it is weak.
 */
const unchangedBy304 = new Set(['content-length', 'content-encoding', 'content-range', 'etag', 'set-cookie'])

/** The stored fields, brought up to date by those of a 304, from which age is counted anew. RFC 9111 §4.3.4, §4.2.3. */
export function updatedFields({ age: _age, date: _date, ...stored }: Fields, news: Fields): Fields {
  const updates = Object.entries(endToEndFields(news)).filter(([name]) => !unchangedBy304.has(name))
  return { ...stored, ...Object.fromEntries(updates) }
}
