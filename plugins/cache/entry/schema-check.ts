import { createHash } from 'node:crypto'
import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'

/** A schema made ready for use: compiled once, with the fingerprint that entries carry. */
export interface SchemaCheck {
  /** Twelve hexadecimal digits that change when the schema does. */
  readonly fingerprint: string
  accepts(value: unknown): boolean
}

/** Compiles each schema the first time it is met; schemas are told apart by identity, so make them once. */
export class SchemaChecks {
  readonly #checks = new WeakMap<TSchema, SchemaCheck>()

  of(schema: TSchema): SchemaCheck {
    const known = this.#checks.get(schema)
    if (known !== undefined) return known
    const compiled = TypeCompiler.Compile(schema)
    const fingerprint = createHash('sha256').update(JSON.stringify(schema)).digest('hex').slice(0, 12)
    const check: SchemaCheck = { fingerprint, accepts: (value) => compiled.Check(value) }
    this.#checks.set(schema, check)
    return check
  }
}
