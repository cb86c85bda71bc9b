import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Calendar } from '../catalog/calendar.js'
import type { Catalogs } from '../catalog/catalogs.js'
import type { Sellers } from '../catalog/sellers.js'
import { logError, toProblem } from '../http/problems.js'
import { callContext } from '../http/request-id.js'
import { inEachLanguage, languageOf } from '../languages.js'
import { show } from '../pages.js'
import { createProblemView, type ProblemView } from '../problem-view.js'
import type { EventsPanelQuery, SellersPanelQuery } from '../schemas/panel.js'
import { type Texts, textsOf } from '../texts/index.js'
import { createDateWords } from './date-words.js'
import { createEventsView, type EventsView } from './events-view.js'
import { backToList } from './links.js'
import { createSellersView, type SellersView } from './sellers-view.js'

/** A panel of the page: what it shows, or why it cannot. */
export type Panel<View> =
  | { readonly view: View }
  | { readonly problem: ProblemView & PanelPlace; readonly status: number }

/** Where a panel of events stands, also when there are none to be had. */
export interface PanelPlace {
  readonly sellerId?: string
  readonly backToList?: string
}

/** Makes the two panels that every page is put together from. Rejects with what the upstream did wrong. */
export interface Shop {
  sellers(query: SellersPanelQuery, request: FastifyRequest): Promise<SellersView>
  /**
   * `beside` is the panel of sellers shown beside it, asked for at the same time: it may have the seller when no whole list is
   * in the cache.
   */
  events(
    sellerId: string,
    query: EventsPanelQuery,
    request: FastifyRequest,
    beside?: Panel<SellersView> | Promise<Panel<SellersView>>,
  ): Promise<EventsView>
}

export interface ShopParts {
  readonly sellers: Sellers
  readonly catalogs: Catalogs
  readonly calendar: Calendar
  /** Milliseconds since the epoch: decides what "tomorrow" is. */
  readonly now: () => number
}

export function createShop({ sellers, catalogs, calendar, now }: ShopParts): Shop {
  const words = inEachLanguage((language) => createDateWords(calendar, textsOf(language)))
  const inLanguageOf = (request: FastifyRequest) => {
    const language = languageOf(request)
    return { text: textsOf(language), words: words[language], now: now() }
  }
  return {
    async sellers(query, request) {
      const listing = await sellers.list(query, callContext(request))
      return createSellersView({ listing, query, ...inLanguageOf(request) })
    },
    async events(sellerId, query, request, beside) {
      const listing = await catalogs.list(sellerId, query, callContext(request))
      const panel = await beside
      const shown = panel !== undefined && 'view' in panel ? panel.view.rows : []
      const seller = shown.find(({ id }) => String(id) === sellerId) ?? (await sellers.findCached(sellerId))
      const isUnlisted = seller === undefined && (await sellers.isUnlisted(sellerId))
      const view = { sellerId, seller, isUnlisted, listing, query, calendar }
      return createEventsView({ ...view, ...inLanguageOf(request) })
    },
  }
}

/** A panel of a page that is still of use without it: when it fails the page says so in its place. */
export async function panelOrProblem<View>(
  view: Promise<View>,
  request: FastifyRequest,
  place: PanelPlace = {},
): Promise<Panel<View>> {
  try {
    return { view: await view }
  } catch (error) {
    const failure = error as FastifyError // what a list rejects with; anything else is reported as a 500
    logError(failure, request)
    const problem = toProblem(failure, request)
    return { problem: { ...createProblemView(problem, request), ...place }, status: problem.status }
  }
}

/** The panel of a seller's events: where they cannot be had it says whose they are all the same, and leads back. */
export function eventsOrProblem(shop: Shop, ...asked: Parameters<Shop['events']>): Promise<Panel<EventsView>> {
  const [sellerId, query, request] = asked
  return panelOrProblem(shop.events(...asked), request, { sellerId, backToList: backToList(sellerId, query) })
}

/** The page that the panels are put together to. */
export interface ShopPage {
  readonly text: Texts
  readonly title: string
  readonly sellers: Panel<SellersView>
  readonly events?: Panel<EventsView>
}

/** Answers with the page. No cache stores it when a panel is missing: the next client must not get this client's failure. */
export function showShop(reply: FastifyReply, page: ShopPage): FastifyReply {
  if ('problem' in page.sellers || (page.events !== undefined && 'problem' in page.events)) {
    reply.header('cache-control', 'no-store')
  }
  return show(reply, 'pages/shop', page)
}
