import { everything, purgeMember } from './purge-log.js'

/** A purge of one key that the shared store has not heard of. */
export interface KeyPurge {
  readonly stamp: number
  readonly isHard: boolean
}

/** Purges that wait at most; with more, everything is purged instead. */
const maxQueued = 1_000

/** Purges that were made while the shared store was away. They die with the process. */
export class PurgeQueue {
  readonly members = new Map<string, number>()
  readonly keys = new Map<string, KeyPurge>()

  get size(): number {
    return this.members.size + this.keys.size
  }

  /** Whether these were too many, so that everything is purged instead. */
  addMembers(members: readonly string[], stamp: number): boolean {
    for (const member of members) this.members.set(member, Math.max(stamp, this.members.get(member) ?? 0))
    return this.#bound(stamp)
  }

  /** Whether this was one too many, so that everything is purged instead. */
  addKey(key: string, purge: KeyPurge): boolean {
    const before = this.keys.get(key)
    const stamp = Math.max(purge.stamp, before?.stamp ?? 0)
    this.keys.set(key, { stamp, isHard: purge.isHard || before?.isHard === true })
    return this.#bound(purge.stamp)
  }

  /** Moves all stamps: the clock that gave them was wrong. */
  shift(byMicroseconds: number): void {
    for (const [member, stamp] of this.members) this.members.set(member, stamp + byMicroseconds)
    for (const [key, { stamp, isHard }] of this.keys) this.keys.set(key, { stamp: stamp + byMicroseconds, isHard })
  }

  #bound(stamp: number): boolean {
    if (this.size <= maxQueued) return false
    const isHard = [...this.members.keys()].some((name) => name.startsWith('!'))
    const anyHard = isHard || [...this.keys.values()].some((purge) => purge.isHard)
    this.members.clear()
    this.keys.clear()
    this.members.set(purgeMember(everything, anyHard), stamp)
    return true
  }
}
