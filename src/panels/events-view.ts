import type { Calendar } from '../catalog/calendar.js'
import type { Listing } from '../catalog/paging.js'
import type { Catalog } from '../schemas/catalog.js'
import type { EventsPanelQuery } from '../schemas/panel.js'
import type { Seller } from '../schemas/seller.js'
import type { Texts } from '../texts/index.js'
import type { DateWords } from './date-words.js'
import { type EventMonth, groupByMonth } from './event-months.js'
import { backToList, eventsPath, linkTo, type PanelLink } from './links.js'
import { createListingView, type ListingView } from './listing-view.js'
import { createPager, type Pager } from './pager.js'

/** All that the template of the events panel shows. */
export interface EventsView extends ListingView {
  readonly text: Texts
  readonly title: string
  readonly sellerId: string
  /** Whether the marketplace is known not to have this seller, and nothing was searched for. */
  readonly isUnknown: boolean
  /** As the cached list of sellers has it, where it does. */
  readonly seller: Seller | undefined
  readonly action: string
  readonly reset: PanelLink
  readonly backToList: string
  readonly query: EventsPanelQuery
  readonly months: readonly EventMonth[]
  /** When "tomorrow" will be another day. */
  readonly daysUntil: string
  readonly pager: Pager
}

export interface EventsViewParts {
  readonly sellerId: string
  readonly seller: Seller | undefined
  /** Whether the list of sellers is here and does not have this one. */
  readonly isUnlisted: boolean
  readonly listing: Listing<Catalog>
  readonly query: EventsPanelQuery
  readonly text: Texts
  readonly words: DateWords
  readonly calendar: Calendar
  readonly now: number
}

export function createEventsView(parts: EventsViewParts): EventsView {
  const { sellerId, seller, listing, query, text, words, calendar, now } = parts
  const { page: _page, page_size, title: filter, ...beside } = query
  const { page, pages, total } = listing
  const path = eventsPath(sellerId)
  const own = { title: filter }
  const title = seller?.name ?? text.events.sellerOf(sellerId)
  const reset = linkTo(path, { page_size }, beside)
  return {
    ...createListingView({
      listing,
      title,
      filters: [filter],
      text,
      texts: text.events,
      none: parts.isUnlisted ? text.events.unlisted : text.events.none,
      words,
      now,
      reset,
      lastPage: linkTo(path, { ...own, page_size, page: pages }, beside),
    }),
    text,
    title,
    sellerId,
    isUnknown: parts.isUnlisted && total === 0 && (filter ?? '').trim() === '',
    seller,
    action: path,
    reset,
    backToList: backToList(sellerId, beside),
    query,
    months: groupByMonth({ catalogs: listing.items, instantOf: calendar.instantOf, words, now }),
    daysUntil: new Date(calendar.dayAt(now).endsAt).toISOString(),
    pager: createPager({ page, pages, pageSize: page_size, total, path, own, beside, text: text.pager }),
  }
}
