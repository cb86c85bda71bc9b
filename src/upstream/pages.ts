import { UpstreamIncomplete } from './errors.js'
import { withScope } from './scope.js'

export interface PageRequest {
  /** From 1. */
  readonly page: number
  /** Items asked for; the upstream may give fewer. */
  readonly pageSize: number
  /** Ends the request. It has to be obeyed. */
  readonly signal: AbortSignal
}

export interface PageAnswer<Item> {
  readonly items: readonly Item[]
  /** The page size that the upstream says it applied. */
  readonly page_size: number
  /** Number of items on all pages. */
  readonly total: number
}

/** Gets one page of a list. */
export type GetPage<Item> = (request: PageRequest) => Promise<PageAnswer<Item>>

export interface PageRange {
  readonly from: number
  /** The last one; below `from`, there is none to get. */
  readonly to: number
  /** Requests in flight at one moment. */
  readonly concurrency: number
  readonly signal: AbortSignal
}

/** Gets a range of pages, in order. The first one that fails fails them all, and ends those in flight. */
export function getPages<Page>(
  { from, to, concurrency, signal }: PageRange,
  get: (page: number, signal: AbortSignal) => Promise<Page>,
): Promise<Page[]> {
  return withScope({ signal }, async (scope) => {
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

/**
 * Reads a list again, once, when the first reading shows that it was changing meanwhile: a change between two pages is
 * no mistake of anybody, while a list that changes under every reading cannot be had.
 */
export async function readSteadily<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof UpstreamIncomplete)) throw error
    return read()
  }
}

/** Throws `UpstreamIncomplete` when the page is of a list that has changed since the first page was read. */
export function assertSameTotal(path: string, total: number, answer: PageAnswer<unknown>): void {
  if (answer.total === total) return
  throw new UpstreamIncomplete(path, `the total went from ${total} to ${answer.total} between two pages`)
}
