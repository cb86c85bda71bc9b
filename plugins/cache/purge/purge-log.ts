/** How far the shared store's purge log has been read. */
export interface PurgeLogPosition {
  /** Changes when the store has lost the log and started a new one. */
  readonly name: string
  readonly upTo: number
}

/** Stamps by member: of the purges after a position, or of all when the log is another one. */
export interface PurgeLogRead {
  readonly stamps: ReadonlyMap<string, number>
  readonly isComplete: boolean
  readonly position: PurgeLogPosition
}

/** Whether an entry is purged: `soft`, it may be served only when its load fails; `hard`, it must not be served. */
export type PurgeVerdict = 'none' | 'soft' | 'hard'

/** Start of a load, and the tags of its result: decides whether a purge covers it. */
export interface LoadStart {
  readonly stamp: number
  readonly tags: readonly string[]
}

/** In place of a tag: all entries. */
export const allEntries = '*'

/** Name of a purge in the log: `.tag` for a soft purge, `!tag` for a hard one. */
export function purgeMember(tag: string, isHard: boolean): string {
  return isHard ? `!${tag}` : `.${tag}`
}

/** Limit on members; beyond it the oldest purges are merged into a purge of all older entries. */
export const maxPurges = 50_000

/**
 * When each tag was last purged. An entry is purged when its load started before the stamp of one of its tags: a purge
 * costs the same however many entries it covers, and covers loads that end after it.
 */
export class PurgeLog {
  /** By member, roughly in the order of the purges. */
  readonly #stamps = new Map<string, number>()

  get size(): number {
    return this.#stamps.size
  }

  /** Returns whether any purge was new, or newer than the one of the same member. */
  record(stamps: Iterable<readonly [member: string, stamp: number]>): boolean {
    let isNew = false
    for (const [member, stamp] of stamps) {
      if (stamp <= (this.#stamps.get(member) ?? 0)) continue
      this.#stamps.delete(member)
      this.#stamps.set(member, stamp)
      isNew = true
    }
    if (isNew) this.#mergeOldest()
    return isNew
  }

  clear(): void {
    this.#stamps.clear()
  }

  verdict(stamp: number, tags: readonly string[]): PurgeVerdict {
    if (this.#stamps.size === 0) return 'none'
    if (this.#covers(allEntries, true, stamp) || tags.some((tag) => this.#covers(tag, true, stamp))) return 'hard'
    if (this.#covers(allEntries, false, stamp) || tags.some((tag) => this.#covers(tag, false, stamp))) return 'soft'
    return 'none'
  }

  /** The purges that `other` lacks, or has with an earlier stamp. */
  missingFrom(other: ReadonlyMap<string, number>): Map<string, number> {
    return new Map([...this.#stamps].filter(([member, stamp]) => (other.get(member) ?? 0) < stamp))
  }

  #covers(tag: string, isHard: boolean, stamp: number): boolean {
    return (this.#stamps.get(purgeMember(tag, isHard)) ?? 0) >= stamp
  }

  #mergeOldest(): void {
    for (const [member, stamp] of this.#stamps) {
      if (this.#stamps.size <= maxPurges) return
      const floor = purgeMember(allEntries, member.startsWith('!'))
      if (member === floor) continue
      this.#stamps.delete(member)
      if (stamp > (this.#stamps.get(floor) ?? 0)) this.#stamps.set(floor, stamp)
    }
  }
}
