import type { FastifyRequest } from 'fastify'
import type { ForwardReason } from '../http/cache-status.js'
import type { Fields } from '../http/fields.js'
import type { InFlightRequest } from '../responses/collapsing.js'
import type { ReplyFields } from '../responses/send.js'
import type { StoredResponse } from '../responses/stored-response.js'
import type { Collecting } from './collecting.js'
import type { RequestKey } from './key.js'

/** A request that is with the handler. */
export interface Exchange {
  readonly method: string
  readonly asked: RequestKey
  /** Names the kind of request of which one at a time goes to the handler. */
  readonly name: string
  /** What a request field counts as, where responses are told apart by it. */
  readonly variantOf: (name: string) => string
  /** Of the request, with the values that the key contains. */
  readonly fields: Fields
  /** Whether the request identified its client. */
  readonly hasCredentials: boolean
  readonly reason: ForwardReason
  /** Fields that hooks ahead of the handler have set: they set them for every request. */
  readonly ahead: ReplyFields
  readonly requestedAt: number
  /** Of the invalidations that had been when it began. */
  readonly invalidations: number
  /** Whether the response may be kept, where nothing else is against it. */
  readonly mayKeep: boolean
  /** Whether a response to it has been seen, so that the next one is about what became of that. */
  readonly isReceived: boolean
  /** What is being made again, or confirmed. */
  readonly stored: StoredResponse | undefined
  /** Whether the handler was told the validators of `stored` instead of the client's conditions. */
  readonly isValidating: boolean
  /** Nobody waits for it: its response is only kept. */
  readonly isBehind: boolean
  /** Others wait for it. */
  readonly flight: InFlightRequest | undefined
  /** Names of the request fields that the handler has chosen a representation by. */
  readonly chosenBy: ReadonlySet<string>
  /** Shows the request as it came again. */
  readonly uncover: () => void
  /** What of the cache is being read. */
  readonly collecting: Collecting | undefined
}

/** The exchange of each request that is with the handler. */
export type Exchanges = WeakMap<FastifyRequest, Exchange>
