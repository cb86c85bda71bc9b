import type { JsonObject } from './document.js'

/** An answer that was given, and a line that says to what. */
export interface Example {
  readonly summary: string
  readonly value: JsonObject
}

/** Examples of one status: bodies by name, and the header fields of one of them. */
export interface StatusExamples {
  readonly headers: Readonly<Record<string, string | number>>
  readonly bodies: Readonly<Record<string, Example>>
}

/** By `operationId`, then by status. */
export type Examples = Readonly<Record<string, Readonly<Record<string, StatusExamples>>>>
