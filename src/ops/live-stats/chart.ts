/** SVG paths of a line over time. */
export interface ChartShape {
  readonly width: number
  readonly height: number
  /** `d` of an SVG path, with gaps where there is no value. */
  readonly line: string
  /** The same, closed at the bottom. */
  readonly area: string
}

export interface ChartOptions {
  /** Oldest first; the newest is at the right edge. */
  readonly values: readonly (number | undefined)[]
  /** Number of values in the full width. */
  readonly capacity: number
  /** Value at the full height. Larger values are clipped. */
  readonly max: number
  readonly height: number
}

/** Draws values as a line, one unit of width each. */
export function drawChart({ values, capacity, max, height }: ChartOptions): ChartShape {
  const left = capacity - values.length
  const runs: { x: number; y: number }[][] = []
  let isGap = true
  for (const [index, value] of values.entries()) {
    if (value === undefined) {
      isGap = true
      continue
    }
    const share = max > 0 ? Math.min(Math.max(value / max, 0), 1) : 0
    const point = { x: left + index, y: round(height - share * height) }
    if (isGap) runs.push([point])
    else runs.at(-1)?.push(point)
    isGap = false
  }
  const line = runs.map((run) => `M${run.map(({ x, y }) => `${x} ${y}`).join('L')}${run.length === 1 ? 'h1' : ''}`)
  const area = runs.map((run, index) => `${line[index]}V${height}H${run[0]?.x ?? 0}Z`)
  return { width: Math.max(capacity - 1, 1), height, line: line.join(''), area: area.join('') }
}

/** The next of 1, 2 and 5 times a power of ten, so that the scale does not change with every value. */
export function niceMax(values: readonly (number | undefined)[]): number {
  const max = Math.max(0, ...values.map((value) => value ?? 0))
  if (max === 0) return 1
  const power = 10 ** Math.floor(Math.log10(max))
  return ([1, 2, 5, 10].find((step) => step * power >= max) ?? 10) * power
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
