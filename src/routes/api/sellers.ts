import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Sellers } from '../../catalog/sellers.js'
import { problemResponses } from '../../errors.js'
import { callContext } from '../../request-identity.js'
import { SellerListing, SellersQuery } from '../../schemas/seller.js'
import { keptUnless } from '../kept.js'
import { pageLinks } from './page-links.js'

const sellerRoutes: FastifyPluginAsyncTypebox<{ sellers: Sellers }> = async (app, { sellers }) => {
  const schema = {
    operationId: 'listSellers',
    summary: 'Sellers',
    description:
      'All sellers in the order of the marketplace, or those that match the filters: a part of the name, the whole customer display id. A page beyond the last is empty. Parameters of other names are ignored. Answers carry an ETag; If-None-Match is answered 304.',
    tags: ['catalog'],
    querystring: SellersQuery,
    response: { 200: SellerListing, ...problemResponses },
  }
  app.get(
    '/sellers',
    { schema, config: { edge: keptUnless(['name', 'customer_display_id']) } },
    async (request, reply) => {
      const { name, customer_display_id } = request.query
      const listing = await sellers.list(request.query, callContext(request))
      reply.header('link', pageLinks(`${app.prefix}/sellers`, listing, { name, customer_display_id }))
      return listing
    },
  )
}

export default sellerRoutes
