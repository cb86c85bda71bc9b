import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Catalogs } from '../catalog/catalogs.js'
import { cacheUnlessFiltered } from '../http/edge-policy.js'
import { problemResponses } from '../http/problems.js'
import { callContext } from '../http/request-id.js'
import { CatalogListing, CatalogsQuery } from '../schemas/catalog.js'
import { SellerParams } from '../schemas/listing.js'
import { listResponses } from './list-responses.js'
import { pageLinks } from './page-links.js'

const catalogRoutes: FastifyPluginAsyncTypebox<{ catalogs: Catalogs }> = async (app, { catalogs }) => {
  const schema = {
    operationId: 'listCatalogs',
    summary: "A seller's upcoming catalogs",
    description:
      'Catalogs that start today or later, soonest first. The service decides the time zone of "today". An unknown seller has an empty list. Filtered requests are not cached: when the marketplace fails, there is no stale list. A page beyond the last is empty. Unknown parameters are ignored.',
    tags: ['catalog'],
    params: SellerParams,
    querystring: CatalogsQuery,
    response: { ...listResponses(CatalogListing), ...problemResponses },
  }
  app.get(
    '/sellers/:seller_id/catalogs',
    { schema, config: { edge: cacheUnlessFiltered(['title']) } },
    async (request, reply) => {
      const { seller_id } = request.params
      const { title } = request.query
      const listing = await catalogs.list(seller_id, request.query, callContext(request))
      reply.header('link', pageLinks(`${app.prefix}/sellers/${seller_id}/catalogs`, listing, { title }))
      return listing
    },
  )
}

export default catalogRoutes
