import type { EventsPanelQuery, SellersPanelQuery } from '../schemas/panel.js'

/** Parameters of an address by name; those that are `undefined` or blank are left out. */
export type Parameters = Readonly<Record<string, string | number | undefined>>

/** Address of a panel: only what differs from the default is in it, so that an address says what it shows. */
export function address(path: string, parameters: Parameters): string {
  const query = new URLSearchParams(telling(parameters))
  return query.size === 0 ? path : `${path}?${query}`
}

/** The parameters that say something: neither blank nor the default. */
export function telling(parameters: Parameters): [name: string, value: string][] {
  return Object.entries(parameters)
    .filter(([name, value]) => value !== undefined && String(value).trim() !== '' && value !== defaults[name])
    .map(([name, value]) => [name, String(value)])
}

const defaults: Parameters = { page: 1, page_size: 20, list_page: 1, list_page_size: 20 }

export const sellersPath = '/panels/sellers'

export function eventsPath(sellerId: string | number): string {
  return `/panels/sellers/${encodeURIComponent(sellerId)}/events`
}

/** Where in the list of sellers one is. */
export function rowId(sellerId: string | number): string {
  return `seller-${sellerId}`
}

/** The way back from the events of a seller: to its row, in the list as it stood. */
export function backToList(sellerId: string, state: ListState): string {
  return `${address(sellersPath, { ...sellersQueryOf(state) })}#${rowId(sellerId)}`
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
