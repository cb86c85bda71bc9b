import { type FieldLines, linesOf } from './fields.js'
import { mergeVary } from './vary.js'

/** The head of an answer, ready to be sent: names and values one after the other, as Node takes them without a copy. */
export class Head {
  readonly lines: readonly string[]
  readonly #names: ReadonlySet<string>

  constructor(fields: Iterable<readonly [name: string, lines: FieldLines]>) {
    const all = [...fields]
    this.lines = all.flatMap(([name, lines]) => linesOf(lines).flatMap((line) => [name, line]))
    this.#names = new Set(all.map(([name]) => name))
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** With fields that hooks have set for the one request; `Vary` says what either says. */
  with(fields: readonly (readonly [name: string, lines: FieldLines])[]): string[] {
    const whole = [...this.lines]
    for (const [name, lines] of fields) {
      if (name === 'vary') mergeInto(whole, lines)
      else for (const line of linesOf(lines)) whole.push(name, line)
    }
    return whole
  }
}

/** Values by name, several in a list. */
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
