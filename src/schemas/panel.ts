import { type Static, Type } from '@sinclair/typebox'
import { CatalogsQuery } from './catalog.js'
import { Paging, SellerParams } from './listing.js'
import { SellersQuery } from './seller.js'

/** State of the sellers panel, and the seller whose events are open next to it. */
export const SellersPanelQuery = Type.Object(
  { ...SellersQuery.properties, seller_id: Type.Optional(SellerParams.properties.seller_id) },
  { additionalProperties: false },
)

export type SellersPanelQuery = Static<typeof SellersPanelQuery>

/** State of the events panel; `list_…` is the state of the sellers panel next to it. */
export const EventsPanelQuery = Type.Object(
  {
    ...CatalogsQuery.properties,
    list_page: Paging.page,
    list_page_size: Paging.page_size,
    list_name: SellersQuery.properties.name,
    list_customer_display_id: SellersQuery.properties.customer_display_id,
  },
  { additionalProperties: false },
)

export type EventsPanelQuery = Static<typeof EventsPanelQuery>
