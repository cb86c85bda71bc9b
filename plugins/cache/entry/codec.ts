/** How long a value may be used, counted from the start of its load. */
export interface Lifetime {
  readonly ttlSeconds: number
  /** Seconds after freshness in which the stale value is served while one refresh runs behind. RFC 5861 §3. */
  readonly staleWhileRevalidateSeconds: number
  /** Seconds after freshness in which the stale value is served when the refresh fails. RFC 5861 §4. */
  readonly staleIfErrorSeconds: number
  /** Absolute milliseconds at which freshness ends even if `ttlSeconds` says later. */
  readonly freshUntil?: number
}

/** The three instants of an entry, in milliseconds since the epoch on this process's clock. */
export interface Instants {
  readonly freshUntil: number
  /** Until then a stale value is served at once while one refresh runs behind. */
  readonly revalidateUntil: number
  /** Until then a stale value is served when its refresh fails; after that the entry is of no use. */
  readonly staleUntil: number
}

/** What a store keeps for one key. */
export interface Entry extends Instants {
  readonly value: unknown
  /** When the load of the value began: a stamp of `CacheClock`, which also tells this entry from every other. */
  readonly stamp: number
  readonly tags: readonly string[]
  /** Fingerprint of the schema that the value matched when it was kept; empty without a schema. */
  readonly fingerprint: string
  /** Milliseconds that the load took. */
  readonly loadMs: number
  /** Stamp of a purge of this very key that left the entry for stale-if-error; 0 when there was none. */
  readonly purgedAt: number
}

/** What a purge leaves under a key for a while, so that a write from before it does not bring the value back. */
export interface Tombstone {
  readonly purgedAt: number
  /** Whether a copy in memory may not even be served when a load fails. */
  readonly isHard: boolean
}

export type Defect = 'not-json' | 'unknown-format' | 'malformed'

/** The three instants of a value whose load began at `startedAt`. */
export function resolveInstants(lifetime: Lifetime, startedAt: number): Instants {
  const freshUntil = Math.min(startedAt + lifetime.ttlSeconds * 1_000, lifetime.freshUntil ?? Number.POSITIVE_INFINITY)
  const revalidateUntil = freshUntil + lifetime.staleWhileRevalidateSeconds * 1_000
  const staleUntil = Math.max(revalidateUntil, freshUntil + lifetime.staleIfErrorSeconds * 1_000)
  return { freshUntil, revalidateUntil, staleUntil }
}

/** Number of the layout that `encodeEntry` writes; a reader that does not know it treats the entry as absent. */
const format = 2

/**
 * The first bytes of what lies in Redis have a fixed width, so that scripts read them without decoding the value: stamp
 * `t`, purge stamp `p`, `u`ntil when it is fresh, fingerprint `s`. Positions are counted from 1 as Lua does, both ends
 * inclusive.
 */
export const headLayout = {
  start: `{"f":${format},"t":"`,
  stamp: [13, 28],
  purgedAt: [36, 51],
  freshUntil: [59, 74],
  fingerprint: [82, 93],
  length: 94,
} as const

/** Digits of a stamp, or of an instant in microseconds: enough until the year 2286. */
export const stampDigits = 16
const noFingerprint = '-'.repeat(12)

/** Text of a stamp as it stands in the head. */
export function formatStamp(stamp: number): string {
  return String(Math.max(0, Math.round(stamp))).padStart(stampDigits, '0')
}

/** Text of a fingerprint as it stands in the head. */
export function formatFingerprint(fingerprint: string): string {
  return fingerprint === '' ? noFingerprint : fingerprint
}

function formatHead(stamp: number, purgedAt: number, freshUntilMs: number, fingerprint: string): string {
  const until = formatStamp(Math.ceil(freshUntilMs) * 1_000)
  return `${headLayout.start}${formatStamp(stamp)}","p":"${formatStamp(purgedAt)}","u":"${until}","s":"${formatFingerprint(fingerprint)}"`
}

/**
 * The text kept in Redis, its instants on Redis' clock. `body` is the value's JSON, made once by `normaliseValue`, or what
 * compression made of it.
 */
