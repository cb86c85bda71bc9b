import { createHash } from 'node:crypto'
import type { Reading } from 'fastify-vitrine/cache'

/** Which page of a list is wanted; pages count from 1. */
export interface PageRequest {
  readonly page: number
  readonly page_size: number
}

/** A page of a list and how much there is in all, as the API answers it. */
export interface Listing<Item> {
  readonly items: Item[]
  readonly page: number
  readonly page_size: number
  readonly pages: number
  readonly total: number
  readonly stale?: true
  readonly as_of?: string
  /** Whether a stale answer is all there is, because asking anew failed. For pages; the API does not tell. */
  readonly isFailing?: boolean
}

/** The page of a list that is here as a whole; beyond the last page it is empty. */
export function pageOf<Item>(list: readonly Item[], { page, page_size }: PageRequest): Listing<Item> {
  const start = (page - 1) * page_size
  return listing(list.slice(start, start + page_size), list.length, { page, page_size })
}

/** A page whose items somebody else has cut out of a list of `total`. */
export function listing<Item>(items: Item[], total: number, { page, page_size }: PageRequest): Listing<Item> {
  return { items, page, page_size, pages: Math.ceil(total / page_size), total }
}

/** Pages that a listing leads to, by the relation that they have to it. RFC 8288 and RFC 5005 name the four. */
export interface Neighbours {
  readonly first: number
  /** Beyond the last page it is the last one, so that whoever went too far finds back. */
  readonly prev?: number
  readonly next?: number
  /** An empty list has a first page, which is its last one. */
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

/** The listing, saying that it is stale and since when if what it was made from is. */
export function withAge<Item>(listing: Listing<Item>, { state, storedAt, reason }: Reading<unknown>): Listing<Item> {
  if (state === 'fresh') return listing
  return { ...listing, stale: true, as_of: new Date(storedAt).toISOString(), isFailing: reason === 'stale-if-error' }
}

/** The filter's text without surrounding white space; `undefined` when nothing is left, which is no filter. */
export function resolveFilter(text: string | undefined): string | undefined {
  const trimmed = text?.trim()
  return trimmed === '' ? undefined : trimmed
}

/** Name under which identical questions that bypass the cache share one call, however long the filters are. */
export function bypassKey(list: string, question: object): string {
  return `${list}_filtered_${createHash('sha256').update(JSON.stringify(question)).digest('base64url')}`
}
