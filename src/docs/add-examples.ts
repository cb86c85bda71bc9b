import { readFileSync } from 'node:fs'
import { childrenOf, isObject, type JsonObject, objectAt, operationsOf } from './document.js'

/** A recorded response body and its title. */
export interface Example {
  readonly summary: string
  readonly value: JsonObject
}

/** Examples of one status: bodies by name, and the headers of one of them. */
export interface StatusExamples {
  readonly headers: Readonly<Record<string, string | number>>
  readonly bodies: Readonly<Record<string, Example>>
}

/** By `operationId`, then by status. */
export type Examples = Readonly<Record<string, Readonly<Record<string, StatusExamples>>>>

/** Written by `npm run docs:examples`. */
export const examplesFile = new URL('../../docs/api-examples.json', import.meta.url)

export function readExamples(): Examples {
  return JSON.parse(readFileSync(examplesFile, 'utf8')) as Examples // written by us, and checked by a test
}

/** Adds the recorded responses to their descriptions. */
export function addExamples(document: JsonObject): void {
  const examples = readExamples()
  for (const operation of operationsOf(document)) {
    const byStatus = examples[String(operation.operationId)] ?? {}
    for (const [status, { headers, bodies }] of Object.entries(byStatus)) {
      const response = objectAt(objectAt(operation, 'responses'), status)
      const shown = Object.entries(bodies).map(([name, { summary, value }]) => [name, { summary, value }] as const)
      for (const media of childrenOf(response.content)) media.examples = Object.fromEntries(shown)
      for (const [name, header] of Object.entries(objectAt(response, 'headers'))) {
        if (isObject(header) && headers[name] !== undefined) header.example = headers[name]
      }
    }
  }
}
