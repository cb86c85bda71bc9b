import { createHash } from 'node:crypto'
import { Kind, type TSchema } from '@sinclair/typebox'
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
    const check = compile(schema)
    this.#checks.set(schema, check)
    return check
  }
}

/** Throws `VITRINE_CACHE_OPTION` for anything but a complete schema of TypeBox 0.34. */
function compile(schema: TSchema): SchemaCheck {
  try {
    const compiled = TypeCompiler.Compile(schema)
    const fingerprint = createHash('sha256').update(JSON.stringify(schema)).digest('hex').slice(0, 12)
    return { fingerprint, accepts: (value) => compiled.Check(value) }
  } catch (error) {
    const found = error instanceof TypeCompilerTypeGuardError ? kindOf(schema) : messageOf(error)
    const refusal = new InvalidCacheOption(`schema must be a schema of @sinclair/typebox 0.34; this is ${found}`)
    throw Object.assign(refusal, { cause: error })
  }
}

/** For the message: what developers pass by mistake. */
function kindOf(schema: unknown): string {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return String(schema)
  if (Kind in schema) return 'one with a part that is not'
  const standard: unknown = Reflect.get(schema, '~standard')
  if (typeof standard === 'object' && standard !== null) {
    return `a Standard Schema of ${String(Reflect.get(standard, 'vendor')).slice(0, 40)}`
  }
  if ('~kind' in schema) return 'a schema of typebox 1'
  return typeof schema === 'function' ? 'a function' : 'plain JSON Schema: write it with Type.Object({ … })'
}

function messageOf(error: unknown): string {
  return `one that does not compile: ${error instanceof Error ? error.message : String(error)}`
}
