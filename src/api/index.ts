import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Catalogs } from '../catalog/catalogs.js'
import type { Sellers } from '../catalog/sellers.js'
import catalogRoutes from './catalogs.js'
import sellerRoutes from './sellers.js'

export interface ApiOptions {
  readonly sellers: Sellers
  readonly catalogs: Catalogs
}

/** The JSON API for the mobile app, under `/api/v1`. */
const apiRoutes: FastifyPluginAsyncTypebox<ApiOptions> = async (app, { sellers, catalogs }) => {
  await app.register(sellerRoutes, { sellers })
  await app.register(catalogRoutes, { catalogs })
}

export default apiRoutes
