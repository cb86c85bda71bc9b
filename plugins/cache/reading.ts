import type { TSchema } from '@sinclair/typebox'
import type { CacheClock } from './clock.js'
import type { SchemaCheck } from './entry/schema-check.js'
import type { Loader } from './load/loader.js'
import type { ReadReason, Tier } from './observe/cache-events.js'
import type { ReadPolicy } from './options.js'
import type { LookUp } from './tiers.js'

/** A value with what can be said of it. */
export interface Reading<T> {
  readonly value: T
  readonly state: 'fresh' | 'stale'
  /** When the load of the value began, in milliseconds since the epoch. */
  readonly storedAt: number
  /** Which tier answered, or `load` when none did. */
  readonly tier: Exclude<Tier, 'none'>
  readonly reason: ReadReason
}

/** The reading of an entry that was found. */
export function readingOf(
  { held: { value, stamp }, tier }: LookUp,
  { state, reason }: Pick<Reading<unknown>, 'state' | 'reason'>,
  clock: CacheClock,
): Reading<unknown> {
  return { value, state, storedAt: clock.instantOf(stamp), tier, reason }
}

/** One caller's question. */
export interface ReadRequest {
  readonly key: string
  readonly loader: Loader<unknown>
  readonly policy: ReadPolicy
  readonly check: SchemaCheck | undefined
  /** When it was asked, on the monotonic clock. */
  readonly beganAt: number
}

/** A policy whose schema is known to the compiler; an intersection with the plain one is too deep for TypeScript 5. */
export type WithSchema<P, S extends TSchema> = Omit<P, 'schema'> & { readonly schema: S }

/** A policy whose value nobody checks, so that the type is the caller's word. */
export type WithoutSchema<P> = Omit<P, 'schema'> & { readonly schema?: never }
