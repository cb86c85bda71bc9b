import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import { type CdnFields, unstoredFields } from '../http/cdn-fields.js'
import type { Fields } from '../http/fields.js'
import { statedInitialAgeMs } from '../http/freshness.js'
import { BackgroundRefreshes } from './background-refresh.js'
import { BufferBudget } from './buffer-budget.js'
import { InFlightRequests } from './collapsing.js'
import { Counters, type HttpCacheStats } from './counters.js'
import { FailureBackoff } from './failure-backoff.js'
import type { HandlerResponse } from './handler-response.js'
import { InvalidationLog } from './invalidation-log.js'
import type { RequestContext } from './request-context.js'
import type { PurgeMatch } from './response-purge.js'
import { ResponseStore } from './response-store.js'
import { versionVary } from './route-constraints.js'
import type { Replayed } from './send.js'
import type { StoredResponse } from './stored-response.js'
import type { TagHeader } from './tag-header.js'
import { authorityOf, type OriginOf } from './target-key.js'

/** Options of a registration, completed. */
export interface CacheContextOptions {
  /** Name in `Cache-Status`. */
  readonly name: string
  readonly tagHeader: TagHeader | false
  readonly maxTagHeaderBytes: number
  readonly maxMemoryBytes: number
  readonly collapseTimeoutMs: number
  readonly now: () => number
}

/** What the routes of one registration share. */
export class CacheContext {
  readonly options: CacheContextOptions
  readonly store: ResponseStore
  readonly inFlight: InFlightRequests
  readonly backoff: FailureBackoff
  readonly invalidations = new InvalidationLog()
  readonly refreshes: BackgroundRefreshes
  /** Memory for streams that are being collected: half as much as for stored responses. */
  readonly streamBudget: BufferBudget
  readonly counters = new Counters()
  /** What keys of target URIs have before the path. */
  readonly originOf: OriginOf = authorityOf
  /** What a stored response with these fields says if it is sent with a cookie of one client. */
  readonly personalFields = (stated: Fields): CdnFields => unstoredFields(stated, { isPersonal: true })
  /** The context of each request that the handler answers. */
  readonly forwarded = new WeakMap<FastifyRequest, RequestContext>()
  /** What is sent of stored responses through `onSend` hooks. */
  readonly replayed = new WeakMap<FastifyRequest, Replayed>()
  readonly log: FastifyBaseLogger
  #constraintVary: readonly string[] = []
  #isClosing = false

  constructor(app: FastifyInstance, options: CacheContextOptions) {
    this.options = options
    this.store = new ResponseStore(options.maxMemoryBytes)
    this.streamBudget = new BufferBudget(options.maxMemoryBytes / 2)
    this.inFlight = new InFlightRequests(options)
    this.backoff = new FailureBackoff(options.now)
    this.refreshes = new BackgroundRefreshes(app)
    this.log = app.log
    app.addHook('onReady', async () => {
      this.#constraintVary = versionVary(app)
    })
    app.addHook('preClose', async () => {
      this.#isClosing = true
      this.refreshes.stop()
    })
    app.addHook('onClose', () => this.refreshes.close())
  }

  /** Call it for a response that is not stored: ends its tracking and the waiting of collapsed requests. */
  endUnstored({ dependencies, inFlight }: RequestContext, { isHitForMiss = true } = {}): void {
    dependencies?.abandon()
    if (isHitForMiss) this.inFlight.end(inFlight, undefined)
    else this.inFlight.abandon(inFlight)
  }

  /**
   * Call it for a response that is stored. The collapsed requests receive it if it was fresh when the handler generated it, also where
   * its lifetime ended before it was there: nothing is fresher.
   */
  endStored({ context, response }: HandlerResponse, stored: StoredResponse, maxVariants: number): void {
    const { key, requestedAt, collapseKey, inFlight } = context
    this.counters.stored += 1
    this.store.put(key.key, key.path, stored, { maxVariants, requestedAt })
    this.backoff.succeeded(collapseKey)
    this.inFlight.end(inFlight, stored.isFreshAt(stored.bornAt + statedInitialAgeMs(response)) ? stored : undefined)
  }

  /** Removes responses from memory, also those that are being generated; gives the number of stored ones. */
  purge(matches: PurgeMatch): number {
    this.invalidations.addPurge(matches)
    return this.store.removeMatching(matches)
  }

  /** Whether the target or a tag of the response was invalidated since it was requested. */
  isInvalidated({ key, invalidationCount }: RequestContext, tags: readonly string[]): boolean {
    return this.invalidations.isAfter(invalidationCount, { key: key.key, path: key.path, tags })
  }

  /** Whether the application is closing, so that connections end with their response. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Names for `Vary` because Fastify chooses routes by them: known once the application is ready. */
  get constraintVary(): readonly string[] {
    return this.#constraintVary
  }

  get stats(): HttpCacheStats {
    const { requests, stored } = this.counters
    const { maxMemoryBytes: maxBytes } = this.options
    return { requests: { ...requests }, stored, memory: { ...this.store.size, maxBytes } }
  }
}
