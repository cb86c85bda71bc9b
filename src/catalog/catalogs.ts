import type { Cache } from 'fastify-vitrine/cache'
import { type Catalog, type CatalogsQuery, Catalogs as CatalogsSchema } from '../schemas/catalog.js'
import { resolveFilter } from '../schemas/filter.js'
import { isAccessDenied } from '../upstream/errors.js'
import type { CallContext, CatalogsRequest, MarketplaceClient } from '../upstream/marketplace-client.js'
import { catalogsKey, filteredKey } from './cache-keys.js'
import type { Calendar } from './calendar.js'
import type { InvalidDates } from './invalid-dates.js'
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
  readonly invalidDates: Pick<InvalidDates, 'report'>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export function createCatalogs(deps: CatalogsDeps): Catalogs {
  const { cache, marketplace, sellers, calendar, invalidDates, now } = deps
  return {
    async list(sellerId, query, context) {
      const title = resolveFilter(query.title)
      if (title !== undefined) {
        const filtered = { sellerId, title }
        const matches = await cache.fetch(
          filteredKey('catalogs', filtered),
          ({ signal }) => loadUpcoming(filtered, { ...context, signal }),
          { bypass: true },
        )
        return slicePage(matches, query)
      }
      const reading = await cache.read(
        catalogsKey(sellerId),
        async (load) => {
          const catalogs = await loadUpcoming({ sellerId }, { ...context, signal: load.signal })
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

  async function loadUpcoming(request: CatalogsRequest, context: CallContext): Promise<Catalog[]> {
    const catalogs = await marketplace.catalogs.all(request, context)
    invalidDates.report(catalogs.flatMap(({ start_date }) => (isInvalid(start_date) ? [start_date] : [])))
    return upcoming(catalogs)
  }

  /** A blank date counts as none. */
  function isInvalid(startDate: string | null): startDate is string {
    return startDate !== null && startDate.trim() !== '' && calendar.instantOf(startDate) === undefined
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

/** Numbers before strings, each in their own order: a total order of mixed ids too. */
export function compareIds(a: Catalog['id'], b: Catalog['id']): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : Number(a > b)
}
