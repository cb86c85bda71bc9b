import type { EventsPanelQuery, SellersPanelQuery } from '../../schemas/panel.js'

type Parameters = Readonly<Record<string, string | number | undefined>>

/** Address of a panel: only what differs from the default is in it, so that an address says what it shows. */
export function address(path: string, parameters: Parameters): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && String(value).trim() !== '' && value !== defaults[name]) query.set(name, String(value))
  }
  return query.size === 0 ? path : `${path}?${query}`
}

const defaults: Parameters = { page: 1, page_size: 20, list_page: 1, list_page_size: 20 }

export const sellersPath = '/panels/sellers'

export function eventsPath(sellerId: string | number): string {
  return `/panels/sellers/${encodeURIComponent(sellerId)}/events`
}

/** Where the list of sellers stands, as the address of an events panel carries it. */
export type ListState = Pick<
  EventsPanelQuery,
  'list_page' | 'list_page_size' | 'list_name' | 'list_customer_display_id'
>

export function listStateOf({ page, page_size, name, customer_display_id }: SellersPanelQuery): ListState {
  return {
    list_page: page,
    list_page_size: page_size,
    ...(name === undefined ? {} : { list_name: name }),
    ...(customer_display_id === undefined ? {} : { list_customer_display_id: customer_display_id }),
  }
}

export function sellersQueryOf(state: ListState): SellersPanelQuery {
  return {
    page: state.list_page,
    page_size: state.list_page_size,
    ...(state.list_name === undefined ? {} : { name: state.list_name }),
    ...(state.list_customer_display_id === undefined ? {} : { customer_display_id: state.list_customer_display_id }),
  }
}

/**
 * A link to a panel. `full` says where both panels stand and works without JavaScript. `fragment` is what htmx asks for, and
 * leaves out what the other panel says of itself in its hidden fields.
 */
export interface PanelLink {
  readonly full: string
  readonly fragment: string
}

export function linkTo(path: string, own: Parameters, beside: Parameters): PanelLink {
  return { full: address(path, { ...own, ...beside }), fragment: address(path, own) }
}

/** First, previous, next and last of a list, where they lead somewhere else. */
export interface Pager {
  readonly page: number
  readonly pages: number
  readonly links: readonly PagerLink[]
}

export interface PagerLink extends PanelLink {
  readonly label: string
  readonly rel: string
}

export interface PagerParts {
  readonly page: number
  readonly pages: number
  readonly path: string
  /** Parameters of the panel itself, the page excepted. */
  readonly own: Parameters
  /** Parameters that tell of the panel beside it, which htmx takes from the page that is there. */
  readonly beside: Parameters
}

export function createPager({ page, pages, path, own, beside }: PagerParts): Pager {
  const last = Math.max(pages, 1)
  const targets = [
    { label: 'First', rel: 'first', to: 1, isUseful: page > 2 },
    { label: 'Previous', rel: 'prev', to: Math.min(page - 1, last), isUseful: page > 1 },
    { label: 'Next', rel: 'next', to: page + 1, isUseful: page < last },
    { label: 'Last', rel: 'last', to: last, isUseful: page < last - 1 },
  ]
  const links = targets
    .filter(({ isUseful }) => isUseful)
    .map(({ label, rel, to }) => ({ label, rel, ...linkTo(path, { ...own, page: to }, beside) }))
  return { page, pages: last, links }
}
