import type { Cache } from 'fastify-vitrine/cache'
import { type Seller, type SellersQuery, Sellers as SellersSchema } from '../schemas/seller.js'
import { isAccessDenied } from '../upstream/errors.js'
import type { CallContext, Marketplace } from '../upstream/marketplace.js'
import { bypassKey, type Listing, listing, pageOf, resolveFilter, withAge } from './paging.js'

/** Where the whole list of sellers lies in the cache. */
const key = 'sellers_all'

/** The sellers of the marketplace, a page at a time. */
export interface Sellers {
  /** From the cached list, or straight from the upstream when a filter is given. Rejects with an upstream error. */
  list(query: SellersQuery, context: CallContext): Promise<Listing<Seller>>
  /** The seller as the cached list has it, stale or not; when there is no list nobody is asked. */
  findCached(sellerId: string): Promise<Seller | undefined>
  /** Whether there is a cached list that does not have the seller. */
  isUnlisted(sellerId: string): Promise<boolean>
}

export interface SellersParts {
  readonly cache: Cache
  readonly marketplace: Marketplace
}

export function createSellers({ cache, marketplace }: SellersParts): Sellers {
  return {
    async list(query, context) {
      const name = resolveFilter(query.name)
      const customerDisplayId = resolveFilter(query.customer_display_id)
      if (name !== undefined || customerDisplayId !== undefined) {
        return listFiltered({ ...query, name, customerDisplayId }, context)
      }
      const reading = await cache.read(key, ({ signal }) => marketplace.sellers.all({ ...context, signal }), {
        tags: ['sellers'],
        schema: SellersSchema,
        serveStaleOn: (error) => !isAccessDenied(error),
      })
      return withAge(pageOf(reading.value, query), reading)
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
    return cache.get(key, { schema: SellersSchema, allowStale: true })
  }

  async function listFiltered(request: FilteredRequest, context: CallContext): Promise<Listing<Seller>> {
    const { page, page_size: pageSize, name, customerDisplayId } = request
    const question = {
      page,
      pageSize,
      ...(name === undefined ? {} : { name }),
      ...(customerDisplayId === undefined ? {} : { customerDisplayId }),
    }
    const { items, total } = await cache.fetch(
      bypassKey('sellers', question),
      ({ signal }) => marketplace.sellers.page(question, { ...context, signal }),
      { bypass: true },
    )
    return listing(items, total, request)
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
