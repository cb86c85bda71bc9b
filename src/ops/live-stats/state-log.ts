import type { StoreState } from 'fastify-vitrine/cache'

export type StateChange =
  | { readonly kind: 'store'; readonly state: StoreState }
  | { readonly kind: 'breaker'; readonly isOpen: boolean }
  | { readonly kind: 'upstream'; readonly isFailing: boolean; readonly reason: string | undefined }
  | {
      readonly kind: 'purge'
      readonly tags: readonly string[]
      readonly keys: readonly string[]
      readonly isHard: boolean
      readonly isQueued: boolean
    }

export interface LoggedChange {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly change: StateChange
}

/** The most recent changes of state, newest first. */
export class StateLog {
  readonly #changes: LoggedChange[] = []
  readonly #maxChanges: number

  constructor(maxChanges: number) {
    this.#maxChanges = maxChanges
  }

  add(at: number, change: StateChange): void {
    this.#changes.unshift({ at, change })
    if (this.#changes.length > this.#maxChanges) this.#changes.pop()
  }

  get all(): readonly LoggedChange[] {
    return this.#changes
  }
}
