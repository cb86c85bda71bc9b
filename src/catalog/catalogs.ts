import type { Cache } from 'fastify-vitrine/cache'
import { type Catalog, type CatalogsQuery, Catalogs as CatalogsSchema } from '../schemas/catalog.js'
import { isAccessDenied } from '../upstream/errors.js'
import type { CallContext, Marketplace } from '../upstream/marketplace.js'
import type { Calendar } from './calendar.js'
import { bypassKey, type Listing, pageOf, resolveFilter, withAge } from './paging.js'
import type { Sellers } from './sellers.js'

/** The coming catalogs of a seller, soonest first, a page at a time. */
export interface Catalogs {
  /** From the cached list, or straight from the upstream when a filter is given. Rejects with an upstream error. */
  list(sellerId: string, query: CatalogsQuery, context: CallContext): Promise<Listing<Catalog>>
}

export interface CatalogsParts {
  readonly cache: Cache
  readonly marketplace: Marketplace
  readonly sellers: Pick<Sellers, 'findCached'>
  readonly calendar: Calendar
  /** Milliseconds since the epoch: decides what "today" is. */
  readonly now: () => number
}

export function createCatalogs({ cache, marketplace, sellers, calendar, now }: CatalogsParts): Catalogs {
  return {
    async list(sellerId, query, context) {
      const title = resolveFilter(query.title)
      if (title !== undefined) {
        const question = { sellerId, title }
        const found = await cache.fetch(
          bypassKey('catalogs', question),
          async ({ signal }) => coming(await marketplace.catalogs.all(question, { ...context, signal })),
          { bypass: true },
        )
        return pageOf(found, query)
      }
      const reading = await cache.read(
        `catalogs_seller_${sellerId}`,
        async (load) => {
          const catalogs = coming(await marketplace.catalogs.all({ sellerId }, { ...context, signal: load.signal }))
          const isUnknown = catalogs.length === 0 && (await sellers.findCached(sellerId)) === undefined
          return isUnknown ? load.notFound(catalogs) : catalogs
        },
        // What was coming when the list was stored may be past at midnight, so that is where freshness ends.
        {
          tags: ['catalogs', `seller:${sellerId}`],
          schema: CatalogsSchema,
          freshUntil: calendar.dayAt(now()).endsAt,
          serveStaleOn: (error) => !isAccessDenied(error),
        },
      )
      return withAge(pageOf(coming(reading.value), query), reading)
    },
  }

  /** Those that start today or later, soonest first; one without a date, or with a date nobody can read, is not coming. */
  function coming(catalogs: readonly Catalog[]): Catalog[] {
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
