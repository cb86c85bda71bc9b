import { type Entry, parseFrozen, type Tombstone } from '../entry/codec.js'
import type { PurgeLogPosition, PurgeLogRead } from '../purge/purge-log.js'
import type { FoundEntry, LeaseAnswer, WriteOutcome } from '../store.js'

interface StoredEntry {
  readonly entry: Entry
  readonly text: string
}

/** How long `acquireLease` answers `released` after a load that stored nothing. */
const releasedMs = 1_000

/**
 * The entries, purges and leases of a test store, with the semantics of `Store`, without faults or notifications.
 *
 * Entries do not expire: the cache decides on its own clock whether to use one. Leases expire in real time, as the
 * cache renews them in real time.
 */
export class Contents {
  readonly #now: () => number
  readonly #leaseMs: number
  readonly #entries = new Map<string, StoredEntry | Tombstone>()
  readonly #leases = new Map<string, { readonly token: string | undefined; readonly until: number }>()
  readonly #purges = new Map<string, number>()
  /** Changes when the purge log is lost or purges are restored. */
  #logVersion = 0

  constructor({ now, leaseMs }: { readonly now: () => number; readonly leaseMs: number }) {
    this.#now = now
    this.#leaseMs = leaseMs
  }

  get(key: string): FoundEntry | Tombstone | undefined {
    const stored = this.#entries.get(key)
    if (stored === undefined || !isEntry(stored)) return stored
    return { entry: { ...stored.entry, value: parseFrozen(stored.text) }, bytes: Buffer.byteLength(stored.text) }
  }

  stampOf(key: string): number | undefined {
    const { stamp, purgedAt } = this.#stampsOf(key)
    return purgedAt < stamp ? stamp : undefined
  }

  set(key: string, entry: Entry, text: string): WriteOutcome {
    const stored = this.#entries.get(key)
    const { stamp, purgedAt } = this.#stampsOf(key)
    if (stamp > entry.stamp) return 'newer'
    if (purgedAt >= entry.stamp) return 'purged'
    const isOtherSchema = stored !== undefined && isEntry(stored) && stored.entry.fingerprint !== entry.fingerprint
    if (isOtherSchema && stored.entry.freshUntil > this.#now() && purgedAt < stamp) return 'other-schema'
    this.#entries.set(key, { entry, text })
    return 'stored'
  }

  purgeKey(key: string, { stamp, isHard }: { readonly stamp: number; readonly isHard: boolean }): boolean {
    const stored = this.#entries.get(key)
    const previous = this.#stampsOf(key)
    if (previous.stamp > stamp || (previous.purgedAt > stamp && !isHard)) return false
    const purgedAt = Math.max(stamp, previous.purgedAt)
    const hadEntry = stored !== undefined && isEntry(stored)
    if (hadEntry && !isHard) {
      this.#entries.set(key, { ...stored, entry: { ...stored.entry, purgedAt } })
      return true
    }
    const wasHard = stored !== undefined && !isEntry(stored) && stored.isHard
    this.#entries.set(key, { purgedAt, isHard: isHard || wasHard })
    return hadEntry
  }

  readPurges(after: PurgeLogPosition | undefined): PurgeLogRead {
    const name = String(this.#logVersion)
    const isComplete = after?.name !== name
    const stamps = new Map([...this.#purges].filter(([, stamp]) => isComplete || stamp > after.upTo))
    return { stamps, isComplete, position: { name, upTo: this.#latestPurge() } }
  }

  addPurges(members: readonly string[], stamp: number): number {
    const assigned = Math.max(stamp, this.#latestPurge() + 1)
    for (const member of members) this.#purges.set(member, assigned)
    return assigned
  }

  restorePurges(purges: ReadonlyMap<string, number>): void {
    for (const [member, stamp] of purges) {
      if (stamp <= (this.#purges.get(member) ?? 0)) continue
      this.#purges.set(member, stamp)
      this.#logVersion += 1
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

  releaseLease(key: string, token: string, how: 'stored' | 'empty'): void {
    if (this.#leaseOf(key)?.token !== token) return
    if (how === 'stored') this.#leases.delete(key)
    else this.#leases.set(key, { token: undefined, until: performance.now() + releasedMs })
  }

  clear(): void {
    this.#entries.clear()
    this.#leases.clear()
    this.#purges.clear()
    this.#logVersion += 1
  }

  #stampsOf(key: string): { readonly stamp: number; readonly purgedAt: number } {
    const stored = this.#entries.get(key)
    if (stored === undefined) return { stamp: 0, purgedAt: 0 }
    return isEntry(stored) ? stored.entry : { stamp: 0, purgedAt: stored.purgedAt }
  }

  #leaseOf(key: string) {
    const lease = this.#leases.get(key)
    return lease !== undefined && performance.now() < lease.until ? lease : undefined
  }

  #latestPurge(): number {
    return Math.max(0, ...this.#purges.values())
  }
}

function isEntry(stored: StoredEntry | Tombstone): stored is StoredEntry {
  return 'text' in stored
}
