import { validateHeaderValue } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Dependencies } from '../cache/index.js'
import { entityTagOf } from '../http/conditional.js'
import { isCompressible } from '../http/encoding.js'
import { type Fields, headerValues } from '../http/fields.js'
import {
  allowsStale,
  type CacheControl,
  correctedInitialAgeMs,
  type FreshnessLifetime,
  freshnessLifetime,
  type Instants,
  instantsOf,
} from '../http/freshness.js'
import { credentialFields, hasNoStore } from '../http/request-fields.js'
import { type NotStorableReason, notStorableReason, withheldFields } from '../http/storable.js'
import { mergeVary, varyNames } from '../http/vary.js'
import { endToEndFields, StoredResponse } from '../responses/stored-response.js'
import { formatTags, parseTags } from '../responses/tag-header.js'
import { raceTimeout } from '../timeout.js'
import type { EdgeParts } from './edge-parts.js'
import type { Exchange } from './exchange.js'
import { isTag, type ResolvedRoute } from './options.js'
import type { Received } from './received.js'
import { credentialVary, negotiated } from './visible-headers.js'

/** Fields that tell edges in front of this one how they can purge a response, or that they must not keep it. */
export type ToEdges = Readonly<Record<string, string>>

/** What a response is kept as. */
export interface Keeping {
  readonly toEdges: ToEdges
  readonly lifetime: FreshnessLifetime
  readonly tags: readonly string[]
  /** What it was made from, the tags included that nothing has been read with. */
  readonly made: Dependencies | undefined
}

export interface Refused {
  readonly toEdges: ToEdges
  readonly refusal: NotStorableReason | 'too-large' | 'invalidated' | 'derived' | 'tags'
}

/** Whether a response is kept, and why not. */
export type Verdict = Refused | Keeping

/** What there is of a response when it is judged. */
export interface Content {
  readonly read: Dependencies | undefined
  readonly bytes: number
  /** Those that were known when it began, the ones of the route included. */
  readonly tags?: readonly string[]
  /** Whether it is still being made, and may depend on more than is known. */
  readonly isPartial?: boolean
}

const notForEdges: ToEdges = { 'cdn-cache-control': 'no-store' }

/** Milliseconds that an answer waits to lie in the shared store, where whoever asks next, and elsewhere, looks for it. */
const putPatienceMs = 300

/** What of a route's responses is kept, and as what. */
export class Keeper {
  readonly #parts: EdgeParts
  readonly #route: ResolvedRoute
  readonly #warned = new Set<string>()

  constructor(parts: EdgeParts, route: ResolvedRoute) {
    this.#parts = parts
    this.#route = route
  }

