import type { Cache } from 'fastify-vitrine/cache'
import { resolveFilter } from '../schemas/filter.js'
import { type Seller, type SellersQuery, Sellers as SellersSchema } from '../schemas/seller.js'
import { isAccessDenied } from '../upstream/errors.js'
import type { CallContext, MarketplaceClient } from '../upstream/marketplace-client.js'
import { filteredKey, sellersKey } from './cache-keys.js'
import { createListing, type Listing, slicePage, withStaleness } from './paging.js'

/** Sellers of the marketplace. */
export interface Sellers {
  /** One page: from the cached list, or from the upstream if there is a filter. Rejects with an upstream error. */
  list(query: SellersQuery, context: CallContext): Promise<Listing<Seller>>
  /** The seller in the cached list, stale or not. Never loads. */
  findCached(sellerId: string): Promise<Seller | undefined>
  /** Whether a list is cached and does not contain the seller. */
  isUnlisted(sellerId: string): Promise<boolean>
}

export interface SellersDeps {
  readonly cache: Cache
  readonly marketplace: MarketplaceClient
}

export function createSellers({ cache, marketplace }: SellersDeps): Sellers {
  return {
    async list(query, context) {
      const name = resolveFilter(query.name)
      const customerDisplayId = resolveFilter(query.customer_display_id)
      if (name !== undefined || customerDisplayId !== undefined) {
        return listFiltered({ ...query, name, customerDisplayId }, context)
      }
      const reading = await cache.read(sellersKey, ({ signal }) => marketplace.sellers.all({ ...context, signal }), {
        tags: ['sellers'],
        schema: SellersSchema,
        serveStaleOn: (error) => !isAccessDenied(error),
      })
      return withStaleness(slicePage(reading.value, query), reading)
    },
    async findCached(sellerId) {
      return find((await cachedList()) ?? [], sellerId)
    },
    async isUnlisted(sellerId) {
      const sellers = await cachedList()
      return sellers !== undefined && find(sellers, sellerId) === undefined
    },
  }

  function cachedList(): Promise<readonly Seller[] | undefined> {
    return cache.get(sellersKey, { schema: SellersSchema, allowStale: true })
  }

  async function listFiltered(request: FilteredRequest, context: CallContext): Promise<Listing<Seller>> {
    const { page, page_size: pageSize, name, customerDisplayId } = request
    const filtered = {
      page,
      pageSize,
      ...(name === undefined ? {} : { name }),
      ...(customerDisplayId === undefined ? {} : { customerDisplayId }),
    }
    const { items, total } = await cache.fetch(
      filteredKey('sellers', filtered),
      ({ signal }) => marketplace.sellers.page(filtered, { ...context, signal }),
      { bypass: true },
    )
    return createListing(items, total, request)
  }
}

function find(sellers: readonly Seller[], sellerId: string): Seller | undefined {
  return sellers.find(({ id }) => String(id) === sellerId)
}

interface FilteredRequest {
  readonly page: number
  readonly page_size: number
  readonly name: string | undefined
  readonly customerDisplayId: string | undefined
}
