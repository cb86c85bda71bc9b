// A client of the JSON API. Its types, `types.d.ts`, are generated from /docs/json.
import type { components, operations } from './types.js'

export type SellerListing = components['schemas']['SellerListing']
export type CatalogListing = components['schemas']['CatalogListing']
export type Problem = components['schemas']['Problem']
type QueryOf<Operation extends 'listSellers' | 'listCatalogs'> = NonNullable<
  operations[Operation]['parameters']['query']
>

/** A page of a list. */
export interface Page<Listing> {
  readonly listing: Listing
  /** Whether the server answered 304, so that this is the stored page. */
  readonly isNotModified: boolean
}

export interface Client {
  /** The pages of the sellers, each requested on demand. Throws an `ApiError`. */
  sellers(query?: QueryOf<'listSellers'>): AsyncGenerator<Page<SellerListing>>
  /** The pages of a seller's upcoming catalogs. */
  catalogs(sellerId: string, query?: QueryOf<'listCatalogs'>): AsyncGenerator<Page<CatalogListing>>
}

/** An error response. Decide by `problem.code`. */
export class ApiError extends Error {
  readonly problem: Problem
  /** `Retry-After` in seconds. */
  readonly retryAfter: number | undefined

  constructor(problem: Problem, retryAfter: number | undefined) {
    super(problem.detail)
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

interface StoredPage {
  readonly etag: string
  readonly listing: unknown
  readonly next: URL | undefined
}

export function createClient(baseUrl: string): Client {
  const storedPages = new Map<string, StoredPage>() // in an app: bounded, or the HTTP cache of the platform

  return {
    sellers: (query = {}) => pagesFrom<SellerListing>('/api/v1/sellers', query),
    catalogs: (sellerId, query = {}) =>
      pagesFrom<CatalogListing>(`/api/v1/sellers/${encodeURIComponent(sellerId)}/catalogs`, query),
  }

  async function* pagesFrom<Listing>(path: string, query: object): AsyncGenerator<Page<Listing>> {
    let url: URL | undefined = new URL(path, baseUrl)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
    while (url !== undefined) {
      const { listing, next, isNotModified }: Result<Listing> = await get<Listing>(url)
      yield { listing, isNotModified }
      url = next
    }
  }

  async function get<Listing>(url: URL): Promise<Result<Listing>> {
    const stored = storedPages.get(url.href)
    const response = await fetch(url, { headers: stored === undefined ? {} : { 'if-none-match': stored.etag } })
    // Stored under this URL, so it is the same kind of listing.
    if (response.status === 304 && stored !== undefined)
      return { ...stored, listing: stored.listing as Listing, isNotModified: true }
    if (response.status !== 200) throw await errorOf(response)

    const listing = (await response.json()) as Listing // by the API description
    const next = nextOf(response)
    const etag = response.headers.get('etag')
    if (etag !== null) storedPages.set(url.href, { etag, listing, next })
    return { listing, next, isNotModified: false }
  }
}

interface Result<Listing> extends Page<Listing> {
  readonly next: URL | undefined
}

/** The next page. Sufficient for the links of this API; RFC 8288 allows more. */
function nextOf({ headers, url }: Response): URL | undefined {
  const [, reference] = /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '') ?? []
  return reference === undefined ? undefined : new URL(reference, url)
}

async function errorOf(response: Response): Promise<Error> {
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('application/problem+json'))
    return new Error(`response of a proxy with status ${response.status}`)
  const retryAfter = response.headers.get('retry-after')
  const problem = (await response.json()) as Problem // by the media type
  return new ApiError(problem, retryAfter === null ? undefined : Number(retryAfter))
}

/** A message for users about a stale list. */
export function noticeOf({ stale, as_of }: SellerListing | CatalogListing): string | undefined {
  if (stale !== true || as_of === undefined) return undefined
  return `As of ${new Date(as_of).toUTCString()}. The list is updated when the marketplace is available.`
}

/** A message for users about an error. `detail` is for developers. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return 'No connection.'
  const { problem, retryAfter = 60 } = error
  switch (problem.code) {
    case 'VITRINE_INVALID_REQUEST':
      return `Invalid search: ${(problem.errors ?? []).map(({ field }) => field).join(', ')}.`
    case 'VITRINE_RATE_LIMITED':
      return `Too many requests. Try again in ${retryAfter} s.`
    case 'VITRINE_UPSTREAM_UNREACHABLE':
    case 'VITRINE_UPSTREAM_TIMEOUT':
      return `The marketplace is unavailable. Try again in ${retryAfter} s.`
    default: // including future codes
      return `Something went wrong. Request id: ${problem.request_id}`
  }
}
