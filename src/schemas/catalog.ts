import { type Static, Type } from '@sinclair/typebox'
import { filter } from './filter.js'
import { customerId, Id, listingOf, Paging } from './listing.js'

export const Catalog = Type.Object(
  {
    id: Id,
    title: Type.String(),
    customer_catalog_id: customerId('Catalog number that customers use.'),
    start_date: Type.Union([Type.String(), Type.Null()], {
      description:
        'Start of the sale: an ISO 8601 date, or a date and time with an offset, as the marketplace sends it. Never null in this list, which has upcoming catalogs only.',
    }),
  },
  { title: 'Catalog', additionalProperties: false },
)

export type Catalog = Static<typeof Catalog>

/** A seller's complete list, as it is cached. */
export const Catalogs = Type.Array(Catalog)

export const CatalogListing = listingOf(Catalog, 'CatalogListing')

export type CatalogListing = Static<typeof CatalogListing>

export const CatalogsQuery = Type.Object(
  { ...Paging, title: filter('Part of the title.') },
  { additionalProperties: false },
)

export type CatalogsQuery = Static<typeof CatalogsQuery>
