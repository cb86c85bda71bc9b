import type { Catalog, CatalogListing } from '../../schemas/catalog.js'
import type { EventsPanelQuery } from '../../schemas/panel.js'
import type { Seller } from '../../schemas/seller.js'
import type { EventDate } from './event-date.js'
import {
  address,
  createPager,
  eventsPath,
  linkTo,
  type Pager,
  type PanelLink,
  sellersPath,
  sellersQueryOf,
} from './links.js'

/** All that the template of the events panel shows. */
export interface EventsView {
  readonly title: string
  readonly sellerId: string
  /** As the cached list of sellers has it, where it does. */
  readonly seller: Seller | undefined
  readonly action: string
  readonly reset: PanelLink
  readonly backToList: string
  readonly query: EventsPanelQuery
  readonly isFiltered: boolean
  readonly total: number
  readonly asOf: string | undefined
  readonly rows: readonly EventRow[]
  readonly pager: Pager
  readonly timeZone: string
}

export interface EventRow extends Catalog {
  readonly date: EventDate | undefined
}

export interface EventsViewParts {
  readonly sellerId: string
  readonly seller: Seller | undefined
  readonly listing: CatalogListing
  readonly query: EventsPanelQuery
  readonly formatDate: (date: string | null) => EventDate | undefined
  readonly timeZone: string
}

export function createEventsView(parts: EventsViewParts): EventsView {
  const { sellerId, seller, listing, query, formatDate, timeZone } = parts
  const { page: _page, page_size, title, ...listState } = query
  const path = eventsPath(sellerId)
  return {
    title: seller?.name ?? `Seller ${sellerId}`,
    sellerId,
    seller,
    action: path,
    reset: linkTo(path, { page_size }, listState),
    backToList: address(sellersPath, { ...sellersQueryOf(listState) }),
    query,
    isFiltered: (title ?? '').trim() !== '',
    total: listing.total,
    asOf: listing.as_of,
    rows: listing.items.map((catalog) => ({ ...catalog, date: formatDate(catalog.start_date) })),
    pager: createPager({
      page: listing.page,
      pages: listing.pages,
      path,
      own: { page_size, title },
      beside: listState,
    }),
    timeZone,
  }
}
