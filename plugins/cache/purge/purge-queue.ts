import { allEntries, purgeMember } from './purge-log.js'

/** A purge of one key. */
export interface KeyPurge {
  readonly stamp: number
  readonly isHard: boolean
}

/** Beyond this the queue is replaced by one purge of all entries. */
const maxQueued = 1_000

/** Purges made while the shared store was unavailable. They are lost when the process ends. */
export class PurgeQueue {
  readonly members = new Map<string, number>()
  readonly keys = new Map<string, KeyPurge>()

  get size(): number {
    return this.members.size + this.keys.size
  }

  /** Returns whether the queue was full, so that it is now a purge of all entries. */
  addMembers(members: readonly string[], stamp: number): boolean {
    for (const member of members) this.members.set(member, Math.max(stamp, this.members.get(member) ?? 0))
    return this.#enforceLimit(stamp)
  }

  /** Returns whether the queue was full, so that it is now a purge of all entries. */
  addKey(key: string, purge: KeyPurge): boolean {
    const before = this.keys.get(key)
    const stamp = Math.max(purge.stamp, before?.stamp ?? 0)
    this.keys.set(key, { stamp, isHard: purge.isHard || before?.isHard === true })
    return this.#enforceLimit(purge.stamp)
  }

  adjustClock(byMicroseconds: number): void {
    for (const [member, stamp] of this.members) this.members.set(member, stamp + byMicroseconds)
    for (const [key, { stamp, isHard }] of this.keys) this.keys.set(key, { stamp: stamp + byMicroseconds, isHard })
  }

  #enforceLimit(stamp: number): boolean {
    if (this.size <= maxQueued) return false
    const hasHardTag = [...this.members.keys()].some((member) => member.startsWith('!'))
    const isHard = hasHardTag || [...this.keys.values()].some((purge) => purge.isHard)
    this.members.clear()
    this.keys.clear()
    this.members.set(purgeMember(allEntries, isHard), stamp)
    return true
  }
}
