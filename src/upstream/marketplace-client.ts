import type { LookupFunction } from 'node:net'
import type { Catalog } from '../schemas/catalog.js'
import type { Id } from '../schemas/listing.js'
import { UpstreamCatalog, UpstreamSeller, upstreamPage } from '../schemas/marketplace.js'
import type { Seller } from '../schemas/seller.js'
import { type StartTimer, startTimer } from './abort-scope.js'
import type { GetPage, UpstreamPage } from './concurrent-pages.js'
import { type Call, createJsonClient, type Endpoint, type Query } from './json-client.js'
import { catalogsPageSize, type Limits, limits, sellersPageSize } from './limits.js'
import { walkPages } from './page-walk.js'
import { type PageWindow, readWindow } from './page-window.js'
import { createRequestGroups, type RequestGroup } from './request-groups.js'
import { defaultMaxRetries } from './retry.js'

export interface MarketplaceClientOptions extends Partial<Limits> {
  /** Base URL, http or https, with or without a path; no credentials, query or fragment. */
  readonly url: string | URL
  /** Sent as `authorization: Bearer …`. */
  readonly token?: string
  /** Milliseconds for one attempt of a call, from its dispatch on a connection to the last byte of the body. */
  readonly timeoutMs: number
  /** Milliseconds for one list: all pages, retries, delays and waits for a connection. */
  readonly deadlineMs: number
  /** Retries per call. Default 2. */
  readonly maxRetries?: number
  /** 0 to 1, for the jitter of retries. Default `Math.random`. */
  readonly random?: () => number
  /** Timer for `timeoutMs`. Default `setTimeout`. */
  readonly startTimer?: StartTimer
  /** Milliseconds of a monotonic clock. Default `performance.now`. */
  readonly monotonicNow?: () => number
  /** Resolves the host name. Default: that of Node.js. */
  readonly lookup?: LookupFunction
}

/** Context of the client request that a call is made for. */
export interface CallContext {
  /** Aborts the call: with `UpstreamTimeout` when the reason is a `TimeoutError`, otherwise with the reason. */
  readonly signal?: AbortSignal
  /** Sent as `x-request-id`. */
  readonly requestId?: string
  /** W3C Trace Context §3.2. */
  readonly traceparent?: string
}

export interface SellersPageRequest {
  /** From 1. */
  readonly page: number
  readonly pageSize: number
  readonly name?: string
  readonly customerDisplayId?: string
}

export interface CatalogsRequest {
  readonly sellerId: Id
  readonly title?: string
}

/**
 * The marketplace API. All functions reject with an upstream error (`isUpstreamError`), or with the reason of the signal.
 */
export interface MarketplaceClient {
  readonly sellers: {
    /** The complete list, in the upstream's order. */
    all(context?: CallContext): Promise<Seller[]>
    /** One page of the matching sellers, also when the upstream sends smaller pages. */
    page(query: SellersPageRequest, context?: CallContext): Promise<PageWindow<Seller>>
  }
  readonly catalogs: {
    /** All matching catalogs of a seller, in the upstream's order. */
    all(query: CatalogsRequest, context?: CallContext): Promise<Catalog[]>
  }
  /** Aborts the lists in flight; new ones are accepted. */
  abort(): void
  /** Refuses new lists, waits for those in flight up to `closeGraceMs`, and closes all connections. */
  close(): Promise<void>
}

const sellersPath = '/sellers'
const catalogsPath = '/catalogs'

/** The client connects with the first call. Throws a `TypeError` for an invalid base URL. */
export function createMarketplaceClient(options: MarketplaceClientOptions): MarketplaceClient {
  const { deadlineMs } = options
  const applied = { ...limits, ...options }
  const { concurrency, maxPages, maxItems, closeGraceMs } = applied
  const client = createJsonClient({
    url: options.url,
    token: options.token,
    timeoutMs: options.timeoutMs,
    maxBodyBytes: applied.maxBodyBytes,
    maxConnections: applied.maxConnections,
    connectionMaxAgeMs: applied.connectionMaxAgeMs,
    maxRedirects: applied.maxRedirects,
    maxRetries: options.maxRetries ?? defaultMaxRetries,
    random: options.random ?? Math.random,
    startTimer: options.startTimer ?? startTimer,
    monotonicNow: options.monotonicNow ?? (() => performance.now()),
    lookup: options.lookup,
  })
  const groups = createRequestGroups({ deadlineMs, closeGraceMs })
  const getSellers = client.endpoint(sellersPath, upstreamPage(UpstreamSeller))
  const getCatalogs = client.endpoint(catalogsPath, upstreamPage(UpstreamCatalog))
  const sellers = { path: sellersPath, project: toSeller, concurrency }
  const catalogs = { path: catalogsPath, project: toCatalog, concurrency }
  const walk = { idOf, maxPages, maxItems }

  return {
    sellers: {
      all: (context = {}) =>
        groups.run(context.signal, (group) =>
          walkPages({
            ...sellers,
            ...walk,
            pageSize: sellersPageSize,
            getPage: createGetPage(getSellers, {}, callFor(group, context)),
            signal: group.signal,
          }),
        ),
      page: ({ page, pageSize, name, customerDisplayId }, context = {}) =>
        groups.run(context.signal, (group) => {
          const filters = { name, customer_display_id: customerDisplayId }
          const getPage = createGetPage(getSellers, filters, callFor(group, context))
          return readWindow({ ...sellers, page, pageSize, getPage, signal: group.signal })
        }),
    },
    catalogs: {
      all: ({ sellerId, title }, context = {}) =>
        groups.run(context.signal, (group) =>
          walkPages({
            ...catalogs,
            ...walk,
            pageSize: catalogsPageSize,
            getPage: createGetPage(getCatalogs, { seller_id: sellerId, title }, callFor(group, context)),
            signal: group.signal,
          }),
        ),
    },
    abort: () => groups.abort(),
    async close() {
      await groups.close()
      await client.destroy()
    },
  }
}

function callFor({ signal, startedAt, deadlineAt }: RequestGroup, { requestId, traceparent }: CallContext): Call {
  const headers = {
    ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
  return { signal, startedAt, deadlineAt, headers }
}

function createGetPage<Item>(get: Endpoint<UpstreamPage<Item>>, filters: Query, call: Call): GetPage<Item> {
  return ({ page, pageSize, signal }) => get({ ...filters, page, page_size: pageSize }, { ...call, signal })
}

function toSeller({ id, name, customer_display_id = null }: UpstreamSeller): Seller {
  return { id, name, customer_display_id }
}

function toCatalog({ id, title, customer_catalog_id = null, start_date = null }: UpstreamCatalog): Catalog {
  return { id, title, customer_catalog_id, start_date }
}

/** 1 and "1" are the same id: both yield the same URL. */
function idOf({ id }: Seller | Catalog): string {
  return String(id)
}
