import type { LeaseAnswer } from '../store.js'
import * as scripts from './scripts.js'
import type { StoreDeps } from './store-deps.js'

/** Milliseconds after a load without a result in which other processes load without waiting for one another. */
const releasedMs = 1_000

/** Leases: one key per loaded key, with the token of the holder. */
export class LeaseStore {
  readonly #deps: StoreDeps
  /** Milliseconds after which a lease that is not renewed expires. */
  readonly #leaseMs: number

  constructor(deps: StoreDeps, leaseMs: number) {
    this.#deps = deps
    this.#leaseMs = leaseMs
  }

  async acquire(key: string, token: string): Promise<LeaseAnswer> {
    const { commands, names, onCorruptKey } = this.#deps
    const name = names.lease(key)
    const answer = await commands.read(scripts.acquireLease, name, [token, String(this.#leaseMs)])
    if (answer === 'acquired-corrupt') onCorruptKey(name)
    return answer === 'held-elsewhere' || answer === 'released' ? answer : 'acquired'
  }

  async renew(key: string, token: string): Promise<boolean> {
    const { commands, names } = this.#deps
    return (await commands.write(scripts.renewLease, names.lease(key), [token, String(this.#leaseMs)])) === 1
  }

  async release(key: string, token: string, how: 'stored' | 'empty'): Promise<void> {
    const { commands, names, tracking } = this.#deps
    const markerMs = how === 'empty' ? releasedMs : 0
    await commands.write(scripts.releaseLease, names.lease(key), [token, String(markerMs)])
    tracking?.broadcast(names.wireLease(key))
  }
}
