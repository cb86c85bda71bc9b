import { SellerParams } from '../../schemas/listing.js'
import type { SellersPanelQuery } from '../../schemas/panel.js'
import type { Seller, SellerListing } from '../../schemas/seller.js'
import {
  address,
  createPager,
  eventsPath,
  linkTo,
  listStateOf,
  type Pager,
  type PanelLink,
  sellersPath,
} from './links.js'

/** All that the template of the sellers panel shows. */
export interface SellersView {
  readonly title: string
  readonly action: string
  readonly reset: PanelLink
  readonly query: SellersPanelQuery
  readonly isFiltered: boolean
  readonly total: number
  readonly asOf: string | undefined
  readonly rows: readonly SellerRow[]
  readonly pager: Pager
  /** Where the list stands, for the panel beside it to carry along. */
  readonly state: readonly { readonly name: string; readonly value: string | number }[]
}

export interface SellerRow extends Seller {
  readonly isSelected: boolean
  /** Address of its events; `undefined` for an id that no address can hold. */
  readonly events: string | undefined
}

const sellerIdPattern = new RegExp(SellerParams.properties.seller_id.pattern ?? '')

export function createSellersView(listing: SellerListing, query: SellersPanelQuery): SellersView {
  const { page_size, name, customer_display_id, seller_id } = query
  const state = listStateOf(query)
  return {
    title: 'Sellers',
    action: sellersPath,
    reset: linkTo(sellersPath, { page_size }, { seller_id }),
    query,
    isFiltered: `${name ?? ''}${customer_display_id ?? ''}`.trim() !== '',
    total: listing.total,
    asOf: listing.as_of,
    rows: listing.items.map((seller) => ({
      ...seller,
      isSelected: String(seller.id) === seller_id,
      events: sellerIdPattern.test(String(seller.id)) ? address(eventsPath(seller.id), { ...state }) : undefined,
    })),
    pager: createPager({
      page: listing.page,
      pages: listing.pages,
      path: sellersPath,
      own: { page_size, name, customer_display_id },
      beside: { seller_id },
    }),
    state: Object.entries(state).map(([name, value]) => ({ name, value })),
  }
}
