import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { pageFields, show, wantsFragment } from '../../pages.js'
import { SellerParams } from '../../schemas/listing.js'
import { EventsPanelQuery } from '../../schemas/panel.js'
import { keptUnless } from '../kept.js'
import { sellersQueryOf } from './links.js'
import { panelBeside, type Shop } from './shop.js'

const eventsPanel: FastifyPluginAsyncTypebox<{ shop: Shop }> = async (app, { shop }) => {
  const schema = { hide: true, params: SellerParams, querystring: EventsPanelQuery }
  const edge = { ...keptUnless(['title', 'list_name', 'list_customer_display_id']), vary: pageFields }
  app.get('/panels/sellers/:seller_id/events', { schema, config: { edge } }, async (request, reply) => {
    const { query, params } = request
    if (wantsFragment(request)) {
      return show(reply, 'partials/events', await shop.events(params.seller_id, query, request))
    }
    const list = { ...sellersQueryOf(query), seller_id: params.seller_id }
    const sellers = await panelBeside(shop.sellers(list, request), request)
    const view = await shop.events(params.seller_id, query, request, 'view' in sellers ? sellers.view.rows : [])
    return show(reply, 'pages/shop', { text: view.text, title: view.documentTitle, sellers, events: { view } })
  })
}

export default eventsPanel
