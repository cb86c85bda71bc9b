import type { Listing } from '../catalog/paging.js'
import { isSellerId } from '../schemas/listing.js'
import type { SellersPanelQuery } from '../schemas/panel.js'
import type { Seller } from '../schemas/seller.js'
import type { Texts } from '../texts/index.js'
import type { DateFormatter } from './date-formatter.js'
import {
  eventsPath,
  linkTo,
  listStateOf,
  nonDefaultParams,
  type PanelLink,
  panelUrl,
  rowId,
  sellersPath,
} from './links.js'
import { createListingView, type ListingView } from './listing-view.js'
import { createPager, type Pager } from './pager.js'

/** View of the sellers panel. */
export interface SellersView extends ListingView {
  readonly text: Texts
  readonly title: string
  readonly action: string
  readonly reset: PanelLink
  readonly query: SellersPanelQuery
  readonly rows: readonly SellerRow[]
  readonly pager: Pager
  /** State of this list, for the URLs of the events panel. */
  readonly state: readonly { readonly name: string; readonly value: string }[]
}

export interface SellerRow extends Seller {
  readonly isSelected: boolean
  readonly rowId: string
  /** URL of its events; `undefined` for an id that is not valid in a URL. */
  readonly events: string | undefined
}

export interface SellersViewOptions {
  readonly listing: Listing<Seller>
  readonly query: SellersPanelQuery
  readonly text: Texts
  readonly dates: DateFormatter
  readonly now: number
}

export function createSellersView({ listing, query, text, dates, now }: SellersViewOptions): SellersView {
  const { page_size, name, customer_display_id, seller_id } = query
  const { page, pages, total } = listing
  const state = listStateOf(query)
  const params = { name, customer_display_id }
  const otherPanel = { seller_id }
  const { title } = text.sellers
  const reset = linkTo(sellersPath, { page_size }, otherPanel)
  return {
    ...createListingView({
      listing,
      title,
      filters: [name, customer_display_id],
      text,
      texts: text.sellers,
      none: text.sellers.none,
      dates,
      now,
      reset,
      lastPage: linkTo(sellersPath, { ...params, page_size, page: pages }, otherPanel),
    }),
    text,
    title,
    action: sellersPath,
    reset,
    query,
    rows: listing.items.map((seller) => ({
      ...seller,
      isSelected: String(seller.id) === seller_id,
      rowId: rowId(seller.id),
      events: isSellerId(seller.id) ? panelUrl(eventsPath(seller.id), { ...state }) : undefined,
    })),
    pager: createPager({
      page,
      pages,
      pageSize: page_size,
      total,
      path: sellersPath,
      params,
      otherPanel,
      text: text.pager,
    }),
    state: nonDefaultParams({ ...state }).map(([name, value]) => ({ name, value })),
  }
}
