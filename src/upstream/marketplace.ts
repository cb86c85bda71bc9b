import type { Catalog } from '../schemas/catalog.js'
import type { Id } from '../schemas/listing.js'
import { pageOf, UpstreamCatalog, UpstreamSeller } from '../schemas/marketplace.js'
import type { Seller } from '../schemas/seller.js'
import { type Call, createJsonClient, type Endpoint, type Query } from './json-client.js'
import { createLoads, type Load } from './loads.js'
import { walkPages } from './page-walk.js'
import { type PageWindow, readWindow } from './page-window.js'
import type { GetPage, PageAnswer } from './pages.js'
import { type StartTimer, startTimer } from './scope.js'

export interface MarketplaceOptions {
  /** Base URL, http or https, with or without a path; no credentials, query or fragment. */
  readonly url: string | URL
  /** Sent as `authorization: Bearer …`. */
  readonly token?: string
  /** Milliseconds for one try of one call, from the moment when a connection takes it to the last byte of the body. */
  readonly timeoutMs: number
  /** Milliseconds for all that one of the functions below does: all pages, retries, pauses and waits for a connection. */
  readonly deadlineMs: number
  /** Bytes that one answer may have. Default 8 MiB. */
  readonly maxBodyBytes?: number
  /** Tries of a call after the first one. Default 2. */
  readonly maxRetries?: number
  /** Connections to the upstream, of all loads together. Default 32. */
  readonly maxConnections?: number
  /** Pages that one load asks for at the same moment. Default 4. */
  readonly concurrency?: number
  /** Pages that a list may have. Default 1,000. */
  readonly maxPages?: number
  /** Items that a list may have. Default 100,000. */
  readonly maxItems?: number
  /** Milliseconds that `close` waits for the loads in flight. Default 1,000. */
  readonly closeGraceMs?: number
  /** A number from 0 to 1, for the jitter of the retries. Default `Math.random`. */
  readonly random?: () => number
  /** Measures `timeoutMs`. Default `setTimeout`. */
  readonly startTimer?: StartTimer
}

/** What a call takes along from the request it is made for. */
export interface CallContext {
  /** Calls it off, with the signal's reason; with the time-out error when that is a `TimeoutError`. */
  readonly signal?: AbortSignal
  /** Sent as `x-request-id`. */
  readonly requestId?: string
  /** Sent as it is. W3C Trace Context §3.2. */
  readonly traceparent?: string
}

export interface SellersPageQuery {
  /** From 1. */
  readonly page: number
  readonly pageSize: number
  readonly name?: string
  readonly customerDisplayId?: string
}

export interface CatalogsQuery {
  readonly sellerId: Id
  readonly title?: string
}

/**
 * The marketplace API. Every function rejects with an upstream error (`isUpstreamError`), or with the reason of the
 * signal it was given.
 */
export interface Marketplace {
  readonly sellers: {
    /** All sellers, in the upstream's order: whole, or rejected. */
    all(context?: CallContext): Promise<Seller[]>
    /** One page of the sellers that match, also when the upstream gives smaller pages. */
    page(query: SellersPageQuery, context?: CallContext): Promise<PageWindow<Seller>>
  }
  readonly catalogs: {
    /** All catalogs of a seller, or those that match, in the upstream's order: whole, or rejected. */
    all(query: CatalogsQuery, context?: CallContext): Promise<Catalog[]>
  }
  /** Ends all loads in flight; new ones are still welcome. */
  abort(): void
  /** Refuses new loads, lets those in flight end as long as the grace lasts, and cuts all connections. */
  close(): Promise<void>
}

const sellersPath = '/sellers'
const catalogsPath = '/catalogs'
const sellersPageSize = 500
const catalogsPageSize = 200

/** Creates the client; it connects with the first call. Throws a `TypeError` for a base URL that it cannot use. */
export function createMarketplace(options: MarketplaceOptions): Marketplace {
  const { deadlineMs, concurrency = 4, maxPages = 1_000, maxItems = 100_000, closeGraceMs = 1_000 } = options
  const client = createJsonClient({
    url: options.url,
    token: options.token,
    timeoutMs: options.timeoutMs,
    maxBodyBytes: options.maxBodyBytes ?? 8 * 2 ** 20,
    maxRetries: options.maxRetries ?? 2,
    maxConnections: options.maxConnections ?? 32,
    random: options.random ?? Math.random,
    startTimer: options.startTimer ?? startTimer,
  })
  const loads = createLoads({ deadlineMs, closeGraceMs })
  const getSellers = client.endpoint(sellersPath, pageOf(UpstreamSeller))
  const getCatalogs = client.endpoint(catalogsPath, pageOf(UpstreamCatalog))
  const sellers = { path: sellersPath, project: toSeller, concurrency }
  const catalogs = { path: catalogsPath, project: toCatalog, concurrency }
  const walk = { idOf, maxPages, maxItems }

  return {
    sellers: {
      all: (context = {}) =>
        loads.run(context.signal, (load) =>
          walkPages({
            ...sellers,
            ...walk,
            pageSize: sellersPageSize,
            getPage: pagesFrom(getSellers, {}, callFor(load, context)),
            signal: load.signal,
          }),
        ),
      page: ({ page, pageSize, name, customerDisplayId }, context = {}) =>
        loads.run(context.signal, (load) => {
          const filters = { name, customer_display_id: customerDisplayId }
          const getPage = pagesFrom(getSellers, filters, callFor(load, context))
          return readWindow({ ...sellers, page, pageSize, getPage, signal: load.signal })
        }),
    },
    catalogs: {
      all: ({ sellerId, title }, context = {}) =>
        loads.run(context.signal, (load) =>
          walkPages({
            ...catalogs,
            ...walk,
            pageSize: catalogsPageSize,
            getPage: pagesFrom(getCatalogs, { seller_id: sellerId, title }, callFor(load, context)),
            signal: load.signal,
          }),
        ),
    },
    abort: () => loads.abort(),
    async close() {
      await loads.close()
      await client.destroy()
    },
  }
}

function callFor({ signal, beganAt, endsAt }: Load, { requestId, traceparent }: CallContext): Call {
  const headers = {
    ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
  return { signal, beganAt, endsAt, headers }
}

function pagesFrom<Item>(get: Endpoint<PageAnswer<Item>>, filters: Query, call: Call): GetPage<Item> {
  return ({ page, pageSize, signal }) => get({ ...filters, page, page_size: pageSize }, { ...call, signal })
}

function toSeller({ id, name, customer_display_id = null }: UpstreamSeller): Seller {
  return { id, name, customer_display_id }
}

function toCatalog({ id, title, customer_catalog_id = null, start_date = null }: UpstreamCatalog): Catalog {
  return { id, title, customer_catalog_id, start_date }
}

/** 1 and "1" are one id: both make the same URL. */
function idOf({ id }: Seller | Catalog): string {
  return String(id)
}
