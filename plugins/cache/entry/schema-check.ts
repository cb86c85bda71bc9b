import { createHash } from 'node:crypto'
import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler, TypeCompilerTypeGuardError } from '@sinclair/typebox/compiler'
import { InvalidCacheOption } from '../errors.js'

/** A compiled schema, with the fingerprint that entries carry. */
export interface SchemaCheck {
  /** Twelve hexadecimal digits that change when the schema does. */
  readonly fingerprint: string
  accepts(value: unknown): boolean
}

/** Compiles each schema on first use. Schemas are compared by identity: create them once. */
export class SchemaChecks {
  readonly #checks = new WeakMap<TSchema, SchemaCheck>()

  of(schema: TSchema): SchemaCheck {
    const cached = this.#checks.get(schema)
    if (cached !== undefined) return cached
    const compiled = compile(schema)
    const fingerprint = createHash('sha256').update(JSON.stringify(schema)).digest('hex').slice(0, 12)
    const check: SchemaCheck = { fingerprint, accepts: (value) => compiled.Check(value) }
    this.#checks.set(schema, check)
    return check
  }
}

function compile(schema: TSchema) {
  try {
    return TypeCompiler.Compile(schema)
  } catch (error) {
    if (!(error instanceof TypeCompilerTypeGuardError)) throw error
    throw new InvalidCacheOption(
      'schema must be a TypeBox schema, such as Type.Object({ … }); plain JSON Schema is not enough',
    )
  }
}
