import type { TSchema } from '@sinclair/typebox'
import type { CacheClock } from './clock.js'
import type { SchemaCheck } from './entry/schema-check.js'
import type { Loader } from './load/loader.js'
import type { ReadReason, Tier } from './observe/cache-events.js'
import type { ReadPolicy } from './policy.js'
import type { LookupHit } from './tiers/tier-lookup.js'

/** A value and how the cache came to answer with it. */
export interface Reading<T> {
  readonly value: T
  readonly state: 'fresh' | 'stale'
  /** When the load of the value started, in milliseconds since the epoch. */
  readonly storedAt: number
  /** The tier that had the value, or `load`. */
  readonly tier: Exclude<Tier, 'none'>
  readonly reason: ReadReason
}

export function toReading(
  { entry: { value, stamp }, tier }: LookupHit,
  { state, reason }: Pick<Reading<unknown>, 'state' | 'reason'>,
  clock: CacheClock,
): Reading<unknown> {
  return { value, state, storedAt: clock.toLocalMs(stamp), tier, reason }
}

/** One call of `fetch` or `read`. */
export interface ReadRequest {
  readonly key: string
  readonly loader: Loader<unknown>
  readonly policy: ReadPolicy
  readonly check: SchemaCheck | undefined
  /** Monotonic. */
  readonly startedAt: number
}

/** A policy with a schema. An intersection with the plain policy is too deep for TypeScript 5. */
export type WithSchema<P, S extends TSchema> = Omit<P, 'schema'> & { readonly schema: S }

/** A policy without a schema: the caller asserts the type of the value. */
export type WithoutSchema<P> = Omit<P, 'schema'> & { readonly schema?: never }
