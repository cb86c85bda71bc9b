import type { TSchema } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'

// One for all applications of the process: what it has compiled once it has, and it does not check its own language anew.
const ajv = new Ajv({ removeAdditional: true, useDefaults: true, allErrors: true })

/**
 * Checks what clients send. Unlike Ajv's own coercion this reads a number from a query only where it is written in
 * plain digits: `1e1`, `0x10`, ` 1` and `1.0` are not page numbers. Parameters that the schema does not name are dropped.
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
