import type { FastifyReply } from 'fastify'
import type { Answer } from './answer.js'
import type { FieldLines } from './fields.js'
import { mergeVary } from './vary.js'

/** Fields of a reply by lower-case name, as Fastify has them. */
export type ReplyFields = Readonly<Record<string, number | string | readonly string[] | undefined>>

/**
 * Sends the answer past the hooks and serializers that Fastify has for what a handler sends: what they do has been done. Fields that
 * hooks ahead have set go along, where the stored response has none of that name.
 */
export function sendAtOnce(reply: FastifyReply, { status, head, body }: Answer, isLast: boolean): void {
  const { raw } = reply
  const whole = withFieldsAhead(reply, head)
  reply.hijack()
  if (isLast) raw.shouldKeepAlive = false
  if (reply.request.raw.httpVersionMajor === 1) raw.writeHead(status, whole)
  else raw.writeHead(status, byName(whole))
  // Node writes a head that is still to be sent, with bytes behind it, before the 100 that has been queued.
  if (reply.request.raw.headers.expect !== undefined) raw.flushHeaders()
  raw.end(body)
}

function withFieldsAhead(reply: FastifyReply, head: readonly string[]): string[] {
  const ahead: ReplyFields = reply.getHeaders()
  let whole: string[] | undefined
  for (const name in ahead) {
    const value = ahead[name]
    if (value === undefined || (name !== 'vary' && (reply.raw.hasHeader(name) || names(head, name)))) continue
    whole ??= [...head]
    if (name === 'vary') mergeInto(whole, asLines(value))
    else for (const line of [asLines(value)].flat()) whole.push(name, line)
  }
  return whole ?? (head as string[]) // `writeHead` does not change it
}

/** Makes the answer what the handler is sending: for a request that has come all the way. */
export function sendThrough(reply: FastifyReply, ahead: ReplyFields, { status, head, body }: Answer): Buffer | null {
  const fields: ReplyFields = reply.getHeaders()
  for (const name of Object.keys(fields))
    if (fields[name] !== ahead[name] && name !== 'connection') reply.removeHeader(name)
  for (const [name, lines] of Object.entries(byName(head))) {
    const isMerged = name === 'vary' && ahead.vary !== undefined
    reply.header(name, isMerged ? mergeVary(asLines(ahead.vary ?? ''), lines) : lines)
  }
  reply.code(status)
  return body ?? null
}

/** The fields of a reply as they are kept: those that are not as they were before the handler ran. */
export function fieldsSince(reply: FastifyReply, ahead: ReplyFields): Record<string, FieldLines> {
  const since: Record<string, FieldLines> = {}
  for (const [name, value] of Object.entries(reply.getHeaders() as ReplyFields)) {
    // as Fastify documents them
    if (value !== undefined && value !== ahead[name]) since[name.toLowerCase()] = asLines(value)
  }
  return since
}

/** All fields of a reply. */
export function fieldsOf(reply: FastifyReply): Record<string, FieldLines> {
  return fieldsSince(reply, {})
}

function asLines(value: number | string | readonly string[]): FieldLines {
  return typeof value === 'number' ? String(value) : value
}

function byName(head: readonly string[]): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {}
  for (let at = 0; at + 1 < head.length; at += 2) {
    const [name = '', line = ''] = [head[at], head[at + 1]]
    const known = fields[name]
    fields[name] = known === undefined ? line : [known, line].flat()
  }
  return fields
}

function names(head: readonly string[], name: string): boolean {
  for (let at = 0; at < head.length; at += 2) if (head[at] === name) return true
  return false
}

function mergeInto(head: string[], vary: FieldLines): void {
  const lines: FieldLines[] = [vary]
  for (let at = head.length - 2; at >= 0; at -= 2) {
    if (head[at] === 'vary') lines.push(...head.splice(at, 2).slice(1))
  }
  head.push('vary', mergeVary(...lines))
}
