import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Sellers } from '../catalog/sellers.js'
import { cacheUnlessFiltered } from '../http/edge-policy.js'
import { problemResponses } from '../http/problems.js'
import { callContext } from '../http/request-id.js'
import { SellerListing, SellersQuery } from '../schemas/seller.js'
import { listResponses } from './list-responses.js'
import { pageLinks } from './page-links.js'

const sellerRoutes: FastifyPluginAsyncTypebox<{ sellers: Sellers }> = async (app, { sellers }) => {
  const schema = {
    operationId: 'listSellers',
    summary: 'Sellers',
    description:
      'All sellers, or those that match all filters, in the order of the marketplace. Filtered requests are not cached: when the marketplace fails, there is no stale list. A page beyond the last is empty. Unknown parameters are ignored.',
    tags: ['catalog'],
    querystring: SellersQuery,
    response: { ...listResponses(SellerListing), ...problemResponses },
  }
  app.get(
    '/sellers',
    { schema, config: { edge: cacheUnlessFiltered(['name', 'customer_display_id']) } },
    async (request, reply) => {
      const { name, customer_display_id } = request.query
      const listing = await sellers.list(request.query, callContext(request))
      reply.header('link', pageLinks(`${app.prefix}/sellers`, listing, { name, customer_display_id }))
      return listing
    },
  )
}

export default sellerRoutes
