import type { FastifyReply } from 'fastify'
import type { FieldLines } from '../http/fields.js'

/** Fields of a reply by lower-case name, as Fastify has them. */
export type ReplyFields = Readonly<Record<string, number | string | readonly string[] | undefined>>

/** The fields of a reply that changed since. */
export function fieldsChangedSince(reply: FastifyReply, prior: ReplyFields): Record<string, FieldLines> {
  const since: Record<string, FieldLines> = {}
  for (const [name, value] of Object.entries(reply.getHeaders() as ReplyFields)) {
    // as Fastify documents them
    if (value !== undefined && value !== prior[name]) since[name.toLowerCase()] = asLines(value)
  }
  return since
}

/** All fields of a reply. */
export function replyFields(reply: FastifyReply): Record<string, FieldLines> {
  return fieldsChangedSince(reply, {})
}

export function asLines(value: number | string | readonly string[]): FieldLines {
  return typeof value === 'number' ? String(value) : value
}
