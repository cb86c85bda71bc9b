import { LRUCache } from 'lru-cache'
import { jitterOf } from '../jitter.js'
import type { Begun } from '../purge/purge-log.js'

const firstPauseMs = 500
const longestPauseMs = 5_000
/** Past the pause a failure still says how it stands with the source, but not for ever: nobody may have asked since. */
const rememberedMs = 60_000
/** Beyond this the keys whose loads failed longest ago are forgotten, and tried again sooner than they would be. */
const maxKeys = 10_000

interface Pause {
  readonly lengthMs: number
  readonly until: number
  readonly load: Begun
}

/**
 * How long a key is left alone after its refresh failed, so that a stale value is served at once instead of after one more
 * failure: 0.5 s, then twice as long each time, at most 5 s, a fifth of it jitter.
 * A purge of what the load was to bring ends it.
 */
export class RefreshPauses {
  readonly #pauses = new LRUCache<string, Pause>({ max: maxKeys })

  readonly #isPurged: (load: Begun) => boolean

  constructor(isPurged: (load: Begun) => boolean) {
    this.#isPurged = isPurged
  }

  /** Notes a failed load at the instant `now`. */
  failed(key: string, load: Begun, now: number): void {
    const before = this.#valid(key)
    const lengthMs = before === undefined ? firstPauseMs : Math.min(before.lengthMs * 2, longestPauseMs)
    this.#pauses.set(key, { lengthMs, until: now + lengthMs * (1 - jitterOf(key) / 5), load })
  }

  /** Forgets the failures: a load has succeeded, or there is another value. */
  clear(key: string): void {
    this.#pauses.delete(key)
  }

  /** Whether the key is to be left alone at the instant `now`. */
  isPaused(key: string, now: number): boolean {
    const pause = this.#valid(key)
    return pause !== undefined && now < pause.until
  }

  /** Whether the last try failed, and was not so long ago that it says nothing any more. */
  hasFailed(key: string, now: number): boolean {
    const pause = this.#valid(key)
    return pause !== undefined && now < pause.until + rememberedMs
  }

  #valid(key: string): Pause | undefined {
    const pause = this.#pauses.get(key)
    return pause === undefined || this.#isPurged(pause.load) ? undefined : pause
  }
}
