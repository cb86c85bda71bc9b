/** Seeded pseudo-random numbers: the same seed gives the same sequence on every machine. */
export interface Random {
  /** An integer from 0 to `limit`, exclusive. */
  below(limit: number): number
  /** An integer from `low` to `high`, inclusive. */
  between(low: number, high: number): number
  /** One element of a non-empty list. */
  pick<T>(list: readonly T[]): T
  /** True with a probability of `percent`. */
  chance(percent: number): boolean
}

/** mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed | 0

  function below(limit: number): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  return {
    below,
    between: (low, high) => low + below(high - low + 1),
    // The index is always below the length.
    pick: <T>(list: readonly T[]) => list[below(list.length)] as T,
    chance: (percent) => below(100) < percent,
  }
}
