import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A seller of the marketplace, with fields that the application ignores. */
export interface SellerRecord {
  id: number | string
  name: string
  customer_display_id?: string | number | null
  [field: string]: unknown
}

/** A catalog of the marketplace. */
export interface CatalogRecord {
  id: number | string
  seller_id: number | string
  title: string
  customer_catalog_id?: string | number | null
  start_date?: string | null
  [field: string]: unknown
}

/** A request that reached the marketplace. */
export interface UpstreamRequest {
  readonly path: string
  /** Parameters by name. The last value of a repeated name. */
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  /** Resolves when the response ends: true if it is complete, false if the client or a fault has aborted it. */
  readonly answered: Promise<boolean>
}

/** Changes to one response. */
export interface Fault {
  /** Default: 200 with a body, else 500. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Strings, buffers and streams are sent unchanged, anything else as JSON. A stream has no `Content-Length`. */
  readonly body?: unknown
  /** Delay before the response starts. */
  readonly delayMs?: number
  /** Sends nothing, or the head and half of the body, and keeps the connection open. */
  readonly hang?: 'at once' | 'half way'
  /** Closes the connection before the response, or in the middle of its body. */
  readonly destroy?: 'at once' | 'half way'
}

/** Returns the fault of a request, or `undefined`. A promise delays the response. */
export type FaultRule = (request: UpstreamRequest) => Fault | undefined | Promise<Fault | undefined>

export interface UpstreamOptions {
  readonly sellers?: SellerRecord[]
  readonly catalogs?: CatalogRecord[]
  /** Maximum number of items in a page. Default 500. */
  readonly maxPageSize?: number
  /** Path prefix of the API. Default: none. */
  readonly basePath?: string
}

/** A marketplace on a free loopback port. Tests may change its arrays at any time. */
export interface Upstream {
  /** Base URL without a trailing slash. */
  readonly url: string
  readonly sellers: SellerRecord[]
  readonly catalogs: CatalogRecord[]
  /** All requests since the start or the last `reset`, in order. */
  readonly requests: readonly UpstreamRequest[]
  /** Resolves once this many requests have arrived. */
  received(count: number): Promise<void>
  /** Applies a fault to all later responses, or a rule that selects the fault. Replaces an earlier one. */
  fail(rule: Fault | FaultRule): void
  /** Removes the fault. */
  heal(): void
  /** Clears the requests and the fault, but not the data. */
  reset(): void
  /** Stops at once and closes all connections. */
  close(): Promise<void>
}

/**
 * Starts a marketplace with `GET /sellers` and `GET /catalogs`. It filters, paginates and returns the applied page size. `name`
 * and `title` match substrings without regard to case. The other filters match the complete value.
 */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const { sellers = [], catalogs = [], maxPageSize = 500, basePath = '' } = options
  const requests: UpstreamRequest[] = []
  let decide: FaultRule = () => undefined

  const server = createServer(async (incoming, response) => {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://upstream')
    const answered = new Promise<boolean>((resolve) => response.on('close', () => resolve(response.writableFinished)))
    const { headers } = incoming
    const request = { path: pathname, query: Object.fromEntries(searchParams), headers, answered }
    requests.push(request)
    server.emit('received')
    await respond(response, regularResponse(request), await decide(request))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a listening TCP server has an AddressInfo

  return {
    url: `http://127.0.0.1:${port}${basePath}`,
    sellers,
    catalogs,
    requests,
    async received(count) {
      while (requests.length < count) await once(server, 'received')
    },
    fail(rule) {
      decide = typeof rule === 'function' ? rule : () => rule
    },
    heal,
    reset() {
      requests.length = 0
      heal()
    },
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }

  function heal(): void {
    decide = () => undefined
  }

  function regularResponse({ path, query }: UpstreamRequest): RegularResponse {
    const page = Number(query.page ?? 1)
    const pageSize = Math.min(Number(query.page_size ?? 20), maxPageSize)
    if (path === `${basePath}/sellers`) return ok(pageOf(sellers.filter(isSellerFor(query)), page, pageSize))
    if (path === `${basePath}/catalogs`) return ok(pageOf(catalogs.filter(isCatalogFor(query)), page, pageSize))
    return { status: 404, body: { error: 'not found' } }
  }
}

interface RegularResponse {
  readonly status: number
  readonly body: unknown
}

function ok(body: unknown): RegularResponse {
  return { status: 200, body }
}

function pageOf<Item>(matching: readonly Item[], page: number, pageSize: number) {
  const items = matching.slice((page - 1) * pageSize, page * pageSize)
  return { items, page, page_size: pageSize, total: matching.length }
}

function isSellerFor({ name, customer_display_id: displayId }: UpstreamRequest['query']) {
  return (seller: SellerRecord) =>
    contains(seller.name, name) && (!displayId || String(seller.customer_display_id) === displayId)
}

function isCatalogFor({ seller_id: sellerId, title }: UpstreamRequest['query']) {
  return (catalog: CatalogRecord) =>
    contains(catalog.title, title) && (!sellerId || String(catalog.seller_id) === sellerId)
}

function contains(text: string, part = ''): boolean {
  return text.toLowerCase().includes(part.toLowerCase())
}

async function respond(response: ServerResponse, regular: RegularResponse, fault: Fault = {}): Promise<void> {
  const { delayMs = 0, hang, destroy } = fault
  if (delayMs > 0) await sleep(delayMs)
  if (hang === 'at once') return
  if (destroy === 'at once') return void response.destroy()

  const { status, body } = { ...regular, ...faultyResponse(fault) }
  const headers = { 'content-type': 'application/json', ...fault.headers }
  if (body instanceof Readable) {
    // Tests use streams that the client aborts.
    return pipeline(body, response.writeHead(status, headers)).catch(() => undefined)
  }
  const bytes =
    typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.from(body) : Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-length': bytes.length, ...headers })
  if (hang === undefined && destroy === undefined) return void response.end(bytes)

  const half = bytes.subarray(0, bytes.length / 2)
  response.write(half, () => {
    if (destroy !== undefined) response.destroy()
  })
}

function faultyResponse({ status, body }: Fault): Partial<RegularResponse> {
  if (body !== undefined) return { status: status ?? 200, body }
  return status === undefined ? {} : { status, body: { error: `scripted ${status}` } }
}

/** Sellers with ids from 1 and names `Seller 0001`…, every tenth without a customer display id. */
export function makeSellers(count: number): SellerRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(4, '0')
    return {
      id: index + 1,
      name: `Seller ${number}`,
      customer_display_id: index % 10 === 9 ? null : `C-${number}`,
      email: `seller-${number}@example.com`,
      address: { street: `${index + 1} Market Street`, city: 'Lyon' },
    }
  })
}

export interface CatalogsToMake {
  readonly sellerId: number | string
  readonly count: number
  /** The `start_date` by index. Default: one a day from 2030-01-01. */
  readonly startDate?: (index: number) => string | null
}

/** Catalogs with ids `{sellerId}-1`… and titles `Sale 0001`…, every tenth without a customer catalog id. */
export function makeCatalogs({ sellerId, count, startDate = dayFrom2030 }: CatalogsToMake): CatalogRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(4, '0')
    return {
      id: `${sellerId}-${index + 1}`,
      seller_id: sellerId,
      title: `Sale ${number}`,
      customer_catalog_id: index % 10 === 9 ? null : `K-${number}`,
      start_date: startDate(index),
      lots: 100 + index,
    }
  })
}

function dayFrom2030(index: number): string {
  return new Date(Date.UTC(2030, 0, 1 + index)).toISOString().slice(0, 10)
}
