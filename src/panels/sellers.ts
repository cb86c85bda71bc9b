import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { cacheUnlessFiltered } from '../edge-policy.js'
import { pageFields, show, wantsFragment } from '../pages.js'
import { SellersPanelQuery } from '../schemas/panel.js'
import { listStateOf } from './links.js'
import { eventsOrProblem, type Shop, showShop } from './shop.js'

const sellersPanel: FastifyPluginAsyncTypebox<{ shop: Shop }> = async (app, { shop }) => {
  const schema = { hide: true, querystring: SellersPanelQuery }
  const edge = { ...cacheUnlessFiltered(['name', 'customer_display_id']), vary: pageFields }
  for (const path of ['/', '/panels/sellers']) {
    app.get(path, { schema, config: { edge } }, async (request, reply) => {
      const { query } = request
      const view = await shop.sellers(query, request)
      if (wantsFragment(request)) return show(reply, 'partials/sellers', view)
      const { seller_id: chosen } = query
      const page = { text: view.text, title: view.documentTitle, sellers: { view } }
      if (chosen === undefined) return showShop(reply, page)
      const firstEvents = { page: 1, page_size: 20, ...listStateOf(query) }
      const events = await eventsOrProblem(shop, chosen, firstEvents, request, { view })
      return showShop(reply, {
        ...page,
        ...('view' in events ? { title: events.view.documentTitle } : {}),
        events,
      })
    })
  }
}

export default sellersPanel
