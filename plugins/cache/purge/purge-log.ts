/**
 * How far the shared store's log of purges has been read: which log, for it may be lost and begun anew, and up to
 * which stamp.
 */
export interface PurgesPosition {
  readonly name: string
  readonly upTo: number
}

/** Purges as the shared store has them, by member: those after some position, or all, because it has another log by now. */
export interface PurgesRead {
  readonly stamps: ReadonlyMap<string, number>
  readonly isWhole: boolean
  readonly position: PurgesPosition
}

/** What purges say of an entry: nothing, that it is good only for when its load fails, or that it is gone. */
export type PurgeVerdict = 'none' | 'soft' | 'hard'

/** What a purge is held against: when a load began, and the tags of what it was to bring. */
export interface Begun {
  readonly stamp: number
  readonly tags: readonly string[]
}

/** Stands for every entry there is. */
export const everything = '*'

/** Name of a purge in the log: `tag` for a soft one, `!tag` for a hard one. */
export function purgeMember(tag: string, isHard: boolean): string {
  return isHard ? `!${tag}` : `.${tag}`
}

/** Tags that are remembered at most; beyond, the oldest purges become one of everything that is older. */
export const maxPurges = 50_000

/**
 * When each tag was last purged. An entry whose load began before the stamp of one of its tags is purged; so a purge costs the
 * same whatever it hits, and also hits what is written only after it.
 */
export class PurgeLog {
  /** Stamps by member, in the order of the purges, more or less. */
  readonly #stamps = new Map<string, number>()

  /** How many purges are remembered. */
  get size(): number {
    return this.#stamps.size
  }

  /** Notes purges; whether any was news. An earlier stamp than the one that is known is none. */
  note(stamps: Iterable<readonly [member: string, stamp: number]>): boolean {
    let isNews = false
    for (const [member, stamp] of stamps) {
      if (stamp <= (this.#stamps.get(member) ?? 0)) continue
      this.#stamps.delete(member)
      this.#stamps.set(member, stamp)
      isNews = true
    }
    if (isNews) this.#forgetOldest()
    return isNews
  }

  /** Forgets everything, because the clock that the stamps were made with was wrong; they have to be read again. */
  clear(): void {
    this.#stamps.clear()
  }

  /** What the purges so far say of an entry with this stamp and these tags. */
  verdict(stamp: number, tags: readonly string[]): PurgeVerdict {
    if (this.#stamps.size === 0) return 'none'
    if (this.#covers(everything, true, stamp) || tags.some((tag) => this.#covers(tag, true, stamp))) return 'hard'
    if (this.#covers(everything, false, stamp) || tags.some((tag) => this.#covers(tag, false, stamp))) return 'soft'
    return 'none'
  }

  /** What we know and `theirs` does not have, or only an earlier stamp of. */
  missingFrom(theirs: ReadonlyMap<string, number>): Map<string, number> {
    return new Map([...this.#stamps].filter(([member, stamp]) => (theirs.get(member) ?? 0) < stamp))
  }

  #covers(tag: string, isHard: boolean, stamp: number): boolean {
    return (this.#stamps.get(purgeMember(tag, isHard)) ?? 0) >= stamp
  }

  #forgetOldest(): void {
    for (const [member, stamp] of this.#stamps) {
      if (this.#stamps.size <= maxPurges) return
      const floor = purgeMember(everything, member.startsWith('!'))
      if (member === floor) continue
      this.#stamps.delete(member)
      if (stamp > (this.#stamps.get(floor) ?? 0)) this.#stamps.set(floor, stamp)
    }
  }
}
