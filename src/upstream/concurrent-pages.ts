import { withAbortScope } from './abort-scope.js'
import { UpstreamIncomplete } from './errors.js'

export interface UpstreamPageRequest {
  /** From 1. */
  readonly page: number
  /** Requested items; the upstream may send fewer. */
  readonly pageSize: number
  readonly signal: AbortSignal
}

export interface UpstreamPage<Item> {
  readonly items: readonly Item[]
  /** The page size that the upstream applied. */
  readonly page_size: number
  /** Number of items on all pages. */
  readonly total: number
}

/** Requests one page of a list. It must obey the signal. */
export type GetPage<Item> = (request: UpstreamPageRequest) => Promise<UpstreamPage<Item>>

export interface PageRange {
  readonly from: number
  /** Inclusive. The range is empty when `to` is less than `from`. */
  readonly to: number
  /** Requests in flight at the same time. */
  readonly concurrency: number
  readonly signal: AbortSignal
}

/** Gets a range of pages, in order. The first failure rejects and aborts the pages in flight. */
export function getPages<Page>(
  { from, to, concurrency, signal }: PageRange,
  get: (page: number, signal: AbortSignal) => Promise<Page>,
): Promise<Page[]> {
  return withAbortScope({ signal }, async (scope) => {
    const pages: Page[] = []
    let next = from
    async function work(): Promise<void> {
      while (next <= to && !scope.signal.aborted) {
        const page = next++
        pages[page - from] = await get(page, scope.signal)
      }
    }
    await Promise.all(Array.from({ length: Math.min(concurrency, to - from + 1) }, work))
    return pages
  })
}

/** Reads a list, and once more if it changed during the first read. */
export async function retryIfChanged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof UpstreamIncomplete)) throw error
    return read()
  }
}

/** Throws `UpstreamIncomplete` when the total differs from that of the first page. */
export function assertSameTotal(path: string, total: number, page: UpstreamPage<unknown>): void {
  if (page.total === total) return
  throw new UpstreamIncomplete(path, `the total changed from ${total} to ${page.total} between two pages`)
}
