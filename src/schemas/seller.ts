import { type Static, Type } from '@sinclair/typebox'
import { customerId, filter, Id, listingOf, Paging } from './listing.js'

export const Seller = Type.Object(
  {
    id: Id,
    name: Type.String(),
    customer_display_id: customerId('Number under which customers know the seller.'),
  },
  { title: 'Seller', additionalProperties: false },
)

export type Seller = Static<typeof Seller>

/** The whole list, as it is cached. */
export const Sellers = Type.Array(Seller)

export const SellerListing = listingOf(Seller, 'SellerListing')

export type SellerListing = Static<typeof SellerListing>

export const SellersQuery = Type.Object(
  {
    ...Paging,
    name: filter('Part of the name.'),
    customer_display_id: filter('The whole customer display id.'),
  },
  { additionalProperties: false },
)

export type SellersQuery = Static<typeof SellersQuery>
