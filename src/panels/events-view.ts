import type { Calendar } from '../catalog/calendar.js'
import type { Listing } from '../catalog/paging.js'
import type { Catalog } from '../schemas/catalog.js'
import { resolveFilter } from '../schemas/filter.js'
import type { EventsPanelQuery } from '../schemas/panel.js'
import type { Seller } from '../schemas/seller.js'
import type { Texts } from '../texts/index.js'
import type { DateFormatter } from './date-formatter.js'
import { type EventMonth, groupByMonth } from './event-months.js'
import { backToList, eventsPath, linkTo, type PanelLink } from './links.js'
import { createListingView, type ListingView } from './listing-view.js'
import { createPager, type Pager } from './pager.js'

/** View of the events panel. */
export interface EventsView extends ListingView {
  readonly text: Texts
  readonly title: string
  readonly sellerId: string
  /** Whether the seller does not exist as far as is known: not in the list, and without catalogs. */
  readonly isUnknown: boolean
  readonly seller: Seller | undefined
  readonly action: string
  readonly reset: PanelLink
  readonly backToList: string
  readonly query: EventsPanelQuery
  readonly months: readonly EventMonth[]
  /** When "tomorrow" and the like expire. */
  readonly relativeDaysUntil: string
  readonly pager: Pager
}

export interface EventsViewOptions {
  readonly sellerId: string
  /** From the list of sellers, if it is cached. */
  readonly seller: Seller | undefined
  /** Whether the list of sellers is cached and does not contain this one. */
  readonly isUnlisted: boolean
  readonly listing: Listing<Catalog>
  readonly query: EventsPanelQuery
  readonly text: Texts
  readonly dates: DateFormatter
  readonly calendar: Calendar
  readonly now: number
}

export function createEventsView(options: EventsViewOptions): EventsView {
  const { sellerId, seller, isUnlisted, listing, query, text, dates, calendar, now } = options
  const { page: _page, page_size, title: filter, ...otherPanel } = query
  const { page, pages, total } = listing
  const path = eventsPath(sellerId)
  const params = { title: filter }
  const title = seller?.name ?? text.events.sellerOf(sellerId)
  const reset = linkTo(path, { page_size }, otherPanel)
  return {
    ...createListingView({
      listing,
      title,
      filters: [filter],
      text,
      texts: text.events,
      none: isUnlisted ? text.events.unlisted : text.events.none,
      dates,
      now,
      reset,
      lastPage: linkTo(path, { ...params, page_size, page: pages }, otherPanel),
    }),
    text,
    title,
    sellerId,
    isUnknown: isUnlisted && total === 0 && resolveFilter(filter) === undefined,
    seller,
    action: path,
    reset,
    backToList: backToList(sellerId, otherPanel),
    query,
    months: groupByMonth({ catalogs: listing.items, instantOf: calendar.instantOf, dates, now }),
    relativeDaysUntil: new Date(calendar.dayAt(now).endsAt).toISOString(),
    pager: createPager({ page, pages, pageSize: page_size, total, path, params, otherPanel, text: text.pager }),
  }
}
