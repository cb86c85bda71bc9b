/**
 * What the data cache keeps under a key. Instants are absolute milliseconds; the value is JSON and deep-frozen.
 *
 * `storedAt` is the instant at which the load of the value began, so that an answer is never taken for newer than
 * what it saw.
 */
export interface Entry {
  readonly value: unknown
  readonly storedAt: number
  readonly freshUntil: number
  /** Until then the stale value is served at once while one refresh runs behind. RFC 5861 §3. */
  readonly revalidateUntil: number
  /** Until then the stale value is served when a refresh fails; after it the entry is of no use. RFC 5861 §4. */
  readonly staleUntil: number
  readonly tags: readonly string[]
  /** Fingerprint of the schema that the value was checked against; empty without one. */
  readonly fingerprint: string
}

/** How long a value is fresh and for how long after that it may still be served, in seconds. */
export interface Lifetime {
  readonly ttlSeconds: number
  readonly staleWhileRevalidateSeconds: number
  readonly staleIfErrorSeconds: number
  /** Absolute milliseconds at which freshness ends even if `ttlSeconds` says later. */
  readonly freshUntil?: number
}

export type Freshness = 'fresh' | 'stale' | 'expired'

/** Why a stored text is not an entry: a stranger's value, a format we do not read, or bytes that are damaged. */
export type Defect = 'not-json' | 'unknown-format' | 'malformed'

/** The three instants of a value whose load began at `storedAt`. */
export function resolveInstants(
  lifetime: Lifetime,
  storedAt: number,
): Pick<Entry, 'freshUntil' | 'revalidateUntil' | 'staleUntil'> {
  const freshUntil = Math.min(storedAt + lifetime.ttlSeconds * 1_000, lifetime.freshUntil ?? Number.POSITIVE_INFINITY)
  const revalidateUntil = freshUntil + lifetime.staleWhileRevalidateSeconds * 1_000
  const staleUntil = Math.max(revalidateUntil, freshUntil + lifetime.staleIfErrorSeconds * 1_000)
  return { freshUntil, revalidateUntil, staleUntil }
}

/** `fresh`: use it; `stale`: use it only where the policy allows; `expired`: it is gone. RFC 9111 §4.2. */
export function freshness(entry: Entry, now: number): Freshness {
  if (now < entry.freshUntil) return 'fresh'
  return now < entry.staleUntil ? 'stale' : 'expired'
}

/** Whether a stale entry may be served while its refresh runs behind, without waiting for it. RFC 5861 §3. */
export function mayServeWhileRevalidating(entry: Entry, now: number): boolean {
  return now < entry.revalidateUntil
}

/** Number of the layout that `encodeEntry` writes; a reader that does not know it treats the entry as absent. */
const format = 1

/** The text kept in Redis. `valueText` is the value's JSON, made once by `normaliseValue`. */
export function encodeEntry(entry: Entry, valueText: string): string {
  const { storedAt, freshUntil, revalidateUntil, staleUntil, tags, fingerprint } = entry
  const head = { f: format, s: fingerprint, t: storedAt, e: [freshUntil, revalidateUntil, staleUntil], g: tags }
  return `${JSON.stringify(head).slice(0, -1)},"v":${valueText}}`
}

/** Reads what `encodeEntry` wrote, or says what is wrong with it; never throws, whatever the text holds. */
export function decodeEntry(text: string): Entry | Defect {
  let head: unknown
  try {
    head = JSON.parse(text)
  } catch {
    return 'not-json'
  }
  if (typeof head !== 'object' || head === null || !('f' in head) || head.f !== format) return 'unknown-format'
  if (!('v' in head && 's' in head && 't' in head && 'e' in head && 'g' in head)) return 'malformed'
  const { v: value, s: fingerprint, t: storedAt, e: instants, g: tags } = head
  if (typeof fingerprint !== 'string' || !isInstant(storedAt)) return 'malformed'
  if (!Array.isArray(instants) || !Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) {
    return 'malformed'
  }
  const [freshUntil, revalidateUntil, staleUntil] = instants
  if (!isInstant(freshUntil) || !isInstant(revalidateUntil) || !isInstant(staleUntil)) return 'malformed'
  return { value: deepFreeze(value), storedAt, freshUntil, revalidateUntil, staleUntil, tags, fingerprint }
}

/**
 * The value as every later reader will see it, frozen, and its JSON text; `undefined` when JSON cannot hold it. Both
 * tiers keep the same thing, so that a `Date` is not a `Date` until the first restart.
 */
export function normaliseValue(value: unknown): { value: unknown; text: string } | undefined {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch {
    return undefined // a cycle or a BigInt
  }
  return text === undefined ? undefined : { value: deepFreeze(JSON.parse(text)), text }
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** Freezes a JSON value all the way down, in place; one caller cannot alter what the next one gets. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
