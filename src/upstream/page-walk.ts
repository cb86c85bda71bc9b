import { withAbortScope } from './abort-scope.js'
import { assertSameTotal, type GetPage, getPages, retryIfChanged } from './concurrent-pages.js'
import { UpstreamIncomplete, UpstreamTooLarge } from './errors.js'
import { limits } from './limits.js'

export interface PageWalkOptions<Item, Projected> {
  /** Path of the list, for error messages. */
  readonly path: string
  readonly getPage: GetPage<Item>
  /** Requested items per page; the upstream may send fewer. */
  readonly pageSize: number
  /** Selects the fields to return. Applied to each page at once, so that complete items do not stay in memory. */
  readonly project: (item: Item) => Projected
  /** Unique within the list. */
  readonly idOf: (item: Projected) => string | number
  /** Default: `limits`. */
  readonly concurrency?: number
  readonly maxPages?: number
  readonly maxItems?: number
  readonly signal?: AbortSignal
}

/**
 * All items of a list in its order, each once.
 *
 * Rejects with `UpstreamIncomplete` when the second read, too, finds a different total on another page, a duplicate item, or
 * a number of items other than the total; with `UpstreamTooLarge` above `maxPages` or `maxItems`; and with the first failure
 * of a page.
 */
export function walkPages<Item, Projected>(options: PageWalkOptions<Item, Projected>): Promise<Projected[]> {
  const { signal, ...rest } = options
  const { concurrency, maxPages, maxItems } = limits
  const walk = { concurrency, maxPages, maxItems, ...rest }
  return withAbortScope({ signal }, (scope) => retryIfChanged(() => walkOnce(walk, scope.signal)))
}

type Walk<Item, Projected> = Required<Omit<PageWalkOptions<Item, Projected>, 'signal'>>

async function walkOnce<Item, Projected>(walk: Walk<Item, Projected>, signal: AbortSignal): Promise<Projected[]> {
  const { path, getPage, pageSize, project, idOf, concurrency, maxPages, maxItems } = walk
  const itemsById = new Map<string | number, Projected>()

  const first = await getPage({ page: 1, pageSize, signal })
  const { total } = first
  if (total > maxItems) throw new UpstreamTooLarge(path, `${total} items, more than ${maxItems}`)
  // By the items received: the upstream may cap its pages, whatever `page_size` it states.
  const pageCount = Math.ceil(total / Math.max(first.items.length, 1))
  if (first.items.length > 0) assertPageLimit(pageCount)
  add(first.items.map(project))

  const rest =
    first.items.length === 0 ? [] : await getPages({ from: 2, to: pageCount, concurrency, signal }, getProjected)
  rest.forEach(add)

  let page = 1 + rest.length
  let isExhausted = (rest.at(-1) ?? first.items).length === 0
  while (itemsById.size < total && !isExhausted) {
    page += 1
    assertPageLimit(page)
    const more = await getProjected(page, signal)
    add(more)
    isExhausted = more.length === 0
  }

  if (itemsById.size !== total) throw new UpstreamIncomplete(path, `received ${itemsById.size} of ${total} items`)
  return [...itemsById.values()]

  async function getProjected(page: number, signal: AbortSignal): Promise<Projected[]> {
    const response = await getPage({ page, pageSize, signal })
    assertSameTotal(path, total, response)
    return response.items.map(project)
  }

  function add(items: readonly Projected[]): void {
    for (const item of items) {
      const id = idOf(item)
      if (itemsById.has(id)) throw new UpstreamIncomplete(path, 'duplicate item')
      itemsById.set(id, item)
    }
  }

  function assertPageLimit(pages: number): void {
    if (pages > maxPages) throw new UpstreamTooLarge(path, `${pages} pages, more than ${maxPages}`)
  }
}
