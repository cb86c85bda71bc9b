import type { Cache } from 'fastify-vitrine/cache'
import { type Catalog, type CatalogsQuery, Catalogs as CatalogsSchema } from '../schemas/catalog.js'
import { resolveFilter } from '../schemas/filter.js'
import { isAccessDenied } from '../upstream/errors.js'
import type { CallContext, MarketplaceClient } from '../upstream/marketplace-client.js'
import { catalogsKey, filteredKey } from './cache-keys.js'
import type { Calendar } from './calendar.js'
import { type Listing, slicePage, withStaleness } from './paging.js'
import type { Sellers } from './sellers.js'

/** Upcoming catalogs of a seller, soonest first. */
export interface Catalogs {
  /** One page: from the cached list, or from the upstream if there is a filter. Rejects with an upstream error. */
  list(sellerId: string, query: CatalogsQuery, context: CallContext): Promise<Listing<Catalog>>
}

export interface CatalogsDeps {
  readonly cache: Cache
  readonly marketplace: MarketplaceClient
  readonly sellers: Pick<Sellers, 'findCached'>
  readonly calendar: Calendar
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export function createCatalogs({ cache, marketplace, sellers, calendar, now }: CatalogsDeps): Catalogs {
  return {
    async list(sellerId, query, context) {
      const title = resolveFilter(query.title)
      if (title !== undefined) {
        const filtered = { sellerId, title }
        const matches = await cache.fetch(
          filteredKey('catalogs', filtered),
          async ({ signal }) => upcoming(await marketplace.catalogs.all(filtered, { ...context, signal })),
          { bypass: true },
        )
        return slicePage(matches, query)
      }
      const reading = await cache.read(
        catalogsKey(sellerId),
        async (load) => {
          const catalogs = upcoming(await marketplace.catalogs.all({ sellerId }, { ...context, signal: load.signal }))
          const isUnknown = catalogs.length === 0 && (await sellers.findCached(sellerId)) === undefined
          return isUnknown ? load.notFound(catalogs) : catalogs
        },
        // At midnight some of these catalogs are no longer upcoming.
        {
          tags: ['catalogs', `seller:${sellerId}`],
          schema: CatalogsSchema,
          freshUntil: calendar.dayAt(now()).endsAt,
          serveStaleOn: (error) => !isAccessDenied(error),
        },
      )
      return withStaleness(slicePage(upcoming(reading.value), query), reading)
    },
  }

  /** Catalogs that start today or later, soonest first. One without a valid date is not upcoming. */
  function upcoming(catalogs: readonly Catalog[]): Catalog[] {
    const today = calendar.dayAt(now()).startsAt
    return catalogs
      .map((catalog) => ({ catalog, startsAt: calendar.instantOf(catalog.start_date) ?? Number.NEGATIVE_INFINITY }))
      .filter(({ startsAt }) => startsAt >= today)
      .sort((a, b) => a.startsAt - b.startsAt || compareIds(a.catalog.id, b.catalog.id))
      .map(({ catalog }) => catalog)
  }
}

function compareIds(a: Catalog['id'], b: Catalog['id']): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [left, right] = [String(a), String(b)]
  return left < right ? -1 : Number(left > right)
}
