import type { SchemaCheck } from '../entry/schema-check.js'
import type { ChangeWatch } from '../memory/change-watches.js'
import type { Reading } from '../reading.js'
import type { Lease } from './leases.js'
import type { LoaderContext } from './loader.js'

/** The load of one key in flight in this process. */
export class InFlightLoad {
  promise: Promise<Reading<unknown> | undefined> | undefined
  /** Of the start of the loader; `undefined` while the load waits for its lease. */
  stamp: number | undefined
  /** The `Coherence` version when the loader started. */
  version: number | undefined
  context: LoaderContext | undefined
  lease: Lease | undefined
  /** Whether the key was set, deleted or purged meanwhile: the result is not stored. */
  isInvalidated = false
  readonly check: SchemaCheck | undefined
  readonly watch: ChangeWatch
  readonly #policyTags: readonly string[]

  constructor(policyTags: readonly string[], check: SchemaCheck | undefined, watch: ChangeWatch) {
    this.#policyTags = policyTags
    this.check = check
    this.watch = watch
  }

  /** As far as they are known: the loader may add some until it ends. */
  get tags(): readonly string[] {
    return this.context?.tags ?? this.#policyTags
  }
}
