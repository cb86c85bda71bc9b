import type { ChangeWatch } from '../memory/change-watches.js'
import type { Reading, ReadRequest } from '../reading.js'
import type { LookupHit } from '../tiers/tier-lookup.js'
import type { Lease } from './leases.js'
import type { LoaderContext } from './loader.js'

interface InFlightLoadOptions {
  /** Of the caller that started the load. */
  readonly request: ReadRequest
  /** The value that the load replaces. */
  readonly stale: LookupHit | undefined
  /** Of the policy. */
  readonly tags: readonly string[]
  readonly watch: ChangeWatch
}

/** The load of one key in flight in this process. */
export class InFlightLoad {
  readonly request: ReadRequest
  readonly stale: LookupHit | undefined
  readonly watch: ChangeWatch
  promise: Promise<Reading<unknown> | undefined> | undefined
  /** Of the start of the loader; `undefined` while the load waits for its lease. */
  stamp: number | undefined
  /** The `Coherence` version when the loader started. */
  version: number | undefined
  context: LoaderContext | undefined
  lease: Lease | undefined
  /** Whether the key was set, deleted or purged meanwhile: the result is not stored. */
  isInvalidated = false
  readonly #policyTags: readonly string[]

  constructor({ request, stale, tags, watch }: InFlightLoadOptions) {
    this.request = request
    this.stale = stale
    this.watch = watch
    this.#policyTags = tags
  }

  /** As far as they are known: the loader may add some until it ends. */
  get tags(): readonly string[] {
    return this.context?.tags ?? this.#policyTags
  }
}
