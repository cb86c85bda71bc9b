import { isDeepStrictEqual } from 'node:util'
import { childrenOf, isObject, type JsonObject, objectAt, operationsOf, walk } from './document.js'

/**
 * Moves each schema with a title to `components` and replaces it by a reference, so that client generators create one type per
 * title. Throws when two schemas have the same title.
 */
export function hoistSchemas(document: JsonObject): void {
  const schemas = objectAt(objectAt(document, 'components'), 'schemas')
  for (const { responses } of operationsOf(document))
    for (const response of childrenOf(responses)) dropResponseDescription(response)
  walk(document.paths, (schema) => {
    const { title } = schema
    if (typeof title !== 'string') return
    const hoisted = { ...schema }
    if (!isDeepStrictEqual(schemas[title] ?? hoisted, hoisted)) throw new Error(`two schemas have the title ${title}`)
    schemas[title] = hoisted
    for (const name of Object.keys(schema)) delete schema[name]
    schema.$ref = `#/components/schemas/${title}`
  })
}

/** @fastify/swagger copies the description of a response to its schema, which other responses share. */
function dropResponseDescription({ description, content }: JsonObject): void {
  for (const { schema } of childrenOf(content)) {
    if (isObject(schema) && schema.description === description) delete schema.description
  }
}
