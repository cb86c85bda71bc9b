import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import eventsPanel from './events.js'
import sellersPanel from './sellers.js'
import { createShop, type ShopParts } from './shop.js'

/** What people see: sellers, and beside them the coming events of the one that is chosen. */
const panelRoutes: FastifyPluginAsyncTypebox<ShopParts> = async (app, parts) => {
  const shop = createShop(parts)
  await app.register(sellersPanel, { shop })
  await app.register(eventsPanel, { shop })
}

export default panelRoutes
