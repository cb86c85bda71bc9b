import { type Static, Type } from '@sinclair/typebox'
import { filter } from './filter.js'
import { customerId, Id, listingOf, Paging } from './listing.js'

export const Seller = Type.Object(
  {
    id: Id,
    name: Type.String(),
    customer_display_id: customerId('Seller number that customers use.'),
  },
  { title: 'Seller', additionalProperties: false },
)

export type Seller = Static<typeof Seller>

/** The complete list, as it is cached. */
export const Sellers = Type.Array(Seller)

export const SellerListing = listingOf(Seller, 'SellerListing')

export type SellerListing = Static<typeof SellerListing>

export const SellersQuery = Type.Object(
  {
    ...Paging,
    name: filter('Part of the name.'),
    customer_display_id: filter('The complete customer display id.'),
  },
  { additionalProperties: false },
)

export type SellersQuery = Static<typeof SellersQuery>
