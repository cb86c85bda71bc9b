import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { formatTierStatus, type TierStatus } from '../http/cache-status.js'
import { describesOtherRepresentation, entityTagOf } from '../http/conditional.js'
import { type Fields, headerValues, isHopByHop, joinValues, singleValue } from '../http/fields.js'
import { cacheControlOf, dateField } from '../http/freshness.js'
import { isSafe } from '../http/methods.js'
import { hasNoStore } from '../http/request-fields.js'
import { isRequestSpecific } from '../http/storable.js'
import { mergeVary } from '../http/vary.js'
import { bytesOf, discard, drain, streamOf, unwrapResponse } from '../responses/payload.js'
import { answerFrom, matchingTag } from '../responses/render.js'
import { fieldsChangedSince, type ReplyFields, replaceReply, replyFields } from '../responses/send.js'
import { type StoredResponse, updatedFields } from '../responses/stored-response.js'
import { tee } from '../responses/tee.js'
import type { EdgeParts } from './edge-parts.js'
import type { Exchange } from './exchange.js'
import { invalidate } from './invalidation.js'
import { Keeper, type Refused } from './keeper.js'
import type { ResolvedRoute } from './options.js'
import type { Received } from './received.js'
import { credentialVary } from './visible-headers.js'

/** Statuses that say that the origin, or somebody on the way to it, has failed. RFC 5861 §4. */
const failures = new Set([500, 502, 503, 504])
/** Milliseconds for which a response is still gathered when its client has gone away. */
const detachedTimeoutMs = 30_000

/** The responses of one route: which of them are kept, and what is told of them. */
export class Reception {
  readonly #parts: EdgeParts
  readonly #route: ResolvedRoute
  readonly #keeper: Keeper

  constructor(parts: EdgeParts, route: ResolvedRoute) {
    this.#parts = parts
    this.#route = route
    this.#keeper = new Keeper(parts, route)
  }

  /** The hook: sees what the handler sends, and gives what is sent instead. */
  readonly receive = (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    send: (error: Error | null, payload: unknown) => void,
  ): Promise<unknown> | undefined => {
    const { exchanges, flights } = this.#parts
    const exchange = exchanges.get(request)
    if (exchange === undefined) {
      send(null, payload)
      return undefined
    }
    if (exchange.isReceived) reply.removeHeader('cache-status') // it was about what could not be sent
    // An error on the way from here sends another payload: that is not kept, but may be one that something kept is better than.
    exchanges.set(request, { ...exchange, isReceived: true, mayKeep: false, isValidating: false })
    const content = unwrapResponse(reply, payload)
    const body = streamOf(content) ?? content
    // What makes a stream may go on reading the request until its end.
    const isLazy = !this.#route.forwards && body instanceof EventEmitter
    if (isLazy) body.once('end', exchange.uncover).once('close', exchange.uncover)
    return this.#receive(request, reply, exchange, body)
      .catch((error: unknown) => {
        flights.end(exchange.flight, undefined)
        throw error
      })
      .finally(isLazy ? undefined : exchange.uncover)
  }

  /** The hook: hears of an error. What is sent because of it is not kept, whatever the handler has said before it. */
  readonly fail = (request: FastifyRequest, _reply: FastifyReply, _error: Error, done: () => void): void => {
    const exchange = this.#parts.exchanges.get(request)
    if (exchange !== undefined) this.#parts.exchanges.set(request, { ...exchange, mayKeep: false })
    done()
  }

