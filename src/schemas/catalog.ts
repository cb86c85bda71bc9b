import { type Static, Type } from '@sinclair/typebox'
import { customerId, filter, Id, listingOf, Paging } from './listing.js'

export const Catalog = Type.Object(
  {
    id: Id,
    title: Type.String(),
    customer_catalog_id: customerId('Number under which customers know the catalog.'),
    start_date: Type.Union([Type.String(), Type.Null()], {
      description:
        'When the sale starts: an ISO date, or date and time with an offset, as the marketplace says it. Null never comes in this list, which has what is to come.',
    }),
  },
  { title: 'Catalog', additionalProperties: false },
)

export type Catalog = Static<typeof Catalog>

/** A seller's whole list, as it is cached. */
export const Catalogs = Type.Array(Catalog)

export const CatalogListing = listingOf(Catalog, 'CatalogListing')

export type CatalogListing = Static<typeof CatalogListing>

export const CatalogsQuery = Type.Object(
  { ...Paging, title: filter('Part of the title.') },
  { additionalProperties: false },
)

export type CatalogsQuery = Static<typeof CatalogsQuery>
