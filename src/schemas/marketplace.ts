import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { customerId, Id } from './listing.js'

/** Null or absent where customers know it by no number. */
const CustomerId = Type.Optional(customerId())

/** A seller as the upstream answers it: what we keep of it; it has more fields. */
export const UpstreamSeller = Type.Object({
  id: Id,
  name: Type.String(),
  customer_display_id: CustomerId,
})

export type UpstreamSeller = Static<typeof UpstreamSeller>

/** A catalog as the upstream answers it: what we keep of it; it has more fields. */
export const UpstreamCatalog = Type.Object({
  id: Id,
  title: Type.String(),
  customer_catalog_id: CustomerId,
  start_date: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})

export type UpstreamCatalog = Static<typeof UpstreamCatalog>

/** One page of an upstream list: `page` from 1, `page_size` as the upstream applied it, `total` of all pages. */
export function pageOf<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    page: Type.Integer({ minimum: 1 }),
    page_size: Type.Integer({ minimum: 0 }),
    total: Type.Integer({ minimum: 0 }),
  })
}
