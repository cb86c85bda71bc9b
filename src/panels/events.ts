import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { cacheUnlessFiltered } from '../edge-policy.js'
import { failWith } from '../http/error-handler.js'
import { pageFields, show, wantsFragment } from '../pages.js'
import { SellerParams } from '../schemas/listing.js'
import { EventsPanelQuery } from '../schemas/panel.js'
import { sellersQueryOf } from './links.js'
import { eventsOrProblem, panelOrProblem, type Shop, showShop } from './shop.js'

const eventsPanel: FastifyPluginAsyncTypebox<{ shop: Shop }> = async (app, { shop }) => {
  const schema = { hide: true, params: SellerParams, querystring: EventsPanelQuery }
  const edge = { ...cacheUnlessFiltered(['title', 'list_name', 'list_customer_display_id']), vary: pageFields }
  app.get('/panels/sellers/:seller_id/events', { schema, config: { edge } }, async (request, reply) => {
    const { query, params } = request
    if (wantsFragment(request)) {
      return show(reply, 'partials/events', await shop.events(params.seller_id, query, request))
    }
    const { seller_id: sellerId } = params
    const listed = panelOrProblem(shop.sellers({ ...sellersQueryOf(query), seller_id: sellerId }, request), request)
    const events = await eventsOrProblem(shop, sellerId, query, request, listed)
    const sellers = await listed
    if ('view' in events) {
      const { text, documentTitle: title } = events.view
      return showShop(reply, { text, title, sellers, events })
    }
    // What was asked for is missing, and the status says so; where there is a list beside it, that leads elsewhere.
    const { problem, status } = events
    failWith(reply, status)
    const page = { ...problem, title: problem.heading }
    return 'view' in sellers ? showShop(reply, { ...page, sellers, events }) : show(reply, 'pages/problem', page)
  })
}

export default eventsPanel
