import type { Reading } from 'fastify-vitrine/cache'

/** `page` counts from 1. */
export interface PagingQuery {
  readonly page: number
  readonly page_size: number
}

/** A page of a list and the size of the complete list, in the format of the API. */
export interface Listing<Item> {
  readonly items: Item[]
  readonly page: number
  readonly page_size: number
  readonly pages: number
  readonly total: number
  readonly stale?: true
  readonly as_of?: string
  /** Whether the list is stale because a load failed. For the panels; not part of the API. */
  readonly isFailing?: boolean
}

/** A page of a complete list; empty beyond the last page. */
export function slicePage<Item>(list: readonly Item[], { page, page_size }: PagingQuery): Listing<Item> {
  const start = (page - 1) * page_size
  return createListing(list.slice(start, start + page_size), list.length, { page, page_size })
}

/** A page from its items and the total. */
export function createListing<Item>(items: Item[], total: number, { page, page_size }: PagingQuery): Listing<Item> {
  return { items, page, page_size, pages: Math.ceil(total / page_size), total }
}

/** Page numbers by link relation. RFC 8288, RFC 5005. */
export interface Neighbours {
  readonly first: number
  /** Beyond the last page: the last one. */
  readonly prev?: number
  readonly next?: number
  /** 1 for an empty list. */
  readonly last: number
}

export function neighboursOf({ page, pages }: Pick<Listing<unknown>, 'page' | 'pages'>): Neighbours {
  const last = Math.max(pages, 1)
  return {
    first: 1,
    ...(page > 1 ? { prev: Math.min(page - 1, last) } : {}),
    ...(page < last ? { next: page + 1 } : {}),
    last,
  }
}

/** Adds `stale` and `as_of` if the cached list is stale. */
export function withStaleness<Item>(
  listing: Listing<Item>,
  { state, storedAt, reason }: Reading<unknown>,
): Listing<Item> {
  if (state === 'fresh') return listing
  return { ...listing, stale: true, as_of: new Date(storedAt).toISOString(), isFailing: reason === 'stale-if-error' }
}
