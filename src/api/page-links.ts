import { type Listing, neighboursOf } from '../catalog/paging.js'
import { resolveFilter } from '../schemas/filter.js'

/**
 * The `Link` header of a page: first, previous, next and last page, with the same page size and filters. RFC 8288.
 *
 * References are relative: only proxies know the external URL, and the edge stores one header for all of them. A form-encoded
 * filter consists of letters, digits, `%`, `+`, `-`, `.`, `_` and `*`, so it cannot end the reference or the header.
 *
 * A 304 has the header too: it describes the resource, not the representation that a 304 omits. RFC 9110 §15.4.5.
 */
export function pageLinks(
  path: string,
  listing: Pick<Listing<unknown>, 'page' | 'page_size' | 'pages'>,
  filters: Readonly<Record<string, string | undefined>>,
): string {
  return Object.entries(neighboursOf(listing))
    .map(([rel, page]) => `<${path}?${queryOf(page)}>; rel="${rel}"`)
    .join(', ')

  function queryOf(page: number): URLSearchParams {
    const query = new URLSearchParams()
    for (const [name, text] of Object.entries(filters)) {
      const filter = resolveFilter(text)
      if (filter !== undefined) query.set(name, filter)
    }
    query.set('page', String(page))
    query.set('page_size', String(listing.page_size))
    return query
  }
}
