import { type FieldLines, headerValues } from '../http/fields.js'
import { mergeVary } from '../http/vary.js'

/** Approximate size of a string and its references, without its characters. */
const bytesPerLine = 40

/** The head of a response: alternating names and values, which Node sends without copying. */
export class Head {
  readonly lines: readonly string[]
  /** Whether a name is repeated. */
  readonly hasRepeats: boolean
  readonly #names: ReadonlySet<string>

  constructor(lines: readonly string[], names: ReadonlySet<string>, hasRepeats: boolean) {
    this.lines = lines
    this.hasRepeats = hasRepeats
    this.#names = names
  }

  static of(fields: readonly Field[]): Head {
    const lines = fields.flatMap(([name, its]) => headerValues(its).flatMap((line) => [name, line]))
    return new Head(lines, new Set(fields.map(([name]) => name)), fields.some(isRepeated))
  }

  /** Approximate size in memory. */
  get bytes(): number {
    return this.lines.reduce((sum, line) => sum + line.length + bytesPerLine, 0)
  }

  /** Whether the head has the field, or forbids it by a field without lines. */
  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** With fields that hooks set for one request; `Vary` is merged. */
  with(fields: readonly Field[]): Head {
    const lines = [...this.lines]
    const names = new Set(this.#names)
    for (const [name, its] of fields) {
      names.add(name)
      if (name === 'vary') mergeInto(lines, its)
      else for (const line of headerValues(its)) lines.push(name, line)
    }
    return new Head(lines, names, this.hasRepeats || fields.some(isRepeated))
  }

  /** With these fields, and without those of the names. */
  replacing(names: ReadonlySet<string>, fields: readonly Field[]): Head {
    const lines = this.lines.filter((_line, at) => !names.has(this.lines[at - (at % 2)] ?? ''))
    const others = [...this.#names].filter((name) => !names.has(name))
    return new Head(lines, new Set(others), this.hasRepeats).with(fields)
  }
}

type Field = readonly [name: string, lines: FieldLines]

function isRepeated([, lines]: Field): boolean {
  return headerValues(lines).length > 1
}

/** Fields by name. */
export function byName(head: readonly string[]): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {}
  for (let at = 0; at + 1 < head.length; at += 2) {
    const [name = '', line = ''] = [head[at], head[at + 1]]
    const known = fields[name]
    fields[name] = known === undefined ? line : [known, line].flat()
  }
  return fields
}

function mergeInto(head: string[], vary: FieldLines): void {
  const lines: FieldLines[] = [vary]
  for (let at = head.length - 2; at >= 0; at -= 2) {
    if (head[at] === 'vary') lines.push(...head.splice(at, 2).slice(1))
  }
  head.push('vary', mergeVary(...lines))
}
