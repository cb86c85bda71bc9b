import { addExamples } from './add-examples.js'
import { isObject, type JsonObject, objectAt, operationsOf, walk } from './document.js'
import { hoistSchemas } from './hoist-schemas.js'

/** Completes the generated description with what the route schemas cannot express. */
export function transformOpenapi<Description extends object>(description: Description): Description {
  const document = description as JsonObject // it is sent as JSON
  for (const operation of operationsOf(document)) {
    walk(operation.requestBody, makeDefaultsOptional)
    if (hasResponse(operation, '401')) operation.security = [{ operator: [] }]
    const parameters = [
      ...(hasResponse(operation, '304') ? [ifNoneMatch] : []),
      ...(hasResponse(operation, '429') ? [requestId] : []),
    ]
    if (parameters.length > 0) operation.parameters = [operation.parameters ?? [], ...parameters].flat()
  }
  hoistSchemas(document)
  addExamples(document)
  return description
}

/** Properties with a default are required in our schemas, because the validator fills them in. Clients may omit them. */
function makeDefaultsOptional(schema: JsonObject): void {
  const { required, properties } = schema
  if (!Array.isArray(required) || !isObject(properties)) return
  const withoutDefault = required.filter((name) => {
    const property = typeof name === 'string' ? properties[name] : undefined
    return !isObject(property) || property.default === undefined
  })
  if (withoutDefault.length > 0) schema.required = withoutDefault
  else delete schema.required
}

function hasResponse(operation: JsonObject, status: string): boolean {
  return objectAt(operation, 'responses')[status] !== undefined
}

// Not in the route schemas: there they would be validated, and a proxy that changes them would cause a 400.
const ifNoneMatch: JsonObject = {
  in: 'header',
  name: 'If-None-Match',
  required: false,
  schema: { type: 'string' },
  description: 'The `ETag` of a stored response. A 304 confirms that it is current.',
}
const requestId: JsonObject = {
  in: 'header',
  name: 'x-request-id',
  required: false,
  schema: { type: 'string', pattern: '^[\\w.:-]{1,128}$' },
  description: 'Id of the request in our logs. A value that does not match the pattern is replaced.',
}
