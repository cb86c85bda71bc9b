import { LRUCache } from 'lru-cache'
import type { Begun } from '../purge/purge-log.js'

interface Memo {
  readonly error: unknown
  readonly failures: number
  readonly until: number
  readonly load: Begun
}

/** Failures of a key in a row before the next one is remembered. */
const forgiven = 1
const firstMs = 125
const longestMs = 1_000
const maxKeys = 10_000

/**
 * The failure of a load that there is nothing to serve instead of, told for a moment to those who come after it, so that they do
 * not queue up behind an upstream that fails slowly: not after the first failure, then 125 ms, doubling up to a second.
 * A purge of what the load was to bring ends it: there may be something else to be had.
 */
export class ErrorMemos {
  readonly #memos = new LRUCache<string, Memo>({ max: maxKeys })
  readonly #isPurged: (load: Begun) => boolean

  constructor(isPurged: (load: Begun) => boolean) {
    this.#isPurged = isPurged
  }

  failed(key: string, error: unknown, load: Begun, now: number): void {
    const failures = (this.#valid(key)?.failures ?? 0) + 1
    const lengthMs = failures <= forgiven ? 0 : Math.min(firstMs * 2 ** (failures - forgiven - 1), longestMs)
    this.#memos.set(key, { error, failures, until: now + lengthMs, load })
  }

  clear(key: string): void {
    this.#memos.delete(key)
  }

  /** The failure to answer with instead of loading, if there is one. */
  of(key: string, now: number): { readonly error: unknown } | undefined {
    const memo = this.#valid(key)
    return memo !== undefined && now < memo.until ? memo : undefined
  }

  #valid(key: string): Memo | undefined {
    const memo = this.#memos.get(key)
    return memo === undefined || this.#isPurged(memo.load) ? undefined : memo
  }
}