  async #receive(request: FastifyRequest, reply: FastifyReply, exchange: Exchange, payload: unknown): Promise<unknown> {
    if (this.#route.forwards) dropConnectionFields(reply, exchange.ahead, this.#parts.isClosing)
    const response = {
      status: reply.statusCode,
      fields: replyFields(reply),
      requestedAt: exchange.requestedAt,
      receivedAt: this.#parts.options.now(),
    }
    const own = fieldsChangedSince(reply, exchange.ahead)
    const control = cacheControlOf(response.fields)
    const removed = Object.keys(exchange.ahead).filter((name) => !Object.hasOwn(response.fields, name))
    const received = { request, reply, exchange, response, originStatus: response.status, own, removed, control }
    const { stored, method, mayKeep, isValidating } = exchange
    if (!isSafe(method)) {
      await invalidate(this.#parts, this.#route, request, response)
      return this.#passOn(received, payload, undefined)
    }
    if (isValidating && response.status === 304) return this.#confirm(received, payload)
    if (stored !== undefined && failures.has(response.status)) {
      this.#parts.pauses.failed(exchange.name)
      if (stored.mayBeStale(response.receivedAt, stored.instants.staleUntil, true)) {
        discard(payload)
        this.#parts.flights.end(exchange.flight, undefined)
        return this.#answer(received, stored, { detail: 'stale-if-error' })
      }
    }
    if (!mayKeep) {
      this.#parts.flights.end(exchange.flight, undefined)
      return this.#passOn(received, payload, undefined)
    }
    if (method === 'HEAD') await this.#learnFromHead(received)
    // Fastify does not wait for the end of a content that there cannot be, and it is to be kept before it is answered.
    return this.#keepOrPassOn(received, response.status === 204 ? drain(payload) : payload)
  }

  /** The origin says that what is kept is still what it would answer: its fields are brought up to date. RFC 9111 §4.3.4. */
  async #confirm(received: Received, payload: unknown): Promise<unknown> {
    const { exchange, response } = received
    const { stored } = exchange
    discard(payload)
    if (stored === undefined) return this.#passOn(received, null, undefined)
    if (describesOtherRepresentation(response.fields, stored.fields)) {
      // What is kept is all there is to answer with, this once.
      await this.#keeper.forget(exchange, stored)
      this.#parts.flights.end(exchange.flight, undefined)
      return this.#answer(received, stored, {})
    }
    const { confirmed, kept, refusal } = await this.#bringUpToDate(received, stored)
    const status = kept === undefined ? { detail: refusal } : { stored: true }
    return this.#answer(confirmed, kept ?? stored, status)
  }

