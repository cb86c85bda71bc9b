/** Reads and loads of the keys of one group, within the window. */
export interface KeyGroupSummary {
  readonly keyGroup: string
  readonly reads: number
  readonly hits: number
  readonly loads: number
  readonly failed: number
  /** Mean load time; `undefined` without loads. */
  readonly meanLoadMs: number | undefined
}

interface Counts {
  reads: number
  hits: number
  loads: number
  failed: number
  loadMs: number
}

/** Counts reads and loads by key group in a sliding window made of slices. The cache bounds the number of groups. */
export class KeyGroupCounts {
  readonly #slices: Map<string, Counts>[] = [new Map()]
  readonly #maxSlices: number

  constructor(maxSlices: number) {
    this.#maxSlices = maxSlices
  }

  recordRead(keyGroup: string, isHit: boolean): void {
    const counts = this.#countsOf(keyGroup)
    counts.reads += 1
    if (isHit) counts.hits += 1
  }

  recordLoad(keyGroup: string, durationMs: number, hasFailed: boolean): void {
    const counts = this.#countsOf(keyGroup)
    counts.loads += 1
    if (hasFailed) counts.failed += 1
    counts.loadMs += durationMs
  }

  /** Starts a slice and drops the oldest. */
  rotate(): void {
    this.#slices.push(new Map())
    if (this.#slices.length > this.#maxSlices) this.#slices.shift()
  }

  /** The groups with the most reads, busiest first. */
  busiest(maxGroups: number): KeyGroupSummary[] {
    const sums = new Map<string, Counts>()
    for (const slice of this.#slices) {
      for (const [keyGroup, counts] of slice) {
        const sum = sums.get(keyGroup) ?? zeroCounts()
        for (const name of ['reads', 'hits', 'loads', 'failed', 'loadMs'] as const) sum[name] += counts[name]
        sums.set(keyGroup, sum)
      }
    }
    return [...sums]
      .map(([keyGroup, { loadMs, ...counts }]) => {
        return { keyGroup, ...counts, meanLoadMs: counts.loads === 0 ? undefined : loadMs / counts.loads }
      })
      .sort((a, b) => b.reads - a.reads || b.loads - a.loads || a.keyGroup.localeCompare(b.keyGroup))
      .slice(0, maxGroups)
  }

  #countsOf(keyGroup: string): Counts {
    const slice = this.#slices.at(-1) ?? new Map<string, Counts>()
    const known = slice.get(keyGroup)
    if (known !== undefined) return known
    const counts = zeroCounts()
    slice.set(keyGroup, counts)
    return counts
  }
}

function zeroCounts(): Counts {
  return { reads: 0, hits: 0, loads: 0, failed: 0, loadMs: 0 }
}