export function encodeEntry(entry: Entry, body: string | { readonly gzip: string }, offsetMs: number): string {
  const { stamp, purgedAt, freshUntil, revalidateUntil, staleUntil, tags, fingerprint, loadMs } = entry
  const head = formatHead(stamp, purgedAt, freshUntil + offsetMs, fingerprint)
  const rest = JSON.stringify({
    e: [freshUntil, revalidateUntil, staleUntil].map((instant) => Math.round(instant + offsetMs)),
    m: Math.round(loadMs),
    g: tags,
  })
  const value = typeof body === 'string' ? `"v":${body}` : `"z":"${body.gzip}"`
  return `${head},${rest.slice(1, -1)},${value}}`
}

/** The text of a tombstone. */
export function encodeTombstone({ purgedAt, isHard }: Tombstone): string {
  return `${formatHead(0, purgedAt, 0, '')},"h":${isHard ? 1 : 0}}`
}

/** An entry whose value is still compressed: base64 of gzip. */
export interface PackedEntry extends Omit<Entry, 'value'> {
  readonly packed: string
}

/** Reads what `encodeEntry` wrote, or says what is wrong with it; never throws, whatever the text holds. */
export function decodeEntry(text: string, offsetMs: number): Entry | PackedEntry | Tombstone | Defect {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return 'not-json'
  }
  if (typeof parsed !== 'object' || parsed === null || !('f' in parsed) || parsed.f !== format) return 'unknown-format'
  if (!('t' in parsed && 'p' in parsed && 's' in parsed)) return 'malformed'
  const { t, p, s } = parsed
  const stamp = parseStamp(t)
  const purgedAt = parseStamp(p)
  if (stamp === undefined || purgedAt === undefined || typeof s !== 'string') return 'malformed'
  if (!('e' in parsed)) return stamp === 0 ? { purgedAt, isHard: 'h' in parsed && parsed.h === 1 } : 'malformed'
  if (!('m' in parsed && 'g' in parsed)) return 'malformed'
  const { e: instants, m: loadMs, g: tags } = parsed
  if (!Array.isArray(instants) || !isInstant(loadMs)) return 'malformed'
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) return 'malformed'
  const [freshUntil, revalidateUntil, staleUntil] = instants
  if (!isInstant(freshUntil) || !isInstant(revalidateUntil) || !isInstant(staleUntil)) return 'malformed'
  const about = {
    stamp,
    purgedAt,
    freshUntil: freshUntil - offsetMs,
    revalidateUntil: revalidateUntil - offsetMs,
    staleUntil: staleUntil - offsetMs,
    tags,
    fingerprint: s === noFingerprint ? '' : s,
    loadMs,
  }
  if ('v' in parsed) {
    try {
      return { value: deepFreeze(parsed.v), ...about }
    } catch {
      return 'malformed' // nested too deep to be walked through
    }
  }
  return 'z' in parsed && typeof parsed.z === 'string' ? { packed: parsed.z, ...about } : 'malformed'
}

/**
 * The value as every later reader will see it, frozen, and its JSON text; `undefined` when JSON cannot hold it. Both
 * tiers keep the same thing, so that a `Date` is not a `Date` until the first restart.
 */
export function normaliseValue(value: unknown): { value: unknown; text: string } | undefined {
  try {
    const text: string | undefined = JSON.stringify(value) // no text for a function or `undefined`, whatever the types say
    return text === undefined ? undefined : { value: parseFrozen(text), text }
  } catch {
    return undefined // a cycle, a BigInt, or nested too deep to be walked through
  }
}

/** Parses JSON into a value that nobody can alter. */
export function parseFrozen(text: string): unknown {
  return deepFreeze(JSON.parse(text))
}

function parseStamp(text: unknown): number | undefined {
  if (typeof text !== 'string' || text.length !== stampDigits) return undefined
  const stamp = Number(text)
  return Number.isSafeInteger(stamp) && stamp >= 0 ? stamp : undefined
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** Freezes a JSON value all the way down, in place; one caller cannot alter what the next one gets. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (const part of value) if (typeof part === 'object') deepFreeze(part)
  } else {
    const members = value as Record<string, unknown> // what JSON.parse makes has no other members than its own
    for (const name in members) if (typeof members[name] === 'object') deepFreeze(members[name])
  }
  return Object.freeze(value)
}
