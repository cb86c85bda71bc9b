import { LRUCache } from 'lru-cache'

/** Wrong tokens of one network that cost nothing: typing errors, scripts with an old token. */
const freeGuesses = 5
const firstDelayMs = 1_000
const maxDelayMs = 60_000
/** A network that has been quiet for so long starts again. */
const resetMs = 15 * 60_000
/** The network that was seen longest ago is dropped first. */
const maxNetworks = 10_000

interface Guesses {
  readonly wrong: number
  readonly at: number
  readonly lastDigest: string
}

/** How long a network has to wait after this many wrong tokens. */
export function delayAfter(wrong: number): number {
  return wrong < freeGuesses ? 0 : Math.min(firstDelayMs * 2 ** (wrong - freeGuesses), maxDelayMs)
}

/**
 * Limits how fast one network (see `networkOf`) can guess the operator's token. What other networks do makes no difference, so
 * that no other client can lock the operator out. Time is monotonic milliseconds.
 */
export class GuessLimit {
  readonly #guesses = new LRUCache<string, Guesses>({ max: maxNetworks })
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** How long the network has to wait until its next token is compared; 0: not at all. */
  waitMs(network: string): number {
    const known = this.#current(network)
    return known === undefined ? 0 : Math.max(delayAfter(known.wrong) - (this.#now() - known.at), 0)
  }

  /** `digest` identifies the token: sending the same wrong one again reveals nothing, and does not count. */
  recordWrong(network: string, digest: string): void {
    const known = this.#current(network)
    if (known?.lastDigest === digest) return
    this.#guesses.set(network, { wrong: (known?.wrong ?? 0) + 1, at: this.#now(), lastDigest: digest })
  }

  recordRight(network: string): void {
    this.#guesses.delete(network)
  }

  #current(network: string): Guesses | undefined {
    const known = this.#guesses.get(network)
    return known !== undefined && this.#now() - known.at < resetMs ? known : undefined
  }
}
