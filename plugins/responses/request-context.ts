import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ForwardReason } from '../http/cache-status.js'
import { type Fields, headerValues, ownField } from '../http/fields.js'
import { variantValue } from '../http/vary.js'
import type { InFlightRequest } from './collapsing.js'
import type { HandlerDependencies } from './handler-dependencies.js'
import type { PersonalBy, PriorReply } from './prior-reply.js'
import type { ReplyFields } from './reply-fields.js'
import type { HandlerMask } from './request-view.js'
import type { StoredResponse } from './stored-response.js'
import type { RequestKey } from './target-key.js'

/** Why a request bypasses the cache: the `detail` of its `Cache-Status`. */
export type BypassReason = 'credentials' | 'content' | 'invalid' | 'option' | 'override' | PersonalBy

export interface RequestContextOptions<Key extends RequestKey> {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Runs the handler, or fails the request. */
  readonly next: (error?: Error) => void
  readonly key: Key
  /** Request fields as received. */
  readonly receivedFields: Fields
  /** The same with the values that the key contains. */
  readonly fields: Fields
  /** Why the request is neither answered from the cache nor its response stored; `undefined`: it does not bypass the cache. */
  readonly bypassedBy: BypassReason | undefined
  readonly prior: PriorReply
}

/** Collapsed requests wait for others this often at most: once for any variant, once for the same one. */
export const maxWaits = 2

const noNames: ReadonlySet<string> = new Set()

/** A request from the look-up to the end of its response. */
export class RequestContext<Key extends RequestKey = RequestKey> {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly next: (error?: Error) => void
  readonly key: Key
  readonly method: string
  readonly receivedFields: Fields
  readonly fields: Fields
  readonly bypassedBy: BypassReason | undefined
  /** What hooks had set on the reply before. */
  readonly prior: PriorReply

  /** The response that is stored for it, fresh or not. */
  stored: StoredResponse | undefined
  /** Requests of the same name are collapsed, refreshed and backed off together. */
  collapseKey = ''
  /** Times that it has waited for a collapsed request. */
  waits = 0

  // From here on: a request that the handler answers.
  reason: ForwardReason = 'uri-miss'
  requestedAt = 0
  /** Number of invalidations before it was forwarded. */
  invalidationCount = 0
  /** Whether its response may be stored, if it is storable. */
  mayStore = false
  /** Whether the handler received the validators of `stored` instead of the conditions of the client. */
  isValidating = false
  /** Whether it is a background refresh: no client waits for it. */
  isBackground = false
  /** Whether a response to it has been seen: the next one is an error response. */
  isAnswered = false
  /** Collapsed requests wait for it. */
  inFlight: InFlightRequest | undefined
  /** What the handler reads from `fastify.cache`. */
  dependencies: HandlerDependencies | undefined
  /** Names of the request fields by which hooks, and then the handler, negotiate a representation. */
  negotiatedBy: ReadonlySet<string> = noNames
  /** Hides from the handler what only hooks may read; `undefined`: nothing. */
  handlerMask: HandlerMask | undefined
  /** Undoes what was changed of the request for the handler. */
  restoreRequest: () => void = () => undefined

  constructor(options: RequestContextOptions<Key>) {
    const { request, reply, next, key, receivedFields, fields, bypassedBy, prior } = options
    this.request = request
    this.reply = reply
    this.next = next
    this.key = key
    this.method = request.raw.method ?? 'GET'
    this.receivedFields = receivedFields
    this.fields = fields
    this.bypassedBy = bypassedBy
    this.prior = prior
  }

  /** Reply fields that hooks set before the handler ran. */
  get priorFields(): ReplyFields {
    return this.prior.fields
  }

  /** Call it when a response is sent. After the first one there was an error, whose response is not stored. */
  beginResponse(): void {
    if (this.isAnswered) {
      this.reply.removeHeader('cache-status') // of the response that could not be sent
      this.mayStore = false
      this.isValidating = false
    }
    this.isAnswered = true
  }

  forbidStoring(): void {
    this.mayStore = false
  }

  /** The value of a request field in the form in which variants are compared. */
  readonly variantOf = (name: string): string => {
    const field = ownField(this.fields, name)
    return variantValue(field && headerValues(field).join(', '))
  }
}
