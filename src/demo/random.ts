/** Seeded randomness: the same seed gives the same draws, in the same order, on every machine. */
export interface Random {
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number
  /** A whole number between two bounds, both included. */
  between(low: number, high: number): number
  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T
  /** Whether something happens that happens `percent` times in a hundred. */
  chance(percent: number): boolean
}

/** A source of randomness that starts from `seed` and belongs to its caller alone. mulberry32. */
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
    // The compiler does not follow that the index is below the length.
    pick: <T>(list: readonly T[]) => list[below(list.length)] as T,
    chance: (percent) => below(100) < percent,
  }
}
