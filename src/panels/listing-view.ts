import type { Listing } from '../catalog/paging.js'
import type { Texts } from '../texts/index.js'
import type { DateWords, TimeWords } from './date-words.js'
import type { PanelLink } from './links.js'

/** What every panel says of its list. */
export interface ListingView {
  /** Names the window: the panel's title, what was searched for, and the page where it is not the first. */
  readonly documentTitle: string
  readonly isFiltered: boolean
  /** How much of it is shown; `undefined` where nothing is. */
  readonly count: string | undefined
  /** In which times are told. */
  readonly timeZone: string
  readonly stale: StaleNotice | undefined
  /** Why nothing is shown, and where something is. */
  readonly empty: EmptyNotice | undefined
  /** The outcome in one sentence, for those who do not see it change. */
  readonly said: string
}

export interface StaleNotice {
  readonly asOf: TimeWords
  readonly says: string
}

export interface EmptyNotice {
  readonly says: string
  readonly link: (PanelLink & { readonly label: string }) | undefined
}

export interface ListingViewParts {
  readonly listing: Listing<unknown>
  readonly title: string
  /** What was searched for. */
  readonly filters: readonly (string | undefined)[]
  readonly text: Texts
  readonly texts: Pick<Texts['sellers'], 'shown' | 'found' | 'noneFound' | 'noneOnPage' | 'showAll'>
  /** Why there is nothing at all. */
  readonly none: string
  readonly words: DateWords
  readonly now: number
  readonly reset: PanelLink
  readonly lastPage: PanelLink
}

export function createListingView(parts: ListingViewParts): ListingView {
  const { listing, title, text, texts, words, now } = parts
  const { items, page, page_size: pageSize, pages, total, as_of: asOf } = listing
  const filters = parts.filters.map((filter = '') => filter.trim()).filter((filter) => filter !== '')
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
          asOf: words.momentOf(Date.parse(asOf), now),
          says: listing.isFailing === true ? text.stale.failing : text.stale.refreshing,
        }
  const documentTitle = [title, ...filters, ...position].join(' – ')
  const { timeZone } = words
  return { documentTitle, isFiltered, count, timeZone, empty, stale, said: count ?? empty?.says ?? '' }

  function emptyNotice(): EmptyNotice {
    if (total > 0)
      return { says: texts.noneOnPage(pages), link: { ...parts.lastPage, label: text.pager.lastPage(pages) } }
    if (isFiltered) return { says: texts.noneFound, link: { ...parts.reset, label: texts.showAll } }
    return { says: parts.none, link: undefined }
  }
}
