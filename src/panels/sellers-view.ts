import type { Listing } from '../catalog/paging.js'
import { SellerParams } from '../schemas/listing.js'
import type { SellersPanelQuery } from '../schemas/panel.js'
import type { Seller } from '../schemas/seller.js'
import type { Texts } from '../texts/index.js'
import type { DateWords } from './date-words.js'
import { address, eventsPath, linkTo, listStateOf, type PanelLink, rowId, sellersPath, telling } from './links.js'
import { createListingView, type ListingView } from './listing-view.js'
import { createPager, type Pager } from './pager.js'

/** All that the template of the sellers panel shows. */
export interface SellersView extends ListingView {
  readonly text: Texts
  readonly title: string
  readonly action: string
  readonly reset: PanelLink
  readonly query: SellersPanelQuery
  readonly rows: readonly SellerRow[]
  readonly pager: Pager
  /** Where the list stands, for the panel beside it to carry along. */
  readonly state: readonly { readonly name: string; readonly value: string }[]
}

export interface SellerRow extends Seller {
  readonly isSelected: boolean
  readonly rowId: string
  /** Address of its events; `undefined` for an id that no address can hold. */
  readonly events: string | undefined
}

export interface SellersViewParts {
  readonly listing: Listing<Seller>
  readonly query: SellersPanelQuery
  readonly text: Texts
  readonly words: DateWords
  readonly now: number
}

const sellerIdPattern = new RegExp(SellerParams.properties.seller_id.pattern ?? '')

export function createSellersView({ listing, query, text, words, now }: SellersViewParts): SellersView {
  const { page_size, name, customer_display_id, seller_id } = query
  const { page, pages, total } = listing
  const state = listStateOf(query)
  const own = { name, customer_display_id }
  const beside = { seller_id }
  const { title } = text.sellers
  const reset = linkTo(sellersPath, { page_size }, beside)
  return {
    ...createListingView({
      listing,
      title,
      filters: [name, customer_display_id],
      text,
      texts: text.sellers,
      none: text.sellers.none,
      words,
      now,
      reset,
      lastPage: linkTo(sellersPath, { ...own, page_size, page: pages }, beside),
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
      events: sellerIdPattern.test(String(seller.id)) ? address(eventsPath(seller.id), { ...state }) : undefined,
    })),
    pager: createPager({ page, pages, pageSize: page_size, total, path: sellersPath, own, beside, text: text.pager }),
    state: telling({ ...state }).map(([name, value]) => ({ name, value })),
  }
}
