/** Tells a read or a load whether its key has changed since the watch started. */
export interface ChangeWatch {
  /** False once the key has changed, or may have changed unnoticed. */
  isCurrent: boolean
  /** Whether a change of the key was reported. */
  hasChanged: boolean
  /** Neighbours in the list of the same key. */
  next: ChangeWatch | undefined
  previous: ChangeWatch | undefined
}

/** Watches by key, as linked lists: many callers may watch one key, and each must stop in constant time. */
export class ChangeWatches {
  readonly #first = new Map<string, ChangeWatch>()

  /** Starts a watch; every watch must be stopped. */
  start(key: string): ChangeWatch {
    const next = this.#first.get(key)
    const watch: ChangeWatch = { isCurrent: true, hasChanged: false, next, previous: undefined }
    if (next !== undefined) next.previous = watch
    this.#first.set(key, watch)
    return watch
  }

  /** Must be called once for each watch. */
  stop(key: string, { next, previous }: ChangeWatch): void {
    if (next !== undefined) next.previous = previous
    if (previous !== undefined) previous.next = next
    else if (next !== undefined) this.#first.set(key, next)
    else this.#first.delete(key)
  }

  changed(key: string): void {
    markChanged(this.#first.get(key))
  }

  allChanged(): void {
    for (const first of this.#first.values()) markChanged(first)
  }

  /** Changes may have been missed. */
  allMayHaveChanged(): void {
    for (const first of this.#first.values()) {
      for (let watch: ChangeWatch | undefined = first; watch !== undefined; watch = watch.next) watch.isCurrent = false
    }
  }
}

function markChanged(first: ChangeWatch | undefined): void {
  for (let watch = first; watch !== undefined; watch = watch.next) {
    watch.isCurrent = false
    watch.hasChanged = true
  }
}
