import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { fragmentFields, wantsFragment } from '../../pages.js'
import { SellersPanelQuery } from '../../schemas/panel.js'
import { keptUnless } from '../kept.js'
import { listStateOf } from './links.js'
import { panelBeside, type Shop } from './shop.js'

const sellersPanel: FastifyPluginAsyncTypebox<{ shop: Shop }> = async (app, { shop }) => {
  const schema = { hide: true, querystring: SellersPanelQuery }
  const edge = { ...keptUnless(['name', 'customer_display_id']), vary: fragmentFields }
  for (const path of ['/', '/panels/sellers']) {
    app.get(path, { schema, config: { edge } }, async (request, reply) => {
      const { query } = request
      const view = await shop.sellers(query, request)
      if (wantsFragment(request)) return reply.view('partials/sellers', view)
      const { seller_id: chosen } = query
      if (chosen === undefined) return reply.view('pages/shop', { title: view.title, sellers: { view } })
      const firstEvents = { page: 1, page_size: 20, ...listStateOf(query) }
      const events = await panelBeside(shop.events(chosen, firstEvents, request, view.rows), request)
      const { title } = 'view' in events ? events.view : view
      return reply.view('pages/shop', { title, sellers: { view }, events })
    })
  }
}

export default sellersPanel
