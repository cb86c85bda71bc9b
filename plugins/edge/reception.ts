import { validateHeaderValue } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Made } from '../cache/index.js'
import { answerFrom } from './answer.js'
import { formatTierStatus, type TierStatus } from './cache-status.js'
import { entityTagOf, isNotModified, matchesAny } from './conditional.js'
import { fieldsNamedBy } from './directives.js'
import type { EdgeParts } from './edge-parts.js'
import { isCompressible } from './encoding.js'
import type { Exchange } from './exchange.js'
import { type FieldLines, type Fields, isHopByHop, linesOf, soleLine } from './fields.js'
import {
  type CacheControl,
  cacheControlOf,
  type Instants,
  initialAgeMs,
  instantsOf,
  type Lifetime,
  lifetimeOf,
  mayEverBeStale,
  type ReceivedResponse,
} from './freshness.js'
import { invalidate } from './invalidation.js'
import { isSafe } from './methods.js'
import { isTag, type ResolvedRoute } from './options.js'
import { fieldsOf, fieldsSince, type ReplyFields, sendThrough } from './sending.js'
import { allowsAuthorization, type Refusal, refusalOf } from './storable.js'
import { endToEnd, StoredResponse, updatedFields } from './stored-response.js'
import { formatTags, parseTags } from './surrogate-keys.js'
import { tee } from './tee.js'
import { mergeVary, varyNames } from './vary.js'
import { negotiated } from './visible-headers.js'

/** What the handler has answered, on its way to be sent. */
interface Received {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly exchange: Exchange
  /** With all fields, those set ahead of the handler included. */
  readonly response: ReceivedResponse
  /** What the handler answered, before anything was made of it. */
  readonly originStatus: number
  /** The fields that the handler has set. */
  readonly own: Record<string, FieldLines>
  readonly control: CacheControl
}

/** Whether a response is kept, and why not. */
type Verdict =
  | { readonly refusal: Refusal | 'too-large' | 'invalidated' | 'derived' | 'tags' }
  | { readonly lifetime: Lifetime }

/** Statuses that say that the origin, or somebody on the way to it, has failed. RFC 5861 §4. */
const failures = new Set([500, 502, 503, 504])
/** Milliseconds for which a response is still gathered when its client has gone away. */
const alonePatienceMs = 30_000

/** The responses of one route: which of them are kept, and what is told of them. */
export class Reception {
  readonly #parts: EdgeParts
  readonly #route: ResolvedRoute
  readonly #warned = new Set<string>()

  constructor(parts: EdgeParts, route: ResolvedRoute) {
    this.#parts = parts
    this.#route = route
  }

