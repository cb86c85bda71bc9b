import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { setAudience } from '../http/audience.js'
import { handleNotFound } from '../http/error-handler.js'
import { sendPanelProblem } from './error-handler.js'
import eventsRoute from './events.js'
import { createPanels, type PanelsDeps } from './panels.js'
import sellersRoutes from './sellers.js'

/** HTML pages: sellers, and the upcoming events of the selected one. */
const panelRoutes: FastifyPluginAsyncTypebox<PanelsDeps> = async (app, deps) => {
  setAudience(app, 'client')
  const panels = createPanels(deps)
  await app.register(sellersRoutes, { panels })
  await app.register(eventsRoute, { panels })
  await app.register(async (scope) => handleNotFound(scope, sendPanelProblem('sellers')), { prefix: '/panels' })
}

export default panelRoutes
