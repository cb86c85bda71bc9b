import type { TSchema } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'

// One per process: Ajv caches compiled schemas, and validates its meta-schema once.
const ajv = new Ajv({ removeAdditional: true, useDefaults: true, allErrors: true })

/**
 * Validates requests. Unlike Ajv's coercion it accepts only plain digits as an integer in a query: `1e1`, `0x10`, ` 1` and `1.0`
 * are invalid. Unknown parameters are removed.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validate = ajv.compile(schema)
  const integers = httpPart === 'querystring' ? integerProperties(schema) : []
  return (data: unknown): { value: unknown } | { error: ErrorObject[] } => {
    const value = integers.length === 0 ? data : withIntegers(data, integers)
    return validate(value) ? { value } : { error: validate.errors ?? [] }
  }
}

function integerProperties(schema: TSchema): string[] {
  const properties: Record<string, TSchema> = schema.properties ?? {}
  return Object.keys(properties).filter((name) => properties[name]?.type === 'integer')
}

function withIntegers(data: unknown, integers: readonly string[]): Record<string, unknown> {
  const query: Record<string, unknown> = { ...(data as Record<string, unknown>) } // a parsed query string is an object
  for (const name of integers) {
    const text = query[name]
    if (typeof text === 'string' && /^-?\d{1,15}$/.test(text)) query[name] = Number(text)
  }
  return query
}
