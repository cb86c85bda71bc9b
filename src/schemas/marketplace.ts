import { type Static, type TSchema, Type } from '@sinclair/typebox'

/**
 * Identifier as the upstream gives it. An integer beyond 2^53 − 1 is refused: JSON parsing has rounded it already, to
 * what may be the id of somebody else.
 */
export const UpstreamId = Type.Union([
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
  Type.String({ minLength: 1 }),
])

export type UpstreamId = Static<typeof UpstreamId>

/** Number under which customers know something: null or absent where they know it by none. */
const CustomerId = Type.Optional(Type.Union([Type.Integer(), Type.String(), Type.Null()]))

/** A seller as the upstream answers it: what we keep of it; it has more fields. */
export const UpstreamSeller = Type.Object({
  id: UpstreamId,
  name: Type.String(),
  customer_display_id: CustomerId,
})

export type UpstreamSeller = Static<typeof UpstreamSeller>

/** A catalog as the upstream answers it: what we keep of it; it has more fields. */
export const UpstreamCatalog = Type.Object({
  id: UpstreamId,
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

export type UpstreamPage<Item> = Omit<Static<ReturnType<typeof pageOf>>, 'items'> & { items: Item[] }
