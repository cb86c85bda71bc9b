import { type Listing, neighboursOf, resolveFilter } from '../catalog/paging.js'

/**
 * The `Link` field of a page: the first, previous, next and last one, with the same page size and filters. RFC 8288.
 *
 * References are relative, because what we are called from outside is known to whoever stands in front of us, and the edge
 * keeps the field for all of them. Whatever a filter holds, its form-encoding is letters, digits, `%`, `+`, `-`, `.`, `_`
 * and `*`: it can end neither the reference nor the field.
 *
 * A 304 has the field as well. It tells of the resource and not of the representation that a 304 leaves out, and whoever has
 * kept a body and its ETag finds the way on. RFC 9110 §15.4.5.
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
