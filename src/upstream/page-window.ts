import { UpstreamIncomplete } from './errors.js'
import { assertSameTotal, type GetPage, getPages, type PageAnswer, readSteadily } from './pages.js'
import { withScope } from './scope.js'

export interface PageWindowOptions<Item, Kept> {
  /** What errors call the list. */
  readonly path: string
  readonly getPage: GetPage<Item>
  /** From 1. */
  readonly page: number
  readonly pageSize: number
  /** What is kept of an item. */
  readonly project: (item: Item) => Kept
  /** Requests in flight at one moment. Default 4. */
  readonly concurrency?: number
  readonly signal?: AbortSignal
}

export interface PageWindow<Kept> {
  readonly items: Kept[]
  /** Number of items on all pages. */
  readonly total: number
}

/**
 * One page of a list, whole also when the upstream gives smaller pages than asked: then the size of those is learnt
 * from its answer, and as many of them are read as the window covers.
 *
 * Rejects with `UpstreamIncomplete` when, on the second reading too, the list changes between two pages or rows of the
 * window are missing; and with whatever a page is rejected with.
 */
export function readWindow<Item, Kept>(options: PageWindowOptions<Item, Kept>): Promise<PageWindow<Kept>> {
  const { signal, ...rest } = options
  const window = { concurrency: 4, ...rest }
  return withScope({ signal }, (scope) => readSteadily(() => readOnce(window, scope.signal)))
}

type Window<Item, Kept> = Required<Omit<PageWindowOptions<Item, Kept>, 'signal'>>

async function readOnce<Item, Kept>(window: Window<Item, Kept>, signal: AbortSignal): Promise<PageWindow<Kept>> {
  const { path, getPage, page, pageSize, project, concurrency } = window
  const asked = await getPage({ page, pageSize, signal })
  const { total } = asked
  const start = (page - 1) * pageSize
  const length = Math.min(Math.max(total - start, 0), pageSize)
  const givenSize = await learnPageSize(window, asked, signal)

  if (length === 0) return { items: [], total }
  if (givenSize >= pageSize) return { items: whole(asked.items).map(project), total }
  if (givenSize === 0) throw new UpstreamIncomplete(path, `page 1 is empty where the total is ${total}`)

  const from = Math.floor(start / givenSize) + 1
  const to = Math.ceil((start + length) / givenSize)
  const pages = await getPages({ from, to, concurrency, signal }, async (page, signal) => {
    const answer = await getPage({ page, pageSize: givenSize, signal })
    assertSameTotal(path, total, answer)
    return answer.items
  })
  const offset = start - (from - 1) * givenSize
  return { items: whole(pages.flat().slice(offset, offset + length)).map(project), total }

  function whole(rows: readonly Item[]): readonly Item[] {
    if (rows.length === length) return rows
    throw new UpstreamIncomplete(path, `${rows.length} items came where a page has ${length}`)
  }
}

/** How many rows a full page of this upstream has when `pageSize` are asked for. */
async function learnPageSize<Item, Kept>(
  { getPage, page, pageSize }: Window<Item, Kept>,
  { items, page_size: statedSize, total }: PageAnswer<Item>,
  signal: AbortSignal,
): Promise<number> {
  const isWholeList = page === 1 && items.length === total
  const isBehindTheEnd = items.length === 0 && total <= (page - 1) * pageSize
  if (items.length >= pageSize || isWholeList || isBehindTheEnd) return pageSize
  if (statedSize > 0 && statedSize < pageSize) return statedSize
  // It says that it gave what was asked, and did not: that is either the end of the list or a cap it does not tell of.
  // Only page 1 shows which.
  const first = page === 1 ? { items } : await getPage({ page: 1, pageSize, signal })
  return first.items.length
}