  /** The hook: sees what the handler sends, and gives what is sent instead. */
  readonly receive = (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    send: (error: Error | null, payload: unknown) => void,
  ): void => {
    const exchange = this.#parts.exchanges.get(request)
    if (exchange === undefined) {
      send(null, payload)
      return
    }
    this.#parts.exchanges.delete(request) // an error on the way from here sends another payload
    exchange.uncover()
    this.#receive(request, reply, exchange, payload).then(
      (sent) => send(null, sent),
      (error: unknown) => {
        this.#land(exchange, undefined)
        send(error as Error, undefined) // what else would be thrown
      },
    )
  }

  async #receive(request: FastifyRequest, reply: FastifyReply, exchange: Exchange, payload: unknown): Promise<unknown> {
    if (this.#route.forwards) dropConnectionFields(reply, exchange.ahead, this.#parts.isClosing)
    const response = {
      status: reply.statusCode,
      fields: fieldsOf(reply),
      requestedAt: exchange.requestedAt,
      receivedAt: this.#parts.options.now(),
    }
    const own = fieldsSince(reply, exchange.ahead)
    const control = cacheControlOf(response.fields)
    const received = { request, reply, exchange, response, originStatus: response.status, own, control }
    const { stored, method, isValidating } = exchange
    if (!isSafe(method)) {
      await invalidate(this.#parts, this.#route, request, response)
      return this.#passOn(received, payload, undefined)
    }
    if (isValidating && response.status === 304) return this.#confirm(received, payload)
    if (stored !== undefined && failures.has(response.status)) {
      this.#parts.pauses.begin(exchange.name)
      if (stored.mayBeStale(response.receivedAt, stored.instants.staleUntil, true)) {
        discard(payload)
        this.#land(exchange, undefined)
        return this.#answer(received, stored, { detail: 'stale-if-error' })
      }
    }
    if (method === 'HEAD') this.#compareWithHead(received)
    return this.#keepOrPassOn(received, payload)
  }

  /** The origin says that what is kept is still what it would answer: its fields are brought up to date. RFC 9111 §4.3.4. */
  async #confirm(received: Received, payload: unknown): Promise<unknown> {
    const { exchange, response, own } = received
    const { stored } = exchange
    discard(payload)
    if (stored === undefined) return this.#passOn(received, null, undefined)
    const etag = soleLine(response.fields.etag)
    if (etag !== undefined && !matchesAny(etag, stored.etag)) {
      // It speaks of another representation. What is kept is all there is to answer with, this once.
      this.#parts.resources.remove(exchange.asked.key, stored)
      this.#land(exchange, undefined)
      return this.#answer(received, stored, {})
    }
    const fields = updatedFields(stored.fields, own)
    const updated = { ...response, status: stored.status, fields }
    const control = cacheControlOf(fields)
    const confirmed = { ...received, response: updated, own: fields, control }
    const made = await exchange.collecting?.made()
    const verdict = this.#judge(confirmed, made, stored.body.length)
    if ('refusal' in verdict) {
      this.#parts.resources.remove(exchange.asked.key, stored)
      this.#land(exchange, undefined)
      return this.#answer(confirmed, stored, { detail: verdict.refusal })
    }
    const kept = await this.#keep(confirmed, stored.body, verdict.lifetime, made)
    return this.#answer(confirmed, kept, { stored: true })
  }

  async #keepOrPassOn(received: Received, payload: unknown): Promise<unknown> {
    const { exchange, own } = received
    const body = bytesOf(payload)
    if (body !== undefined) {
      const made = await exchange.collecting?.made()
      const verdict = this.#judge(received, made, body.length)
      if ('refusal' in verdict) return this.#refuse(received, payload, verdict.refusal)
      const kept = await this.#keep(received, body, verdict.lifetime, made)
      return this.#route.forwards
        ? this.#passOn(received, payload, kept)
        : this.#answer(received, kept, { stored: true })
    }
    const stream = streamOf(payload)
    const length = soleLine(own['content-length'])
    const verdict = this.#judge(received, undefined, length === undefined ? 0 : Number(length))
    if (stream === undefined || 'refusal' in verdict) {
      return this.#refuse(received, payload, 'refusal' in verdict ? verdict.refusal : 'too-large')
    }
    const passed = tee(stream, {
      maxBytes: this.#route.maxBodyBytes,
      alonePatienceMs,
      onGivenUp: () => this.#land(exchange, undefined),
      onWhole: async (whole) => {
        const made = await exchange.collecting?.made()
        const isWhole = length === undefined || whole.length === Number(length)
        const last = this.#judge(received, made, whole.length)
        if (isWhole && 'lifetime' in last) await this.#keep(received, whole, last.lifetime, made)
        else this.#land(exchange, undefined)
      },
    })
    if (exchange.isBehind) passed.destroy() // it is gathered all the same
    return this.#passOn(received, exchange.isBehind ? '' : passed, 'stored')
  }

  /** Whether the response may be kept, and for how long it is fresh. */
  #judge({ exchange, response, own, control }: Received, made: Made | undefined, bytes: number): Verdict {
    const { method, fields, mayKeep, asked, invalidations } = exchange
    const { freshness, obeysDirectives, maxBodyBytes, forwards } = this.#route
    const lifetime = lifetimeOf(response, control, freshness)
    const refusal = refusalOf({ method, fields, obeysDirectives }, response, control, lifetime)
    if (refusal !== undefined || lifetime === undefined) return { refusal: refusal ?? 'no-lifetime' }
    if (!mayKeep) return { refusal: 'no-store' }
    if (bytes > maxBodyBytes || !isSendable(own)) return { refusal: 'too-large' }
    if (this.#parts.invalidations.isAfter(invalidations, asked.key, asked.path)) return { refusal: 'invalidated' }
    if (made !== undefined && !(made.freshUntil > response.receivedAt && made.isCurrent()))
      return { refusal: 'derived' }
    if (!forwards && !this.#isVaryCovered(exchange, own)) return { refusal: 'vary' }
    return { lifetime }
  }

  /** Whether the key has all that the handler says its response depends on: it cannot have seen anything else. */
  #isVaryCovered({ chosenBy }: Exchange, own: Fields): boolean {
    const covered = new Set([
      ...this.#route.vary.map(({ name }) => name),
      ...chosenBy,
      ...negotiated,
      'accept-encoding',
    ])
    const foreign = varyNames(own).filter((name) => !covered.has(name) && !this.#route.visibleHeaders.has(name))
    if (foreign.length === 0) return true
    this.#warnOnce(`a response varies by ${foreign.join(', ')}, which the option vary does not name: it is not kept`)
    return false
  }

  /** Keeps the response, and lets those who wait have it. */
  async #keep(received: Received, body: Buffer, lifetime: Lifetime, made: Made | undefined): Promise<StoredResponse> {
    const { exchange, response } = received
    const { resources, shared } = this.#parts
    const { asked, method } = exchange
    const { maxVariants, isShared } = this.#route
    const stored = this.#storedFrom(received, body, lifetime, made)
    const inStore = isShared && !stored.isDerived ? await shared?.put(asked, stored, maxVariants) : undefined
    const kept = inStore ?? stored
    this.#parts.tally.stored += 1
    if (method === 'GET') resources.put(asked.key, asked.path, kept, maxVariants)
    this.#parts.pauses.end(exchange.name)
    this.#land(exchange, kept.isFresh(response.receivedAt) ? kept : undefined)
    return kept
  }

  #storedFrom(received: Received, body: Buffer, lifetime: Lifetime, made: Made | undefined): StoredResponse {
    const { exchange, response, control, own, request } = received
    const { forwards, compresses, freshness } = this.#route
    const { tagHeader } = this.#parts.options
    const tags = this.#tagsOf(request, own, made)
    const whole = made?.alsoTagged(tags)
    const fields = endToEnd(withoutNamed(own, control))
    const isOurs = !forwards && !lifetime.isExplicit && response.fields['cache-control'] === undefined
    const isDerived = made !== undefined && made.freshUntil < Number.POSITIVE_INFINITY
    const bornAt = response.receivedAt - initialAgeMs(response)
    const instants = capped(instantsOf(response, control, lifetime, freshness), made?.freshUntil)
    const names = forwards ? varyNames(response.fields) : this.#ownVary(exchange, own)
    if (!forwards) {
      if (fields.etag === undefined) fields.etag = entityTagOf(body)
      const isCoded = compresses && isCompressible(response.status, fields, body)
      const vary = mergeVary(own.vary, names, isCoded ? 'Accept-Encoding' : undefined)
      if (vary !== '') fields.vary = vary
    }
    if (isOurs) fields['cdn-cache-control'] ??= targeted(instants, bornAt)
    if (tagHeader !== undefined && tags.length > 0) {
      const value = formatTags(tagHeader, tags)
      if (value !== undefined) fields[tagHeader.toLowerCase()] = value
      else if (isOurs) fields['cdn-cache-control'] = 'no-store' // an edge that could not purge it must not keep it
      if (value === undefined) this.#warnOnce(`a response has more tags than ${tagHeader} can hold`)
    }
    return new StoredResponse({
      status: response.status,
      fields,
      body,
      bornAt,
      receivedAt: response.receivedAt,
      instants,
      varyNames: names,
      varyValues: names.map((name) => exchange.variantOf(name)),
      allowsAuthorization: allowsAuthorization(control),
      browserSeconds: isOurs ? this.#route.browserSeconds : undefined,
      compresses,
      mayEverBeStale: mayEverBeStale(control),
      hasOwnValidator: own.etag !== undefined || own['last-modified'] !== undefined,
      isDerived,
      tags,
      made: whole,
    })
  }

  /** Request fields that a response of ours is told apart by: those of the route, and those that it was chosen by. */
  #ownVary({ chosenBy }: Exchange, own: Fields): string[] {
    const stated = varyNames(own).filter((name) => negotiated.some((field) => field === name))
    return [...new Set([...this.#route.vary.map(({ name }) => name), ...chosenBy, ...stated])].sort()
  }

  #tagsOf(request: FastifyRequest, own: Fields, made: Made | undefined): string[] {
    const { tagHeader } = this.#parts.options
    const stated = tagHeader === undefined ? [] : linesOf(own[tagHeader.toLowerCase()])
    const byHandler = tagHeader === undefined ? [] : stated.flatMap((line) => parseTags(tagHeader, line))
    const tags = [...new Set([...this.#route.tagsOf(request), ...byHandler, ...(made?.tags ?? [])])]
    const usable = tags.filter(isTag)
    if (usable.length < tags.length) this.#warnOnce('a tag is no word of 1 to 128 characters, and is left out')
    return usable
  }

  /** It is not kept; those who wait go on by themselves. */
  #refuse(received: Received, payload: unknown, refusal: string): unknown {
    const { exchange, response } = received
    const { stored, asked, isBehind } = exchange
    // What was kept has been replaced by something that is not: only a failure leaves it.
    if (
      stored !== undefined &&
      !failures.has(response.status) &&
      exchange.method === 'GET' &&
      response.status !== 304
    ) {
      this.#parts.resources.remove(asked.key, stored)
    }
    this.#land(exchange, undefined)
    return this.#passOn(received, isBehind ? discard(payload) : payload, undefined, refusal)
  }

  /** Sends what the handler sends, with what there is to say about it. */
  #passOn(received: Received, payload: unknown, kept: StoredResponse | 'stored' | undefined, detail?: string): unknown {
    const { reply, exchange, response } = received
    const { forwards } = this.#route
    const ttl = kept instanceof StoredResponse ? kept.ttlAt(response.receivedAt) : undefined
    const status = { ...(ttl === undefined ? {} : { ttl }), ...(kept === undefined ? {} : { stored: true }) }
    const told = this.#statusOf(received, { ...status, ...(detail === undefined ? {} : { detail }) })
    reply.header('cache-status', [...linesOf(response.fields['cache-status']), told])
    const isReading = exchange.method === 'GET' || exchange.method === 'HEAD'
    if (!forwards && isReading) this.#describeOwn(received, payload)
    const etag = soleLine(fieldsOf(reply).etag)
    const modified = soleLine(response.fields['last-modified'])
    const isOurs = !forwards || exchange.isValidating
    const isRead = isReading && response.status === 200
    if (!isOurs || !isRead || (etag === undefined && modified === undefined)) return payload
    const modifiedAt = modified === undefined ? response.receivedAt : Date.parse(modified)
    if (!isNotModified(exchange.fields, { etag, modifiedAt }, response.receivedAt)) return payload
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
      const isPersonal = exchange.fields.authorization !== undefined || fields['set-cookie'] !== undefined
      reply.header('cache-control', isPersonal ? 'private, no-cache' : 'no-cache')
    }
    const vary = mergeVary(
      fields.vary,
      this.#route.vary.map(({ name }) => name),
    )
    if (vary !== '') reply.header('vary', vary)
    reply.header('server-timing', [...linesOf(fields['server-timing']), this.#timingOf(exchange)])
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
      isUsual: false,
      onCoded: () => this.#parts.resources.weigh(exchange.asked.key),
    })
    const sent = sendThrough(reply, exchange.ahead, answer)
    // Fastify's own routes for HEAD want the body, to say how long it is.
    return request.raw.method === 'HEAD' && answer.status !== 304 ? stored.body : sent
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

  /** A HEAD tells of the representation that a GET would get: what is kept of another one is out of date. RFC 9111 §4.3.5. */
  #compareWithHead({ exchange, response }: Received): void {
    const { stored, asked } = exchange
    if (stored === undefined || response.status !== 200) return
    const isSame = ['etag', 'last-modified'].every((name) => {
      const field = response.fields[name]
      return field === undefined || String(field) === String(stored.fields[name])
    })
    const length = soleLine(response.fields['content-length'])
    const isAsLong = length === undefined || Number(length) === stored.body.length
    if (!isSame || !isAsLong) this.#parts.resources.remove(asked.key, stored)
  }

  #land({ flight, name }: Exchange, stored: StoredResponse | undefined): void {
    if (flight !== undefined) this.#parts.flights.end(name, flight, stored)
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message) || this.#warned.size > 100) return
    this.#warned.add(message)
    this.#parts.log.warn({ kind: 'edge' }, message)
  }
}

