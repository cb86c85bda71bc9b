import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FieldLines } from '../http/fields.js'
import type { CacheControl, ReceivedResponse } from '../http/freshness.js'
import type { Exchange } from './exchange.js'

/** What the handler has answered, on its way to be sent. */
export interface Received {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly exchange: Exchange
  /** With all fields, those set ahead of the handler included. */
  readonly response: ReceivedResponse
  /** What the handler answered, before anything was made of it. */
  readonly originStatus: number
  /** The fields that the handler has set. */
  readonly own: Record<string, FieldLines>
  /** Names of fields that hooks ahead have set and the handler has removed. */
  readonly removed: readonly string[]
  readonly control: CacheControl
}
