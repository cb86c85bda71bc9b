import type { Language } from './languages.js'

const number = new Intl.NumberFormat('en').format

/** Texts of the pages in English. The other languages have the same type. */
export const english = {
  /** For dates and numbers. */
  locale: 'en-GB',
  shell: {
    skip: 'Skip to content',
    site: 'Site',
    heading: 'Sellers and their upcoming events',
    offline: 'No connection. Please try again.',
  },
  sellers: {
    title: 'Sellers',
    search: 'Search sellers',
    name: 'Name',
    customerDisplayId: 'Exact customer ID',
    submit: 'Search',
    showAll: 'Show all sellers',
    shown: (shown: Shown) => (shown.total === 1 ? '1 seller' : `${range(shown)} sellers`),
    found: (shown: Shown) => (shown.total === 1 ? '1 seller found' : `${range(shown)} sellers found`),
    none: 'The marketplace has no sellers yet.',
    noneFound: 'No seller matches this search.',
    noneOnPage,
    pages: 'Pages of sellers',
    pageSizes: 'Sellers per page',
  },
  events: {
    title: 'Upcoming events',
    choose: 'Select a seller to see its upcoming events.',
    sellerOf: (id: string) => `Seller ${id}`,
    back: 'Back to the list',
    id: (id: string | number) => `id ${id}`,
    timeZone: (zone: string) => `times in ${zone}`,
    search: 'Search events',
    titleField: 'Title',
    submit: 'Search',
    showAll: 'Show all events',
    shown: (shown: Shown) => (shown.total === 1 ? '1 upcoming event' : `${range(shown)} upcoming events`),
    found: (shown: Shown) => (shown.total === 1 ? '1 upcoming event found' : `${range(shown)} upcoming events found`),
    none: 'No upcoming events. Past events are not shown.',
    noneFound: 'No upcoming event has this in its title.',
    noneOnPage,
    unlisted: 'The marketplace has no seller with this ID.',
    /** `day`: today, tomorrow, in 3 days. */
    starts: (day: string) => `starts ${day}`,
    pages: 'Pages of events',
    pageSizes: 'Events per page',
  },
  pager: {
    position: (page: number, pages: number) => `Page ${number(page)} of ${number(pages)}`,
    first: 'First',
    prev: 'Previous',
    next: 'Next',
    last: 'Last',
    perPage: 'Per page',
    lastPage: (pages: number) => `Go to page ${number(pages)}`,
  },
  stale: {
    asOf: 'As of',
    failing: 'The marketplace is not responding.',
    refreshing: 'A newer list is being loaded.',
  },
  problem: {
    retry: 'Try again',
    home: 'Back to the sellers',
    request: 'Request',
    status: (status: number) => `Error ${status}`,
    headings: {
      400: 'This address is not valid',
      404: 'Page not found',
      429: 'Too many requests',
      502: 'The marketplace sent an invalid response',
      503: 'The marketplace is unavailable',
      504: 'The marketplace is not responding in time',
    },
    clientError: 'This request cannot be processed',
    serverError: 'Something went wrong',
    advice: {
      400: 'Please correct:',
      404: 'The address may be mistyped or out of date.',
      429: 'Please wait a minute and try again.',
      502: 'Please try again in a moment.',
      503: 'Please try again in a moment.',
      504: 'Please try again in a moment.',
    },
    clientErrorAdvice: 'Please go back and try again.',
    serverErrorAdvice: 'The error has been logged. Please try again in a moment.',
    fields: {
      page: 'must be a whole number from 1',
      page_size: 'must be a whole number from 1 to 100',
      list_page: 'must be a whole number from 1',
      list_page_size: 'must be a whole number from 1 to 100',
      seller_id: 'must be 1 to 64 letters, digits, hyphens or underscores',
      name: 'must have at most 200 characters',
      customer_display_id: 'must have at most 200 characters',
      title: 'must have at most 200 characters',
      list_name: 'must have at most 200 characters',
      list_customer_display_id: 'must have at most 200 characters',
    },
  },
}

/** Texts of the pages in one language. */
export type Texts = typeof english & { readonly language: Language }

/** The range of a list that a page shows. */
export interface Shown {
  readonly from: number
  readonly to: number
  readonly total: number
}

function range({ from, to, total }: Shown): string {
  return `${number(from)}${to > from ? `–${number(to)}` : ''} of ${number(total)}`
}

function noneOnPage(pages: number): string {
  return pages === 1 ? 'The list has only one page.' : `The list has ${number(pages)} pages only.`
}
