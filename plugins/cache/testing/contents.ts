import { type Entry, parseFrozen, type Tombstone } from '../entry/codec.js'
import type { PurgeLogPosition, PurgeLogRead } from '../purge/purge-log.js'
import type { FoundEntry, LeaseAnswer, WriteOutcome } from '../store.js'

interface Kept {
  readonly entry: Entry
  readonly text: string
}

/** How long those who come after a load that gave nothing do not wait for one another. */
const passingMs = 1_000

/**
 * What lies in a test store, and the rules of `Store` about it; knows of no faults and tells nobody.
 *
 * Nothing expires but leases, and these in real time: the cache renews them so. Whether an entry is of use is the cache's business,
 * on whatever clock that has.
 */
export class Contents {
  readonly #now: () => number
  readonly #leaseMs: number
  readonly #entries = new Map<string, Kept | Tombstone>()
  readonly #leases = new Map<string, { readonly token: string | undefined; readonly until: number }>()
  readonly #purges = new Map<string, number>()
  /** Times that the log of purges was begun anew, or had something put back. */
  #logs = 0

  constructor({ now, leaseMs }: { readonly now: () => number; readonly leaseMs: number }) {
    this.#now = now
    this.#leaseMs = leaseMs
  }

  get(key: string): FoundEntry | Tombstone | undefined {
    const lying = this.#entries.get(key)
    if (lying === undefined || !isKept(lying)) return lying
    return { entry: { ...lying.entry, value: parseFrozen(lying.text) }, bytes: Buffer.byteLength(lying.text) }
  }

  stampOf(key: string): number | undefined {
    const { stamp, purgedAt } = this.#stampsOf(key)
    return purgedAt < stamp ? stamp : undefined
  }

  set(key: string, entry: Entry, text: string): WriteOutcome {
    const lying = this.#entries.get(key)
    const { stamp, purgedAt } = this.#stampsOf(key)
    if (stamp > entry.stamp) return 'newer'
    if (purgedAt >= entry.stamp) return 'purged'
    const isTheirs = lying !== undefined && isKept(lying) && lying.entry.fingerprint !== entry.fingerprint
    if (isTheirs && lying.entry.freshUntil > this.#now() && purgedAt < stamp) return 'other-schema'
    this.#entries.set(key, { entry, text })
    return 'stored'
  }

  purgeKey(key: string, { stamp, isHard }: { readonly stamp: number; readonly isHard: boolean }): boolean {
    const lying = this.#entries.get(key)
    const before = this.#stampsOf(key)
    if (before.stamp > stamp || (before.purgedAt > stamp && !isHard)) return false
    const purgedAt = Math.max(stamp, before.purgedAt)
    const wasThere = lying !== undefined && isKept(lying)
    if (wasThere && !isHard) {
      this.#entries.set(key, { ...lying, entry: { ...lying.entry, purgedAt } })
      return true
    }
    const wasHard = lying !== undefined && !isKept(lying) && lying.isHard
    this.#entries.set(key, { purgedAt, isHard: isHard || wasHard })
    return wasThere
  }

  readPurges(after: PurgeLogPosition | undefined): PurgeLogRead {
    const name = String(this.#logs)
    const isComplete = after?.name !== name
    const stamps = new Map([...this.#purges].filter(([, stamp]) => isComplete || stamp > after.upTo))
    return { stamps, isComplete, position: { name, upTo: this.#latestPurge() } }
  }

  addPurges(members: readonly string[], stamp: number): number {
    const given = Math.max(stamp, this.#latestPurge() + 1)
    for (const member of members) this.#purges.set(member, given)
    return given
  }

  restorePurges(purges: ReadonlyMap<string, number>): void {
    for (const [member, stamp] of purges) {
      if (stamp <= (this.#purges.get(member) ?? 0)) continue
      this.#purges.set(member, stamp)
      this.#logs += 1
    }
  }

  acquireLease(key: string, token: string): LeaseAnswer {
    const lease = this.#leaseOf(key)
    if (lease !== undefined) return lease.token === undefined ? 'released' : 'held-elsewhere'
    this.#leases.set(key, { token, until: performance.now() + this.#leaseMs })
    return 'acquired'
  }

  renewLease(key: string, token: string): boolean {
    if (this.#leaseOf(key)?.token !== token) return false
    this.#leases.set(key, { token, until: performance.now() + this.#leaseMs })
    return true
  }

  endLease(key: string, token: string, how: 'stored' | 'empty'): void {
    if (this.#leaseOf(key)?.token !== token) return
    if (how === 'stored') this.#leases.delete(key)
    else this.#leases.set(key, { token: undefined, until: performance.now() + passingMs })
  }

  clear(): void {
    this.#entries.clear()
    this.#leases.clear()
    this.#purges.clear()
    this.#logs += 1
  }

  #stampsOf(key: string): { readonly stamp: number; readonly purgedAt: number } {
    const lying = this.#entries.get(key)
    if (lying === undefined) return { stamp: 0, purgedAt: 0 }
    return isKept(lying) ? lying.entry : { stamp: 0, purgedAt: lying.purgedAt }
  }

  #leaseOf(key: string) {
    const lease = this.#leases.get(key)
    return lease !== undefined && performance.now() < lease.until ? lease : undefined
  }

  #latestPurge(): number {
    return Math.max(0, ...this.#purges.values())
  }
}

function isKept(lying: Kept | Tombstone): lying is Kept {
  return 'text' in lying
}