/** The fields without those that `private` and `no-cache` name: they are not for everybody, or not without asking. RFC 9111 §5.2.2. */
function withoutNamed(fields: Fields, { directives }: CacheControl): Fields {
  const named = ['private', 'no-cache'].flatMap((name) => fieldsNamedBy(directives, name) ?? [])
  if (named.length === 0) return fields
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !named.includes(name)))
}

/** What was made from entries of the cache is not used beyond their freshness, stale neither: the cache sees to that. */
function capped(instants: Instants, until = Number.POSITIVE_INFINITY): Instants {
  return {
    freshUntil: Math.min(instants.freshUntil, until),
    revalidateUntil: Math.min(instants.revalidateUntil, until),
    staleUntil: Math.min(instants.staleUntil, until),
  }
}

/** The lifetime for edges in front of this one, who take off the age that is told beside it. RFC 9213, RFC 5861. */
function targeted({ freshUntil, revalidateUntil, staleUntil }: Instants, bornAt: number): string {
  const seconds = (ms: number) => Math.floor(ms / 1_000)
  const windows = { 'stale-while-revalidate': revalidateUntil - freshUntil, 'stale-if-error': staleUntil - freshUntil }
  const directives = Object.entries(windows).map(([name, ms]) => (ms >= 1_000 ? `, ${name}=${seconds(ms)}` : ''))
  return `max-age=${seconds(freshUntil - bornAt)}${directives.join('')}`
}

