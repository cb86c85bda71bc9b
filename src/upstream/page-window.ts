import { withAbortScope } from './abort-scope.js'
import { assertSameTotal, type GetPage, getPages, retryIfChanged, type UpstreamPage } from './concurrent-pages.js'
import { UpstreamIncomplete } from './errors.js'
import { limits } from './limits.js'

export interface PageWindowOptions<Item, Projected> {
  /** Path of the list, for error messages. */
  readonly path: string
  readonly getPage: GetPage<Item>
  /** From 1. */
  readonly page: number
  readonly pageSize: number
  /** Selects the fields to return. */
  readonly project: (item: Item) => Projected
  /** Default: `limits`. */
  readonly concurrency?: number
  readonly signal?: AbortSignal
}

export interface PageWindow<Item> {
  readonly items: Item[]
  /** Number of items on all pages. */
  readonly total: number
}

/**
 * One page of a list, complete even if the upstream sends smaller pages than requested: then it requests as many of those as the
 * page covers.
 *
 * Rejects with `UpstreamIncomplete` when the second read, too, finds that the list changed between two pages, or that items
 * are missing; and with the first failure of a page.
 */
export function readWindow<Item, Projected>(
  options: PageWindowOptions<Item, Projected>,
): Promise<PageWindow<Projected>> {
  const { signal, ...rest } = options
  const window = { concurrency: limits.concurrency, ...rest }
  return withAbortScope({ signal }, (scope) => retryIfChanged(() => readOnce(window, scope.signal)))
}

type Window<Item, Projected> = Required<Omit<PageWindowOptions<Item, Projected>, 'signal'>>

async function readOnce<Item, Projected>(
  window: Window<Item, Projected>,
  signal: AbortSignal,
): Promise<PageWindow<Projected>> {
  const { path, getPage, page, pageSize, project, concurrency } = window
  const requested = await getPage({ page, pageSize, signal })
  const { total } = requested
  const start = (page - 1) * pageSize
  const length = Math.min(Math.max(total - start, 0), pageSize)
  const actualSize = await findPageSize(window, requested, signal)

  if (length === 0) return { items: [], total }
  if (actualSize >= pageSize) return { items: assertComplete(requested.items).map(project), total }
  if (actualSize === 0) throw new UpstreamIncomplete(path, `page 1 is empty, the total is ${total}`)

  const from = Math.floor(start / actualSize) + 1
  const to = Math.ceil((start + length) / actualSize)
  const pages = await getPages({ from, to, concurrency, signal }, async (page, signal) => {
    const response = await getPage({ page, pageSize: actualSize, signal })
    assertSameTotal(path, total, response)
    return response.items
  })
  const offset = start - (from - 1) * actualSize
  return { items: assertComplete(pages.flat().slice(offset, offset + length)).map(project), total }

  function assertComplete(items: readonly Item[]): readonly Item[] {
    if (items.length === length) return items
    throw new UpstreamIncomplete(path, `received ${items.length} of ${length} items of a page`)
  }
}

/** The number of items on a full page of this upstream when `pageSize` is requested. */
async function findPageSize<Item, Projected>(
  { getPage, page, pageSize }: Window<Item, Projected>,
  { items, page_size: statedSize, total }: UpstreamPage<Item>,
  signal: AbortSignal,
): Promise<number> {
  const isCompleteList = page === 1 && items.length === total
  const isBeyondEnd = items.length === 0 && total <= (page - 1) * pageSize
  if (items.length >= pageSize || isCompleteList || isBeyondEnd) return pageSize
  if (statedSize > 0 && statedSize < pageSize) return statedSize
  // It states the requested size but sent fewer items: either this is the last page, or it caps pages without stating so.
  // Page 1 shows which.
  const first = page === 1 ? { items } : await getPage({ page: 1, pageSize, signal })
  return first.items.length
}