  /** Takes over the fields of a response about what is kept; where they say so, it is not kept any longer. RFC 9111 §3.2. */
  async #bringUpToDate(received: Received, stored: StoredResponse) {
    const { exchange, response, own } = received
    // Of a 304 of our own it is what Fastify says of no content.
    const { 'content-type': _type, ...others } = own
    const fields = updatedFields(stated(stored), this.#route.forwards ? own : others)
    const updated = { ...response, status: stored.status, fields }
    const confirmed: Received = { ...received, response: updated, own: fields, control: cacheControlOf(fields) }
    const read = await exchange.collecting?.made()
    const verdict = this.#keeper.judge(confirmed, { read, bytes: stored.body.length })
    if ('lifetime' in verdict) {
      return { confirmed, kept: await this.#keeper.keep(confirmed, stored.body, verdict) }
    }
    await this.#keeper.forget(exchange, stored)
    this.#parts.flights.end(exchange.flight, undefined)
    return { confirmed, refusal: verdict.refusal }
  }

  async #keepOrPassOn(received: Received, payload: unknown): Promise<unknown> {
    const { exchange, own } = received
    const body = bytesOf(payload)
    if (body !== undefined) {
      const read = await exchange.collecting?.made()
      const verdict = this.#keeper.judge(received, { read, bytes: body.length })
      if ('refusal' in verdict) return this.#refuse(received, payload, verdict)
      const kept = await this.#keeper.keep(received, body, verdict)
      if (!this.#route.forwards) return this.#answer(received, kept, { stored: true })
      received.reply.headers(verdict.toEdges)
      return this.#passOn(received, payload, kept)
    }
    const stream = streamOf(payload)
    const length = singleValue(own['content-length'])
    const read = await exchange.collecting?.madeUntilAnswer()
    const bytes = length === undefined ? 0 : Number(length)
    const verdict = this.#keeper.judge(received, { read, bytes, isPartial: true })
    if ('refusal' in verdict) return this.#refuse(received, payload, verdict)
    if (stream === undefined) return this.#refuse(received, payload, { ...verdict, refusal: 'too-large' })
    const passed = tee(stream, {
      maxBytes: this.#route.maxBodyBytes,
      detachedTimeoutMs,
      onAbandoned: () => this.#parts.flights.end(exchange.flight, undefined),
      onComplete: async (whole) => {
        const all = await exchange.collecting?.made()
        const isWhole = length === undefined || whole.length === Number(length)
        const last = this.#keeper.judge(received, { read: all, bytes: whole.length, tags: verdict.tags })
        if (isWhole && 'lifetime' in last) await this.#keeper.keep(received, whole, last)
        else this.#parts.flights.end(exchange.flight, undefined)
      },
    })
    received.reply.headers(verdict.toEdges)
    if (exchange.isBehind) passed.destroy() // it is gathered all the same
    return this.#passOn(received, exchange.isBehind ? '' : passed, 'stored')
  }

  /** It is not kept; those who wait go on by themselves. */
  async #refuse(received: Received, payload: unknown, { refusal, toEdges }: Refused): Promise<unknown> {
    const { exchange, response, reply } = received
    const { stored, isBehind, method } = exchange
    const { status } = response
    const isForAll =
      !isRequestSpecific(status) &&
      !isOfClient(refusal) &&
      !(this.#route.obeysDirectives && hasNoStore(exchange.fields))
    // What was kept has been replaced by something that is not: a failure leaves it, and so does what only one client wants.
    const isReplaced = method === 'GET' && isForAll && !failures.has(status)
    if (stored !== undefined && isReplaced) await this.#keeper.forget(exchange, stored)
    this.#parts.flights.end(exchange.flight, undefined)
    reply.headers(toEdges)
    return this.#passOn(received, isBehind ? discard(payload) : payload, undefined, refusal)
  }

  /** Sends what the handler sends, with what there is to say about it. */
  #passOn(received: Received, payload: unknown, kept: StoredResponse | 'stored' | undefined, detail?: string): unknown {
    const { reply, exchange, response } = received
    const { forwards } = this.#route
    const ttl = typeof kept === 'object' ? kept.ttlAt(response.receivedAt) : undefined
    const status = { ...(ttl === undefined ? {} : { ttl }), ...(kept === undefined ? {} : { stored: true }) }
    const told = this.#statusOf(received, { ...status, ...(detail === undefined ? {} : { detail }) })
    reply.header('cache-status', joinValues([...headerValues(response.fields['cache-status']), told]))
    const isReading = exchange.method === 'GET' || exchange.method === 'HEAD'
    if (!forwards && isReading) this.#describeOwn(received, payload)
    const { varyNames } = this.#route
    if (forwards && varyNames.length > 0) reply.header('vary', mergeVary(response.fields.vary, varyNames))
    const etag = singleValue(replyFields(reply).etag)
    const modifiedAt = dateField(response, 'last-modified')
    const isOurs = !forwards || exchange.isValidating
    const isRead = isReading && response.status === 200
    if (!isOurs || !isRead || (etag === undefined && modifiedAt === undefined)) return payload
    const held = { etag, modifiedAt: modifiedAt ?? response.receivedAt, compresses: this.#route.compresses }
    const known = matchingTag(held, exchange.fields, response.receivedAt)
    if (known === undefined) return payload
    if (known.etag !== undefined) reply.header('etag', known.etag)
    reply.code(304).removeHeader('content-type').removeHeader('content-length')
    if (exchange.method === 'HEAD') return payload // Fastify's own hook takes it away and says how long it is
    if (payload instanceof Readable) payload.resume() // nobody reads it, but it may be being kept
    return null // not '': that would say that the representation has no bytes, RFC 9110 §8.6
  }

  /** A response of ours that is not kept can be validated all the same, and is kept by nobody else for long. */
  #describeOwn({ reply, exchange, response }: Received, payload: unknown): void {
    const { fields } = response
    const body = bytesOf(payload)
    const isWhole = response.status === 200 && body !== undefined && body.length > 0
    if (isWhole && fields.etag === undefined) reply.header('etag', entityTagOf(body))
    if (fields['cache-control'] === undefined) {
      const isPersonal = exchange.reason === 'bypass' || exchange.hasCredentials || fields['set-cookie'] !== undefined
      reply.header('cache-control', isPersonal ? 'private, no-cache' : 'no-cache')
    }
    const vary = mergeVary(fields.vary, this.#route.varyNames, [...exchange.chosenBy], credentialVary(this.#route))
    if (vary !== '') reply.header('vary', vary)
    reply.header('server-timing', joinValues([...headerValues(fields['server-timing']), this.#timingOf(exchange)]))
  }

  /** Answers with what is kept instead of what the handler has sent. */
  #answer(received: Received, stored: StoredResponse, status: TierStatus): unknown {
    const { request, reply, exchange, response } = received
    if (exchange.isBehind) return ''
    const { forwards } = this.#route
    const answer = answerFrom({
      stored,
      method: exchange.method,
      fields: exchange.fields,
      now: response.receivedAt,
      status: (ttl) => this.#statusOf(received, { ...status, ttl }),
      timing: forwards ? undefined : this.#timingOf(exchange),
      isHeadReused: false,
      isStaleIfError: status.detail === 'stale-if-error',
      onEncoded: () => this.#parts.resources.recomputeSize(exchange.asked.key),
    })
    const sent = replaceReply(reply, exchange.ahead, answer)
    // Fastify's own routes for HEAD want the body, to say how long it is.
    return request.raw.method === 'HEAD' ? stored.body : sent
  }

  #statusOf({ exchange, originStatus }: Received, status: TierStatus): string {
    const { name } = this.#parts.options
    const told = { forward: exchange.reason, forwardStatus: originStatus, ...status }
    const own = formatTierStatus(name, told)
    return this.#route.isShared && exchange.mayKeep ? `${formatTierStatus(`${name}-Redis`, told)}, ${own}` : own
  }

  #timingOf({ reason, requestedAt }: Exchange): string {
    return `cache;desc=${reason}, origin;dur=${this.#parts.options.now() - requestedAt}`
  }

  /**
   * A HEAD tells of the representation that a GET would get: what is kept of the same one is brought up to date, what is kept of
   * another one goes. RFC 9111 §4.3.5.
   */
  async #learnFromHead(received: Received): Promise<void> {
    const { exchange, response } = received
    const { stored } = exchange
    if (stored === undefined || response.status !== 200) return
    const told = ['etag', 'last-modified'].filter((name) => response.fields[name] !== undefined)
    const isSame = told.every((name) => String(response.fields[name]) === String(stored.fields[name]))
    const length = singleValue(response.fields['content-length'])
    const isAsLong = length === undefined || Number(length) === stored.body.length
    if (!isSame || !isAsLong) await this.#keeper.forget(exchange, stored)
    else if (told.length > 0)
      await this.#bringUpToDate({ ...received, exchange: { ...exchange, method: 'GET' } }, stored)
  }
}

/** Whether a response is not stored because of who asked for it: it does not replace what is stored for others. */
function isOfClient(refusal: Refused['refusal']): boolean {
  return refusal === 'authorization' || refusal === 'cookie' || refusal === 'set-cookie'
}

/** The fields without what is said to edges in our own name. */
function stated({ fields, browserTtlSeconds }: StoredResponse): Fields {
  const { 'cdn-cache-control': toEdges, ...others } = fields
  // Of who says `no-store` itself nothing is stored.
  return browserTtlSeconds !== undefined || toEdges === 'no-store' ? others : fields
}

/** Fields of the connection to the other server end here. RFC 9110 §7.6.1. */
function dropConnectionFields(reply: FastifyReply, ahead: ReplyFields, isClosing: boolean): void {
  const own = fieldsChangedSince(reply, ahead)
  for (const name of Object.keys(own)) if (isHopByHop(name, own.connection)) reply.removeHeader(name)
  if (isClosing && reply.request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
}
