// A client of the JSON API whose types come from its description: `types.d.ts` is made from /docs/json.
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
  /** True when the service said that the page we have had before is still the same. */
  readonly isUnchanged: boolean
}

export interface Client {
  /** The pages of the sellers, each asked for when it is wanted. Throws an `ApiError`. */
  sellers(query?: QueryOf<'listSellers'>): AsyncGenerator<Page<SellerListing>>
  /** The pages of a seller's coming catalogs. */
  catalogs(sellerId: string, query?: QueryOf<'listCatalogs'>): AsyncGenerator<Page<CatalogListing>>
}

/** An answer that is an error: decide by `problem.code`. */
export class ApiError extends Error {
  readonly problem: Problem
  /** Seconds to wait before the next try, where the service says. */
  readonly retryAfter: number | undefined

  constructor(problem: Problem, retryAfter: number | undefined) {
    super(problem.detail)
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

interface Kept {
  readonly etag: string
  readonly listing: unknown
  readonly next: URL | undefined
}

export function createClient(baseUrl: string): Client {
  const kept = new Map<string, Kept>() // an app bounds it, or leaves it to the HTTP cache of its platform

  return {
    sellers: (query = {}) => pagesFrom<SellerListing>('/api/v1/sellers', query),
    catalogs: (sellerId, query = {}) =>
      pagesFrom<CatalogListing>(`/api/v1/sellers/${encodeURIComponent(sellerId)}/catalogs`, query),
  }

  async function* pagesFrom<Listing>(path: string, query: object): AsyncGenerator<Page<Listing>> {
    let address: URL | undefined = new URL(path, baseUrl)
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, String(value))
    while (address !== undefined) {
      const { listing, next, isUnchanged }: Answer<Listing> = await get<Listing>(address)
      yield { listing, isUnchanged }
      address = next
    }
  }

  async function get<Listing>(address: URL): Promise<Answer<Listing>> {
    const known = kept.get(address.href)
    const response = await fetch(address, { headers: known === undefined ? {} : { 'if-none-match': known.etag } })
    // It was kept under this address, so it is the same kind of listing.
    if (response.status === 304 && known !== undefined)
      return { ...known, listing: known.listing as Listing, isUnchanged: true }
    if (response.status !== 200) throw await errorOf(response)

    const listing = (await response.json()) as Listing // as the description promises
    const next = nextOf(response)
    const etag = response.headers.get('etag')
    if (etag !== null) kept.set(address.href, { etag, listing, next })
    return { listing, next, isUnchanged: false }
  }
}

interface Answer<Listing> extends Page<Listing> {
  readonly next: URL | undefined
}

/** Where the list goes on. Enough for this API, which escapes all that is in its links; RFC 8288 allows more. */
function nextOf({ headers, url }: Response): URL | undefined {
  const [, reference] = /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '') ?? []
  return reference === undefined ? undefined : new URL(reference, url)
}

async function errorOf(response: Response): Promise<Error> {
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('application/problem+json')) return new Error(`somebody on the way answered ${response.status}`)
  const retryAfter = response.headers.get('retry-after')
  const problem = (await response.json()) as Problem // as the media type says
  return new ApiError(problem, retryAfter === null ? undefined : Number(retryAfter))
}

/** What a user is to know of an answer that is not fresh. */
export function noticeOf({ stale, as_of }: SellerListing | CatalogListing): string | undefined {
  if (stale !== true || as_of === undefined) return undefined
  return `This list is of ${new Date(as_of).toUTCString()}. A newer one is there as soon as the marketplace gives it.`
}

/** What a user is told of an error. The words are ours: those of `detail` are for developers. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return 'There is no connection.'
  const { problem, retryAfter = 60 } = error
  switch (problem.code) {
    case 'VITRINE_INVALID_REQUEST':
      return `This cannot be searched for: ${(problem.errors ?? []).map(({ field }) => field).join(', ')}.`
    case 'VITRINE_RATE_LIMITED':
      return `Too many requests. Try again in ${retryAfter} s.`
    case 'VITRINE_UPSTREAM_UNREACHABLE':
    case 'VITRINE_UPSTREAM_TIMEOUT':
      return `The marketplace is unavailable. Try again in ${retryAfter} s.`
    default: // there may be others one day
      return `Something went wrong. Tell us that it was ${problem.request_id}.`
  }
}
