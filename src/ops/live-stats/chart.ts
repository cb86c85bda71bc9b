/** Shape of a line over time, in the units of its box. */
export interface ChartShape {
  readonly width: number
  readonly height: number
  /** `d` of an SVG path; broken where there is no value. */
  readonly line: string
  /** The same, closed along the bottom. */
  readonly area: string
}

export interface ChartParts {
  /** Oldest first; the newest is at the right edge. */
  readonly values: readonly (number | undefined)[]
  /** How many values the whole width is for. */
  readonly capacity: number
  /** What the whole height stands for; values beyond it are cut off there. */
  readonly max: number
  readonly height: number
}

/** Draws values as a line with a unit of width for each. */
export function drawChart({ values, capacity, max, height }: ChartParts): ChartShape {
  const left = capacity - values.length
  const runs: { x: number; y: number }[][] = []
  let isBroken = true
  for (const [index, value] of values.entries()) {
    if (value === undefined) {
      isBroken = true
      continue
    }
    const share = max > 0 ? Math.min(Math.max(value / max, 0), 1) : 0
    const point = { x: left + index, y: round(height - share * height) }
    if (isBroken) runs.push([point])
    else runs.at(-1)?.push(point)
    isBroken = false
  }
  const line = runs.map((run) => `M${run.map(({ x, y }) => `${x} ${y}`).join('L')}${run.length === 1 ? 'h1' : ''}`)
  const area = runs.map((run, index) => `${line[index]}V${height}H${run[0]?.x ?? 0}Z`)
  return { width: Math.max(capacity - 1, 1), height, line: line.join(''), area: area.join('') }
}

/** A bound for the height that does not jump with every value: the next of 1, 2 and 5 times a power of ten. */
export function niceMax(values: readonly (number | undefined)[]): number {
  const most = Math.max(0, ...values.map((value) => value ?? 0))
  if (most === 0) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return ([1, 2, 5, 10].find((step) => step * power >= most) ?? 10) * power
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
