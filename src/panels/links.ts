import { resolveFilter } from '../schemas/filter.js'
import { defaultPageSize, type Id } from '../schemas/listing.js'
import type { EventsPanelQuery, SellersPanelQuery } from '../schemas/panel.js'

export type QueryParams = Readonly<Record<string, string | number | undefined>>

/** URL of a panel. Defaults and blank values are left out. */
export function panelUrl(path: string, params: QueryParams): string {
  const query = new URLSearchParams(nonDefaultParams(params))
  return query.size === 0 ? path : `${path}?${query}`
}

export function nonDefaultParams(params: QueryParams): [name: string, value: string][] {
  return Object.entries(params)
    .map(([name, value = '']): [string, string] => [name, String(value)])
    .filter(([name, value]) => resolveFilter(value) !== undefined && value !== defaults[name])
}

const defaults: Readonly<Record<string, string>> = {
  page: '1',
  page_size: String(defaultPageSize),
  list_page: '1',
  list_page_size: String(defaultPageSize),
}

export const sellersPath = '/panels/sellers'

export function eventsPath(sellerId: Id): string {
  return `/panels/sellers/${encodeURIComponent(sellerId)}/events`
}

/** HTML id of a seller's row. */
export function rowId(sellerId: Id): string {
  return `seller-${sellerId}`
}

/** From the events of a seller back to its row, on the page of the list where it was opened. */
export function backToList(sellerId: string, state: ListState): string {
  return `${panelUrl(sellersPath, { ...sellersQueryOf(state) })}#${rowId(sellerId)}`
}

/** State of the sellers panel, as the URL of an events panel carries it. */
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

export interface PanelLink {
  /** URL with the state of both panels; works without JavaScript. */
  readonly full: string
  /** What htmx requests. The state of the other panel is in that panel's hidden fields. */
  readonly fragment: string
}

export function linkTo(path: string, params: QueryParams, otherPanel: QueryParams): PanelLink {
  return { full: panelUrl(path, { ...params, ...otherPanel }), fragment: panelUrl(path, params) }
}
