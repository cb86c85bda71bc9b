import { UpstreamIncomplete, UpstreamTooLarge } from './errors.js'
import { assertSameTotal, type GetPage, getPages, readSteadily } from './pages.js'
import { withScope } from './scope.js'

export interface PageWalkOptions<Item, Kept> {
  /** What errors call the list. */
  readonly path: string
  readonly getPage: GetPage<Item>
  /** Items asked for a page; the upstream may give fewer. */
  readonly pageSize: number
  /** What is kept of an item; the rest is let go with its page. */
  readonly project: (item: Item) => Kept
  /** What no two items of the list share. */
  readonly idOf: (item: Kept) => string | number
  /** Requests in flight at one moment. Default 4. */
  readonly concurrency?: number
  /** Default 1,000. */
  readonly maxPages?: number
  /** Default 100,000. */
  readonly maxItems?: number
  readonly signal?: AbortSignal
}

/**
 * All items of a list, in its order, each once.
 *
 * Rejects with `UpstreamIncomplete` when, on the second reading too, the total differs from page to page, an item comes
 * twice, or fewer or more items come than the total says; with `UpstreamTooLarge` when the list is beyond `maxPages` or
 * `maxItems`; and with whatever a page is rejected with, as soon as it is.
 */
export function walkPages<Item, Kept>(options: PageWalkOptions<Item, Kept>): Promise<Kept[]> {
  const { signal, ...rest } = options
  const walk = { concurrency: 4, maxPages: 1_000, maxItems: 100_000, ...rest }
  return withScope({ signal }, (scope) => readSteadily(() => walkOnce(walk, scope.signal)))
}

type Walk<Item, Kept> = Required<Omit<PageWalkOptions<Item, Kept>, 'signal'>>

async function walkOnce<Item, Kept>(walk: Walk<Item, Kept>, signal: AbortSignal): Promise<Kept[]> {
  const { path, getPage, pageSize, project, idOf, concurrency, maxPages, maxItems } = walk
  const kept = new Map<string | number, Kept>()

  const first = await getPage({ page: 1, pageSize, signal })
  const { total } = first
  if (total > maxItems) throw new UpstreamTooLarge(path, `${total} items, over ${maxItems}`)
  // Counted by what really came: the upstream may cap its pages, whatever size it says they have.
  const pageCount = Math.ceil(total / Math.max(first.items.length, 1))
  if (first.items.length > 0) assertWalkable(pageCount)
  keep(first.items.map(project))

  const rest = first.items.length === 0 ? [] : await getPages({ from: 2, to: pageCount, concurrency, signal }, getKept)
  rest.forEach(keep)

  let page = 1 + rest.length
  let isExhausted = (rest.at(-1) ?? first.items).length === 0
  while (kept.size < total && !isExhausted) {
    page += 1
    assertWalkable(page)
    const more = await getKept(page, signal)
    keep(more)
    isExhausted = more.length === 0
  }

  if (kept.size !== total) throw new UpstreamIncomplete(path, `${kept.size} items came where the total is ${total}`)
  return [...kept.values()]

  async function getKept(page: number, signal: AbortSignal): Promise<Kept[]> {
    const answer = await getPage({ page, pageSize, signal })
    assertSameTotal(path, total, answer)
    return answer.items.map(project)
  }

  function keep(items: readonly Kept[]): void {
    for (const item of items) {
      const id = idOf(item)
      if (kept.has(id)) throw new UpstreamIncomplete(path, 'an item came twice')
      kept.set(id, item)
    }
  }

  function assertWalkable(pages: number): void {
    if (pages > maxPages) throw new UpstreamTooLarge(path, `${pages} pages, over ${maxPages}`)
  }
}