  /** Whether the response may be kept, and for how long it is fresh. */
  judge(received: Received, { read, bytes, tags: known, isPartial = false }: Content): Verdict {
    const { exchange, response, own, control } = received
    const { method, fields } = exchange
    const { freshness, obeysDirectives, maxBodyBytes, forwards } = this.#route
    const lifetime = freshnessLifetime(response, control, freshness)
    const request = {
      method,
      hasNoStore: obeysDirectives && hasNoStore(fields),
      hasAuthorization: forwards && fields.authorization !== undefined,
      hasCookie: forwards && fields.cookie !== undefined,
    }
    const refusal = notStorableReason(request, response, control, lifetime)
    if (refusal !== undefined || lifetime === undefined) return { refusal: refusal ?? 'no-lifetime', toEdges: {} }
    // Where the handler says nothing we say that it is kept by nobody.
    const toNone = lifetime.isExplicit || control.directives.size > 0 ? notForEdges : {}
    const listed = known ?? this.#explicitTags(received.request)
    if (listed === undefined) return { refusal: 'tags', toEdges: toNone }
    const tags = this.#usable([...listed, ...this.#ownTags(own), ...(read?.tags ?? [])])
    const made = read?.withTags(tags)
    const isDerivedOfOld = made !== undefined && !(made.freshForMs > 0 && made.isCurrent())
    if (isDerivedOfOld) return { refusal: 'derived', toEdges: toNone }
    const toEdges = { ...this.#fieldsOf(tags), ...(isPartial && !forwards ? toNone : {}) }
    if (this.#isInvalidated(exchange, made)) return { refusal: 'invalidated', toEdges }
    if (bytes > maxBodyBytes || !isSendable(own)) return { refusal: 'too-large', toEdges }
    if (!forwards && !this.#isVaryCovered(exchange, own)) return { refusal: 'vary', toEdges }
    return { lifetime, tags, made, toEdges }
  }

  /** Whether something has changed what was asked for since then. RFC 9111 §4.4. */
  #isInvalidated({ asked, invalidations }: Exchange, made: Dependencies | undefined): boolean {
    const { shared } = this.#parts
    if (this.#parts.invalidations.isAfter(invalidations, asked.key, asked.path)) return true
    return this.#route.isShared && made !== undefined && shared?.isInvalidated(asked, made) === true
  }

  /** Whether the key has all that the handler, and the hooks ahead of it, say the response depends on. */
  #isVaryCovered(exchange: Exchange, own: Fields): boolean {
    const { varyNames, visibleHeaders, bypassesCredentials } = this.#route
    const absent = bypassesCredentials ? credentialFields : [] // requests with one of them bypass the cache
    const covered = new Set([...varyNames, ...visibleHeaders, ...negotiated, ...absent])
    const foreign = this.#statedNames(exchange, own).filter((name) => !covered.has(name))
    if (foreign.length === 0) return true
    this.#warnOnce(`a response varies by ${foreign.join(', ')}, which the option vary does not name: it is not kept`)
    return false
  }

  /** Keeps the response, and lets those who wait have it. */
  async keep(received: Received, body: Buffer, keeping: Keeping): Promise<StoredResponse> {
    const { exchange, response } = received
    const { resources, shared } = this.#parts
    const { asked } = exchange
    const { maxVariants, isShared } = this.#route
    const stored = this.#storedFrom(received, body, keeping)
    const putting = isShared && !stored.isDerived ? shared?.put(asked, stored, maxVariants) : undefined
    const kept = (putting && (await raceTimeout(putting, putPatienceMs))?.value) ?? stored
    if (this.#isInvalidated(exchange, keeping.made)) {
      await this.forget(exchange, kept) // its target changed while it was on its way there
      this.#parts.flights.end(exchange.flight, undefined)
      return kept
    }
    this.#parts.tally.stored += 1
    resources.put(asked.key, asked.path, kept, { maxVariants, requestedAt: exchange.requestedAt })
    this.#parts.pauses.succeeded(exchange.name)
    this.#parts.flights.end(exchange.flight, kept.isFresh(response.receivedAt) ? kept : undefined)
    return kept
  }

  /** What is kept is not what the origin would answer, or must not be kept any longer: it goes from all tiers. */
  async forget({ asked }: Exchange, stored: StoredResponse): Promise<void> {
    this.#parts.resources.remove(asked.key, stored)
    if (this.#route.isShared) await this.#parts.shared?.remove(asked.key, stored)
  }

  #storedFrom(received: Received, body: Buffer, { lifetime, tags, made, toEdges }: Keeping): StoredResponse {
    const { exchange, response, control, own, removed } = received
    const { forwards, compresses, freshness, varyNames: byRoute } = this.#route
    const fields = endToEndFields(withoutNamed(own, control))
    for (const name of removed) fields[name] ??= [] // not to come back with the hook
    const isOurs = !forwards && !lifetime.isExplicit && response.fields['cache-control'] === undefined
    const isDerived = made !== undefined && made.freshForMs < Number.POSITIVE_INFINITY
    const bornAt = response.receivedAt - correctedInitialAgeMs(response)
    const instants = capped(
      instantsOf(response, control, lifetime, freshness),
      made && response.receivedAt + made.freshForMs,
    )
    const names = forwards ? unique([...byRoute, ...varyNames(response.fields)]) : this.#ownVary(exchange, own)
    if (forwards && byRoute.length > 0) fields.vary = mergeVary(own.vary, byRoute)
    if (!forwards) {
      if (fields.etag === undefined) fields.etag = entityTagOf(body)
      const isCoded = compresses && isCompressible(response.status, fields, body)
      const vary = mergeVary(own.vary, names, credentialVary(this.#route), isCoded ? 'Accept-Encoding' : undefined)
      if (vary !== '') fields.vary = vary
    }
    if (isOurs) fields['cdn-cache-control'] ??= targeted(instants, bornAt)
    Object.assign(fields, toEdges)
    return new StoredResponse({
      status: response.status,
      fields,
      body,
      bornAt,
      receivedAt: response.receivedAt,
      instants,
      varyNames: names,
      varyValues: names.map((name) => exchange.variantOf(name)),
      browserTtlSeconds: isOurs ? this.#route.browserSeconds : undefined,
      compresses,
      allowsStale: allowsStale(control),
      hasOwnValidator: own.etag !== undefined || own['last-modified'] !== undefined,
      isDerived,
      tags,
      dependencies: made,
    })
  }

  /** Request fields that a response of ours is told apart by: those of the route, and those that it was chosen by. */
  #ownVary(exchange: Exchange, own: Fields): string[] {
    const stated = this.#statedNames(exchange, own)
    return unique([...this.#route.varyNames, ...exchange.chosenBy, ...stated])
  }

  /** Request fields that the handler says it has chosen by, or hooks ahead of it, which see all of them. */
  #statedNames({ ahead }: Exchange, own: Fields): string[] {
    const byHooks = varyNames({ vary: String(ahead.vary ?? '') })
    // Codings are made here, and what a hook tells an origin it tells at every request.
    const isApart = (name: string) => name === 'accept-encoding' || (name === 'origin' && byHooks.includes(name))
    return [...varyNames(own), ...byHooks].filter((name) => this.#route.visibleHeaders.has(name) || !isApart(name))
  }

  /** The tags that the handler has set itself. */
  #ownTags(own: Fields): string[] {
    const { tagHeader } = this.#parts.options
    if (tagHeader === undefined) return []
    return headerValues(own[tagHeader.toLowerCase()]).flatMap((line) => parseTags(tagHeader, line))
  }

  /** An edge that could not purge a response must not keep it. */
  #fieldsOf(tags: readonly string[]): ToEdges {
    const { tagHeader } = this.#parts.options
    if (tagHeader === undefined || tags.length === 0) return {}
    const value = formatTags(tagHeader, tags)
    if (value !== undefined) return { [tagHeader.toLowerCase()]: value }
    this.#warnOnce(`a response has more tags than ${tagHeader} can hold`)
    return notForEdges
  }

  #usable(tags: readonly string[]): string[] {
    const usable = tags.filter(isTag)
    if (usable.length < tags.length) this.#warnOnce('a tag is no word of 1 to 128 characters, and is left out')
    return [...new Set(usable)]
  }

  /** The tags that the route gives; `undefined` where it fails to, and nobody could purge what has them. */
  #explicitTags(request: FastifyRequest): readonly string[] | undefined {
    try {
      const tags: unknown = this.#route.tagsOf(request)
      if (Array.isArray(tags)) return tags
      this.#warnOnce('the option tags gives no list: the response is not kept')
    } catch (error) {
      this.#warnOnce(`the option tags fails (${String(error)}): the response is not kept`)
    }
    return undefined
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message) || this.#warned.size > 100) return
    this.#warned.add(message)
    this.#parts.log.warn({ kind: 'edge' }, message)
  }
}

/** The names in order, each once, so that lists of them can be compared. */
function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}

/** The fields without those that are for this client only. */
function withoutNamed(fields: Fields, control: CacheControl): Fields {
  const named = withheldFields(control)
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

/** Whether Node would send the fields: it throws at some, and a stored response is sent where nobody catches. */
function isSendable(fields: Fields): boolean {
  try {
    for (const [name, lines] of Object.entries(fields))
      for (const line of headerValues(lines)) validateHeaderValue(name, line)
    return true
  } catch {
    return false
  }
}
