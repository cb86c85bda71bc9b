import { childrenOf, isObject, type JsonObject, objectAt, operationsOf } from './document.js'
import { examples } from './examples.js'

/** Shows the recorded answers beside what describes them. */
export function showExamples(document: JsonObject): void {
  for (const operation of operationsOf(document)) {
    const recorded = examples[String(operation.operationId)] ?? {}
    for (const [status, { headers, bodies }] of Object.entries(recorded)) {
      const response = objectAt(objectAt(operation, 'responses'), status)
      const shown = Object.entries(bodies).map(([name, { summary, value }]) => [name, { summary, value }] as const)
      for (const media of childrenOf(response.content)) media.examples = Object.fromEntries(shown)
      for (const [name, header] of Object.entries(objectAt(response, 'headers'))) {
        if (isObject(header) && headers[name] !== undefined) header.example = headers[name]
      }
    }
  }
}