/** The bytes of a payload that is here as a whole; a copy, for its owner may go on writing to it. */
function bytesOf(payload: unknown): Buffer | undefined {
  if (payload === undefined || payload === null) return Buffer.alloc(0)
  return typeof payload === 'string' || payload instanceof Uint8Array ? Buffer.from(payload) : undefined
}

function streamOf(payload: unknown): Readable | undefined {
  if (payload instanceof Readable) return payload
  return payload instanceof ReadableStream ? Readable.fromWeb(payload) : undefined
}

function discard(payload: unknown): null {
  streamOf(payload)
    ?.on('error', () => undefined)
    .destroy() // nobody is going to read it, nor to hear of it
  return null
}

/** Whether Node would send the fields: it throws at some, and a stored response is sent where nobody catches. */
function isSendable(fields: Fields): boolean {
  try {
    for (const [name, lines] of Object.entries(fields))
      for (const line of linesOf(lines)) validateHeaderValue(name, line)
    return true
  } catch {
    return false
  }
}

/** Fields of the connection to the other server end here. RFC 9110 §7.6.1. */
function dropConnectionFields(reply: FastifyReply, ahead: ReplyFields, isClosing: boolean): void {
  const own = fieldsSince(reply, ahead)
  for (const name of Object.keys(own)) if (isHopByHop(name, own.connection)) reply.removeHeader(name)
  if (isClosing) reply.header('connection', 'close')
}
