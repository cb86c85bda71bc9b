/** What was asked of the keys of one kind, lately. */
export interface FamilyCounts {
  readonly family: string
  readonly reads: number
  readonly hits: number
  readonly loads: number
  readonly failed: number
  /** Mean, in milliseconds; `undefined` where there were no loads. */
  readonly loadMs: number | undefined
}

interface Counts {
  reads: number
  hits: number
  loads: number
  failed: number
  loadMs: number
}

/** Counts reads and loads by family over a window that slides in slices. The cache tells a bounded number of families apart. */
export class Families {
  readonly #slices: Map<string, Counts>[] = [new Map()]
  readonly #most: number

  /** `most`: slices that make up the window. */
  constructor(most: number) {
    this.#most = most
  }

  read(family: string, isHit: boolean): void {
    const counts = this.#of(family)
    counts.reads += 1
    if (isHit) counts.hits += 1
  }

  loaded(family: string, ms: number, hasFailed: boolean): void {
    const counts = this.#of(family)
    counts.loads += 1
    if (hasFailed) counts.failed += 1
    counts.loadMs += ms
  }

  /** Begins a slice, and forgets the oldest. */
  slide(): void {
    this.#slices.push(new Map())
    if (this.#slices.length > this.#most) this.#slices.shift()
  }

  /** Those that were read most, busiest first. */
  busiest(most: number): FamilyCounts[] {
    const sums = new Map<string, Counts>()
    for (const slice of this.#slices) {
      for (const [family, counts] of slice) {
        const sum = sums.get(family) ?? nothing()
        for (const name of ['reads', 'hits', 'loads', 'failed', 'loadMs'] as const) sum[name] += counts[name]
        sums.set(family, sum)
      }
    }
    return [...sums]
      .map(([family, { loadMs, ...counts }]) => {
        return { family, ...counts, loadMs: counts.loads === 0 ? undefined : loadMs / counts.loads }
      })
      .sort((a, b) => b.reads - a.reads || b.loads - a.loads || a.family.localeCompare(b.family))
      .slice(0, most)
  }

  #of(family: string): Counts {
    const slice = this.#slices.at(-1) ?? new Map<string, Counts>()
    const known = slice.get(family)
    if (known !== undefined) return known
    const counts = nothing()
    slice.set(family, counts)
    return counts
  }
}

function nothing(): Counts {
  return { reads: 0, hits: 0, loads: 0, failed: 0, loadMs: 0 }
}
