import { isObject, type JsonObject, objectAt, operationsOf, walk } from './document.js'
import { nameSchemas } from './named-schemas.js'
import { showExamples } from './show-examples.js'

/** The description as it is answered: what the schemas of the routes cannot say is added, or is worked out from them. */
export function described<Description extends object>(description: Description): Description {
  const document = description as JsonObject // it is sent as JSON, whatever its type says
  for (const operation of operationsOf(document)) {
    walk(operation.requestBody, defaultsAreOptional)
    if (answers(operation, '401')) operation.security = [{ operator: [] }]
    const parameters = [
      ...(answers(operation, '304') ? [ifNoneMatch] : []),
      ...(answers(operation, '429') ? [requestId] : []),
    ]
    if (parameters.length > 0) operation.parameters = [operation.parameters ?? [], ...parameters].flat()
  }
  nameSchemas(document)
  showExamples(document)
  return description
}

/** In a schema of ours what has a default is always there, once it has been filled in. A client may leave it out. */
function defaultsAreOptional(schema: JsonObject): void {
  const { required, properties } = schema
  if (!Array.isArray(required) || !isObject(properties)) return
  const still = required.filter((name) => {
    const property = typeof name === 'string' ? properties[name] : undefined
    return !isObject(property) || property.default === undefined
  })
  if (still.length > 0) schema.required = still
  else delete schema.required
}

function answers(operation: JsonObject, status: string): boolean {
  return objectAt(operation, 'responses')[status] !== undefined
}

// Not in the schemas of the routes: there they would be checked, and a proxy that mangles them would get a 400.
const ifNoneMatch: JsonObject = {
  in: 'header',
  name: 'If-None-Match',
  required: false,
  schema: { type: 'string' },
  description: 'The `ETag` of what you have: a 304 says that it is still the same.',
}
const requestId: JsonObject = {
  in: 'header',
  name: 'x-request-id',
  required: false,
  schema: { type: 'string', pattern: '^[\\w.:-]{1,128}$' },
  description: 'Under which to find the request in our log. Another text than such a one is replaced.',
}
