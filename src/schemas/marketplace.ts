import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { customerId, Id } from './listing.js'

const CustomerId = Type.Optional(customerId())

/** The fields that we use of an upstream seller. Others are ignored. */
export const UpstreamSeller = Type.Object({
  id: Id,
  name: Type.String(),
  customer_display_id: CustomerId,
})

export type UpstreamSeller = Static<typeof UpstreamSeller>

/** The fields that we use of an upstream catalog. Others are ignored. */
export const UpstreamCatalog = Type.Object({
  id: Id,
  title: Type.String(),
  customer_catalog_id: CustomerId,
  start_date: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})

export type UpstreamCatalog = Static<typeof UpstreamCatalog>

/** One page of an upstream list. `page_size` is the size that the upstream applied, `total` counts all pages. */
export function upstreamPage<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    page: Type.Integer({ minimum: 1 }),
    page_size: Type.Integer({ minimum: 0 }),
    total: Type.Integer({ minimum: 0 }),
  })
}
