import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A seller as the marketplace has it, with fields that the application does not keep. */
export interface SellerRecord {
  id: number | string
  name: string
  customer_display_id?: string | number | null
  [field: string]: unknown
}

/** A catalog as the marketplace has it. */
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
  /** Parameters by name; the last one when a name comes twice. */
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  /** Settles when the answer is over: true when it was sent whole, false when the client or the fault broke it off. */
  readonly answered: Promise<boolean>
}

/** What goes wrong with one answer; what is not said is as it would be without a fault. */
export interface Fault {
  /** Default 200 where there is a body, else 500. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text, bytes or a stream of them are sent as they are, a stream without a length; anything else as JSON. */
  readonly body?: unknown
  /** Milliseconds before the answer begins; alone, it is the honest answer that comes late. */
  readonly delayMs?: number
  /** Sends nothing at all, or the head and half of the body, and then holds the connection. */
  readonly hang?: 'at once' | 'half way'
  /** Cuts the connection before the answer, or in the middle of its body. */
  readonly destroy?: 'at once' | 'half way'
}

/** Decides for each request what goes wrong with it; a promise holds the answer back. `undefined`: nothing does. */
export type FaultRule = (request: UpstreamRequest) => Fault | undefined | Promise<Fault | undefined>

export interface UpstreamOptions {
  readonly sellers?: SellerRecord[]
  readonly catalogs?: CatalogRecord[]
  /** Items that a page has at most, whatever is asked. Default 500. */
  readonly maxPageSize?: number
  /** Where the API lies on the server. Default: at its root. */
  readonly basePath?: string
}

/** A marketplace on a free loopback port. Its arrays may be changed at any time. */
export interface Upstream {
  /** Base URL, without a slash at its end. */
  readonly url: string
  readonly sellers: SellerRecord[]
  readonly catalogs: CatalogRecord[]
  /** All requests since the start or the last `reset`, in order. */
  readonly requests: readonly UpstreamRequest[]
  /** Resolves once so many requests have come. */
  received(count: number): Promise<void>
  /** Makes answers go wrong from now on: every one in the same way, or each as the rule decides. Replaces what failed. */
  fail(rule: Fault | FaultRule): void
  /** Makes nothing go wrong any more. */
  heal(): void
  /** Forgets the requests, and heals. Data stay. */
  reset(): void
  /** Stops at once: connections are cut, requests in flight too. */
  close(): Promise<void>
}

/**
 * Starts a marketplace that answers `GET /sellers` and `GET /catalogs` honestly: filters, then pages, then says the
 * page size it applied. `name` and `title` match a part, whatever the case; the other filters match the whole.
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
    await answer(response, honestAnswer(request), await decide(request))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server that listens has no other kind of address

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

  function honestAnswer({ path, query }: UpstreamRequest): HonestAnswer {
    const page = Number(query.page ?? 1)
    const pageSize = Math.min(Number(query.page_size ?? 20), maxPageSize)
    if (path === `${basePath}/sellers`) return ok(pageOf(sellers.filter(isSellerFor(query)), page, pageSize))
    if (path === `${basePath}/catalogs`) return ok(pageOf(catalogs.filter(isCatalogFor(query)), page, pageSize))
    return { status: 404, body: { error: 'not found' } }
  }
}

interface HonestAnswer {
  readonly status: number
  readonly body: unknown
}

function ok(body: unknown): HonestAnswer {
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

async function answer(response: ServerResponse, honest: HonestAnswer, fault: Fault = {}): Promise<void> {
  const { delayMs = 0, hang, destroy } = fault
  if (delayMs > 0) await sleep(delayMs)
  if (hang === 'at once') return
  if (destroy === 'at once') return void response.destroy()

  const { status, body } = { ...honest, ...faultyAnswer(fault) }
  const headers = { 'content-type': 'application/json', ...fault.headers }
  if (body instanceof Readable) {
    // The client may break it off, which is what such a body is for.
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

function faultyAnswer({ status, body }: Fault): Partial<HonestAnswer> {
  if (body !== undefined) return { status: status ?? 200, body }
  return status === undefined ? {} : { status, body: { error: `scripted ${status}` } }
}

/** So many sellers: ids from 1, names `Seller 0001`…, every tenth without a customer display id. */
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
  /** `start_date` of each, by its place from 0. Default: one a day from 2030-01-01. */
  readonly startDate?: (index: number) => string | null
}

/** So many catalogs of a seller: ids `{sellerId}-1`…, titles `Sale 0001`…, every tenth without a customer catalog id. */
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
