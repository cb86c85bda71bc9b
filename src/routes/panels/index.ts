import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Calendar } from '../../catalog/calendar.js'
import type { Catalogs } from '../../catalog/catalogs.js'
import type { Sellers } from '../../catalog/sellers.js'
import { varyByFragment } from '../../pages.js'
import eventsPanel from './events.js'
import sellersPanel from './sellers.js'
import { createShop } from './shop.js'

export interface PanelOptions {
  readonly sellers: Sellers
  readonly catalogs: Catalogs
  readonly calendar: Calendar
}

/** What people see: sellers, and beside them the coming events of the one that is chosen. */
const panelRoutes: FastifyPluginAsyncTypebox<PanelOptions> = async (app, options) => {
  app.addHook('onRequest', async (_request, reply) => varyByFragment(reply))
  const shop = createShop(options)
  await app.register(sellersPanel, { shop })
  await app.register(eventsPanel, { shop })
}

export default panelRoutes
