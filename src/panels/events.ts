import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { cacheUnlessFiltered } from '../http/edge-policy.js'
import { handleErrors, setErrorStatus } from '../http/error-handler.js'
import { isFragmentRequest, pageVary, render } from '../http/html-pages.js'
import { SellerParams } from '../schemas/listing.js'
import { EventsPanelQuery } from '../schemas/panel.js'
import { sendPanelProblem } from './error-handler.js'
import { sellersQueryOf } from './links.js'
import { type Panels, renderPanels, settleEventsPanel, settlePanel } from './panels.js'

const eventsRoute: FastifyPluginAsyncTypebox<{ panels: Panels }> = async (app, { panels }) => {
  handleErrors(app, sendPanelProblem('events'))
  const schema = { hide: true, params: SellerParams, querystring: EventsPanelQuery }
  const edge = { ...cacheUnlessFiltered(['title', 'list_name', 'list_customer_display_id']), vary: pageVary }
  app.get('/panels/sellers/:seller_id/events', { schema, config: { edge } }, async (request, reply) => {
    const { query } = request
    const { seller_id: sellerId } = request.params
    if (isFragmentRequest(request)) {
      return render(reply, 'partials/events', await panels.events(sellerId, query, request))
    }
    const sellersPanel = settlePanel(
      panels.sellers({ ...sellersQueryOf(query), seller_id: sellerId }, request),
      request,
    )
    const events = await settleEventsPanel(panels, sellerId, query, request, sellersPanel)
    const sellers = await sellersPanel
    if ('view' in events) {
      const { text, documentTitle: title } = events.view
      return renderPanels(reply, { text, title, sellers, events })
    }
    // The requested resource failed, and the status reports it; the list next to it is still of use.
    const { problem, status } = events
    setErrorStatus(reply, status)
    const page = { ...problem, title: problem.heading }
    return 'view' in sellers ? renderPanels(reply, { ...page, sellers, events }) : render(reply, 'pages/problem', page)
  })
}

export default eventsRoute
