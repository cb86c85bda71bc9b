import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { cacheUnlessFiltered } from '../http/edge-policy.js'
import { handleErrors } from '../http/error-handler.js'
import { isFragmentRequest, pageVary, render } from '../http/html-pages.js'
import { defaultPageSize } from '../schemas/listing.js'
import { SellersPanelQuery } from '../schemas/panel.js'
import { sendPanelProblem } from './error-handler.js'
import { listStateOf } from './links.js'
import { type Panels, renderPanels, settleEventsPanel } from './panels.js'

const sellersRoutes: FastifyPluginAsyncTypebox<{ panels: Panels }> = async (app, { panels }) => {
  handleErrors(app, sendPanelProblem('sellers'))
  const schema = { hide: true, querystring: SellersPanelQuery }
  const edge = { ...cacheUnlessFiltered(['name', 'customer_display_id']), vary: pageVary }
  for (const path of ['/', '/panels/sellers']) {
    app.get(path, { schema, config: { edge } }, async (request, reply) => {
      const { query } = request
      const view = await panels.sellers(query, request)
      if (isFragmentRequest(request)) return render(reply, 'partials/sellers', view)
      const { seller_id: selected } = query
      const page = { text: view.text, title: view.documentTitle, sellers: { view } }
      if (selected === undefined) return renderPanels(reply, page)
      const firstPage = { page: 1, page_size: defaultPageSize, ...listStateOf(query) }
      const events = await settleEventsPanel(panels, selected, firstPage, request, { view })
      const title = 'view' in events ? events.view.documentTitle : page.title
      return renderPanels(reply, { ...page, title, events })
    })
  }
}

export default sellersRoutes
