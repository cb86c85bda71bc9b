/** Counted from the start of the load. */
export interface Lifetime {
  readonly ttlSeconds: number
  /** After freshness: the stale value is served while one refresh runs in the background. RFC 5861 §3. */
  readonly staleWhileRevalidateSeconds: number
  /** After freshness: the stale value is served when the refresh fails. RFC 5861 §4. */
  readonly staleIfErrorSeconds: number
  /** Milliseconds since the epoch at which freshness ends, even if `ttlSeconds` ends later. */
  readonly freshUntil?: number
}

/** Milliseconds since the epoch on the clock of this process. */
export interface Instants {
  readonly freshUntil: number
  /** End of stale-while-revalidate. */
  readonly revalidateUntil: number
  /** End of stale-if-error; after that the entry is not used. */
  readonly staleUntil: number
}

export interface Entry extends Instants {
  readonly value: unknown
  /** When the load of the value started: a stamp of `CacheClock`, which also identifies the entry. */
  readonly stamp: number
  readonly tags: readonly string[]
  /** Of the schema that the value matched when it was stored; empty without a schema. */
  readonly fingerprint: string
  /** Duration of the load. */
  readonly loadMs: number
  /** Stamp of a soft purge of this key; 0 when there was none. */
  readonly purgedAt: number
}

/** Left under a purged key for a while, so that writes that started before the purge are refused. */
export interface Tombstone {
  readonly purgedAt: number
  /** Whether copies in memory must not be served for stale-if-error either. */
  readonly isHard: boolean
}

export type Defect = 'not-json' | 'unknown-format' | 'malformed'

export function resolveInstants(lifetime: Lifetime, startedAt: number): Instants {
  const freshUntil = Math.min(startedAt + lifetime.ttlSeconds * 1_000, lifetime.freshUntil ?? Number.POSITIVE_INFINITY)
  const revalidateUntil = freshUntil + lifetime.staleWhileRevalidateSeconds * 1_000
  const staleUntil = Math.max(revalidateUntil, freshUntil + lifetime.staleIfErrorSeconds * 1_000)
  return { freshUntil, revalidateUntil, staleUntil }
}

/** Version of the format that `encodeEntry` writes; to a reader that does not know it the entry is missing. */
const format = 2

/**
 * An entry in Redis starts with fields of fixed width, which scripts read without decoding the value: stamp `t`, purge
 * stamp `p`, end of freshness `u`, fingerprint `s`. Positions are 1-based and inclusive, as in Lua.
 */
export const headLayout = {
  start: `{"f":${format},"t":"`,
  stamp: [13, 28],
  purgedAt: [36, 51],
  freshUntil: [59, 74],
  fingerprint: [82, 93],
  length: 94,
} as const

/** Digits of a stamp or an instant in microseconds; enough until the year 2286. */
export const stampDigits = 16
const noFingerprint = '-'.repeat(12)

/** A stamp as the head has it. */
export function formatStamp(stamp: number): string {
  return String(Math.max(0, Math.round(stamp))).padStart(stampDigits, '0')
}

/** A fingerprint as the head has it. */
export function formatFingerprint(fingerprint: string): string {
  return fingerprint === '' ? noFingerprint : fingerprint
}

function formatHead(stamp: number, purgedAt: number, freshUntilMs: number, fingerprint: string): string {
  const until = formatStamp(Math.ceil(freshUntilMs) * 1_000)
  return `${headLayout.start}${formatStamp(stamp)}","p":"${formatStamp(purgedAt)}","u":"${until}","s":"${formatFingerprint(fingerprint)}"`
}

/** The text for Redis, with instants on its clock. `body` is the JSON of the value, or its compressed form. */
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

export function encodeTombstone({ purgedAt, isHard }: Tombstone): string {
  return `${formatHead(0, purgedAt, 0, '')},"h":${isHard ? 1 : 0}}`
}

/** An entry whose value is still compressed: base64 of gzip. */
export interface PackedEntry extends Omit<Entry, 'value'> {
  readonly packed: string
}

/** Decodes an entry or a tombstone, or returns what is wrong with it. Never throws, whatever the text. */
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
  const fields = {
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
      return { value: deepFreeze(parsed.v), ...fields }
    } catch {
      return 'malformed' // nested too deeply to freeze
    }
  }
  return 'z' in parsed && typeof parsed.z === 'string' ? { packed: parsed.z, ...fields } : 'malformed'
}

/**
 * The value as JSON represents it, frozen, and its JSON; `undefined` when JSON cannot represent it. Both tiers return
 * the same value: a `Date` is a string from the first read on, not only after a restart.
 */
export function normaliseValue(value: unknown): { value: unknown; text: string } | undefined {
  try {
    const text: string | undefined = JSON.stringify(value) // undefined for functions, unlike its type
    return text === undefined ? undefined : { value: parseFrozen(text), text }
  } catch {
    return undefined // a cycle, a BigInt, or nested too deeply
  }
}

/** Parses JSON into a deep-frozen value. */
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

/** In place: callers share the value and must not change it. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (const element of value) if (typeof element === 'object') deepFreeze(element)
  } else {
    const members = value as Record<string, unknown> // JSON.parse creates plain objects
    for (const name in members) if (typeof members[name] === 'object') deepFreeze(members[name])
  }
  return Object.freeze(value)
}
