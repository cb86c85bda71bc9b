import { isDeepStrictEqual } from 'node:util'
import { childrenOf, isObject, type JsonObject, objectAt, operationsOf, walk } from './document.js'

/**
 * Puts each schema with a title under `components` once, and references it where it was: generators of clients then make one
 * type of that name, where they would make one for every answer. Throws when two schemas have one title.
 */
export function nameSchemas(document: JsonObject): void {
  const schemas = objectAt(objectAt(document, 'components'), 'schemas')
  for (const { responses } of operationsOf(document))
    for (const response of childrenOf(responses)) forgetDescription(response)
  walk(document.paths, (schema) => {
    const { title } = schema
    if (typeof title !== 'string') return
    const named = { ...schema }
    if (!isDeepStrictEqual(schemas[title] ?? named, named)) throw new Error(`two schemas are called ${title}`)
    schemas[title] = named
    for (const name of Object.keys(schema)) delete schema[name]
    schema.$ref = `#/components/schemas/${title}`
  })
}

/** What is said of an answer is not said of its schema, which other answers have as well. */
function forgetDescription({ description, content }: JsonObject): void {
  for (const { schema } of childrenOf(content)) {
    if (isObject(schema) && schema.description === description) delete schema.description
  }
}
