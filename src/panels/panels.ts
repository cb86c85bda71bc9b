import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Calendar } from '../catalog/calendar.js'
import type { Catalogs } from '../catalog/catalogs.js'
import type { Sellers } from '../catalog/sellers.js'
import { render } from '../http/html-pages.js'
import { createProblemView, type ProblemView } from '../http/problem-view.js'
import { logError, toProblem } from '../http/problems.js'
import { callContext } from '../http/request-id.js'
import type { EventsPanelQuery, SellersPanelQuery } from '../schemas/panel.js'
import { type Texts, textsOf } from '../texts/index.js'
import { createPerLanguage, languageOf } from '../texts/languages.js'
import { createDateFormatter } from './date-formatter.js'
import { createEventsView, type EventsView } from './events-view.js'
import { backToList } from './links.js'
import { createSellersView, type SellersView } from './sellers-view.js'

/** A panel of a page: its view, or the problem that is shown in its place. */
export type Panel<View> =
  | { readonly view: View }
  | { readonly problem: ProblemView & EventsPanelLinks; readonly status: number }

/** What an events panel shows of its seller even if the events failed to load. */
export interface EventsPanelLinks {
  readonly sellerId?: string
  readonly backToList?: string
}

/** Creates the views of both panels. Rejects with an upstream error. */
export interface Panels {
  sellers(query: SellersPanelQuery, request: FastifyRequest): Promise<SellersView>
  /** `sellersPanel`, of the same page, may have the seller while the complete list is not cached. */
  events(
    sellerId: string,
    query: EventsPanelQuery,
    request: FastifyRequest,
    sellersPanel?: Panel<SellersView> | Promise<Panel<SellersView>>,
  ): Promise<EventsView>
}

export interface PanelsDeps {
  readonly sellers: Sellers
  readonly catalogs: Catalogs
  readonly calendar: Calendar
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export function createPanels({ sellers, catalogs, calendar, now }: PanelsDeps): Panels {
  const dateFormatters = createPerLanguage((language) => createDateFormatter(calendar, textsOf(language)))
  const inLanguageOf = (request: FastifyRequest) => {
    const language = languageOf(request)
    return { text: textsOf(language), dates: dateFormatters[language], now: now() }
  }
  return {
    async sellers(query, request) {
      const listing = await sellers.list(query, callContext(request))
      return createSellersView({ listing, query, ...inLanguageOf(request) })
    },
    async events(sellerId, query, request, sellersPanel) {
      const listing = await catalogs.list(sellerId, query, callContext(request))
      const panel = await sellersPanel
      const rows = panel !== undefined && 'view' in panel ? panel.view.rows : []
      const seller = rows.find(({ id }) => String(id) === sellerId) ?? (await sellers.findCached(sellerId))
      const isUnlisted = seller === undefined && (await sellers.isUnlisted(sellerId))
      const view = { sellerId, seller, isUnlisted, listing, query, calendar }
      return createEventsView({ ...view, ...inLanguageOf(request) })
    },
  }
}

/** Logs a failure and turns it into a problem, so that the rest of the page is still served. */
export async function settlePanel<View>(
  view: Promise<View>,
  request: FastifyRequest,
  links: EventsPanelLinks = {},
): Promise<Panel<View>> {
  try {
    return { view: await view }
  } catch (error) {
    const failure = error as FastifyError // an upstream error; anything else becomes a 500
    logError(failure, request)
    const problem = toProblem(failure, request)
    return { problem: { ...createProblemView(problem, request), ...links }, status: problem.status }
  }
}

export function settleEventsPanel(panels: Panels, ...args: Parameters<Panels['events']>): Promise<Panel<EventsView>> {
  const [sellerId, query, request] = args
  return settlePanel(panels.events(...args), request, { sellerId, backToList: backToList(sellerId, query) })
}

export interface PanelsPage {
  readonly text: Texts
  readonly title: string
  readonly sellers: Panel<SellersView>
  readonly events?: Panel<EventsView>
}

/** Sends the page with both panels. A page with a failed panel is not cached. */
export function renderPanels(reply: FastifyReply, page: PanelsPage): FastifyReply {
  if ('problem' in page.sellers || (page.events !== undefined && 'problem' in page.events)) {
    reply.header('cache-control', 'no-store')
  }
  return render(reply, 'pages/panels', page)
}
