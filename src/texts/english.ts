import type { Language } from '../languages.js'

const number = new Intl.NumberFormat('en').format

/** All that pages say, in English. The other languages say the same: their type is that of this one. */
export const english = {
  /** For dates and times, where regions differ. */
  locale: 'en-GB',
  shell: {
    skip: 'Skip to the content',
    site: 'Site',
    heading: 'Sellers and their coming events',
    offline: 'No connection. Please try again.',
  },
  sellers: {
    title: 'Sellers',
    search: 'Search sellers',
    name: 'Name',
    customerDisplayId: 'Whole customer id',
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
    title: 'Coming events',
    choose: 'Choose a seller to see its coming events.',
    sellerOf: (id: string) => `Seller ${id}`,
    back: 'Back to the list',
    id: (id: string | number) => `id ${id}`,
    timeZone: (zone: string) => `times in ${zone}`,
    search: 'Search events',
    titleField: 'Title',
    submit: 'Search',
    showAll: 'Show all events',
    shown: (shown: Shown) => (shown.total === 1 ? '1 coming event' : `${range(shown)} coming events`),
    found: (shown: Shown) => (shown.total === 1 ? '1 coming event found' : `${range(shown)} coming events found`),
    none: 'No coming events. Past ones are not shown.',
    noneFound: 'No coming event has this in its title.',
    noneOnPage,
    unlisted: 'The marketplace lists no seller with this id.',
    /** `when`: today, tomorrow, in 3 days. */
    starts: (when: string) => `starts ${when}`,
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
    failing: 'The marketplace is not answering.',
    refreshing: 'A newer list is on its way.',
  },
  problem: {
    retry: 'Try again',
    home: 'Back to the sellers',
    request: 'Request',
    status: (status: number) => `Error ${status}`,
    headings: {
      400: 'This address has a mistake in it',
      404: 'There is nothing at this address',
      429: 'That was a lot in a short time',
      502: 'The marketplace gave an answer that we cannot use',
      503: 'The marketplace cannot be reached',
      504: 'The marketplace takes too long to answer',
    },
    refused: 'This cannot be answered',
    failed: 'Something went wrong on our side',
    advice: {
      400: 'Please correct this:',
      404: 'It may have been mistyped, or be out of date.',
      429: 'Please wait a minute before you go on.',
      502: 'This is not your fault. Please try again in a moment.',
      503: 'This is not your fault. Please try again in a moment.',
      504: 'This is not your fault. Please try again in a moment.',
    },
    refusedAdvice: 'Please go back and try another way.',
    failedAdvice: 'It has been noted. Please try again in a moment.',
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

/** What pages say, in one language. */
export type Texts = typeof english & { readonly language: Language }

/** Which part of a list is on a page. */
export interface Shown {
  readonly from: number
  readonly to: number
  readonly total: number
}

function range({ from, to, total }: Shown): string {
  return `${number(from)}${to > from ? `–${number(to)}` : ''} of ${number(total)}`
}

function noneOnPage(pages: number): string {
  return pages === 1 ? 'The list has one page only.' : `The list has ${number(pages)} pages only.`
}
