import type { FastifyPluginAsync } from 'fastify'
import type { Catalogs } from '../catalog/catalogs.js'
import type { Sellers } from '../catalog/sellers.js'
import { setAudience } from '../http/audience.js'
import { handleErrors, handleNotFound, sendProblemJson } from '../http/error-handler.js'
import catalogRoutes from './catalogs.js'
import sellerRoutes from './sellers.js'

export interface ApiOptions {
  readonly sellers: Sellers
  readonly catalogs: Catalogs
}

/** The JSON API, below its prefix. Errors are problem+json whatever the client accepts. */
const apiRoutes: FastifyPluginAsync<ApiOptions> = async (app, { sellers, catalogs }) => {
  setAudience(app, 'client')
  handleErrors(app, sendProblemJson)
  handleNotFound(app, sendProblemJson)
  await app.register(sellerRoutes, { prefix: '/v1', sellers })
  await app.register(catalogRoutes, { prefix: '/v1', catalogs })
}

export default apiRoutes
