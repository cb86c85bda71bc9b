import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Catalogs } from '../../catalog/catalogs.js'
import { problemResponses } from '../../errors.js'
import { callContext } from '../../request-identity.js'
import { CatalogListing, CatalogsQuery } from '../../schemas/catalog.js'
import { SellerParams } from '../../schemas/listing.js'
import { keptUnless } from '../kept.js'
import { pageLinks } from './page-links.js'

const catalogRoutes: FastifyPluginAsyncTypebox<{ catalogs: Catalogs }> = async (app, { catalogs }) => {
  const schema = {
    operationId: 'listCatalogs',
    summary: "A seller's coming catalogs",
    description:
      'Catalogs that start today or later in the time zone of the catalog, soonest first. A seller that nobody knows has none. A page beyond the last is empty. Answers carry an ETag; If-None-Match is answered 304.',
    tags: ['catalog'],
    params: SellerParams,
    querystring: CatalogsQuery,
    response: { 200: CatalogListing, ...problemResponses },
  }
  app.get(
    '/sellers/:seller_id/catalogs',
    { schema, config: { edge: keptUnless(['title']) } },
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
