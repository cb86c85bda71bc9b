import type { Listing } from '../catalog/paging.js'
import { resolveFilter } from '../schemas/filter.js'
import { defaultPageSize } from '../schemas/listing.js'
import type { Texts } from '../texts/index.js'
import type { DateFormatter, FormattedTime } from './date-formatter.js'
import type { PanelLink } from './links.js'

/** The parts of a panel that both lists have. */
export interface ListingView {
  /** The panel's title, the filters, and the page unless it is the first. */
  readonly documentTitle: string
  readonly isFiltered: boolean
  /** The range shown and the total; `undefined` for an empty page. */
  readonly count: string | undefined
  readonly timeZone: string
  readonly defaultPageSize: number
  readonly stale: StaleNotice | undefined
  readonly empty: EmptyNotice | undefined
  /** The result in one sentence, for screen readers. */
  readonly liveMessage: string
}

export interface StaleNotice {
  readonly asOf: FormattedTime
  readonly message: string
}

export interface EmptyNotice {
  readonly message: string
  readonly link: (PanelLink & { readonly label: string }) | undefined
}

export interface ListingViewOptions {
  readonly listing: Listing<unknown>
  readonly title: string
  readonly filters: readonly (string | undefined)[]
  readonly text: Texts
  readonly texts: Pick<Texts['sellers'], 'shown' | 'found' | 'noneFound' | 'noneOnPage' | 'showAll'>
  /** Message for an empty list without filters. */
  readonly none: string
  readonly dates: DateFormatter
  readonly now: number
  readonly reset: PanelLink
  readonly lastPage: PanelLink
}

export function createListingView(options: ListingViewOptions): ListingView {
  const { listing, title, text, texts, dates, now } = options
  const { items, page, page_size: pageSize, pages, total, as_of: asOf } = listing
  const filters = options.filters.flatMap((filter) => resolveFilter(filter) ?? [])
  const isFiltered = filters.length > 0
  const position = page > 1 && items.length > 0 ? [text.pager.position(page, pages)] : []
  const from = (page - 1) * pageSize + 1
  const shown = { from, to: from + items.length - 1, total }
  const count = items.length === 0 ? undefined : isFiltered ? texts.found(shown) : texts.shown(shown)
  const empty = items.length === 0 ? emptyNotice() : undefined
  const stale =
    asOf === undefined
      ? undefined
      : {
          asOf: dates.formatDateTime(Date.parse(asOf), now),
          message: listing.isFailing === true ? text.stale.failing : text.stale.refreshing,
        }
  const documentTitle = [title, ...filters, ...position].join(' – ')
  const { timeZone } = dates
  const liveMessage = count ?? empty?.message ?? ''
  return { documentTitle, isFiltered, count, timeZone, defaultPageSize, empty, stale, liveMessage }

  function emptyNotice(): EmptyNotice {
    if (total > 0)
      return { message: texts.noneOnPage(pages), link: { ...options.lastPage, label: text.pager.lastPage(pages) } }
    if (isFiltered) return { message: texts.noneFound, link: { ...options.reset, label: texts.showAll } }
    return { message: options.none, link: undefined }
  }
}
