import t from 'tap'
import type { UpstreamPageRequest } from '../../../src/upstream/concurrent-pages.js'
import { readWindow } from '../../../src/upstream/page-window.js'

interface ListOptions {
  readonly count: number
  readonly cap: number
  /** Whether the upstream states the requested page size although it sent fewer items. */
  readonly isSilent?: boolean
}

function listOf({ count, cap, isSilent = false }: ListOptions) {
  const rows = Array.from({ length: count }, (_, index) => index + 1)
  const requested: string[] = []
  return {
    rows,
    requested,
    async getPage({ page, pageSize }: UpstreamPageRequest) {
      requested.push(`${page} of ${pageSize}`)
      const size = Math.min(pageSize, cap)
      const items = rows.slice((page - 1) * size, page * size)
      return { items, page_size: isSilent ? pageSize : size, total: rows.length }
    },
  }
}

function read(list: ReturnType<typeof listOf>, page: number, pageSize: number) {
  const { getPage } = list
  return readWindow({ path: '/rows', getPage, page, pageSize, project: (row) => row, concurrency: 1 })
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

interface Window extends ListOptions {
  readonly title: string
  readonly page: number
  readonly items: readonly number[]
  readonly requested: readonly string[]
}

const windows: readonly Window[] = [
  { title: 'page 1', count: 100, cap: 500, page: 1, items: range(1, 20), requested: ['1 of 20'] },
  { title: 'a page in the middle', count: 100, cap: 500, page: 3, items: range(41, 60), requested: ['3 of 20'] },
  { title: 'a short page 1', count: 7, cap: 500, page: 1, items: range(1, 7), requested: ['1 of 20'] },
  { title: 'a page beyond the end', count: 7, cap: 500, page: 2, items: [], requested: ['2 of 20'] },
  { title: 'an empty list', count: 0, cap: 500, page: 1, items: [], requested: ['1 of 20'] },
  {
    title: 'a short last page, which looks like a cap',
    ...{ count: 25, cap: 500, page: 2, items: range(21, 25) },
    requested: ['2 of 20', '1 of 20'],
  },
  {
    title: 'page 1 where pages are capped at half',
    ...{ count: 100, cap: 10, page: 1, items: range(1, 20) },
    requested: ['1 of 20', '1 of 10', '2 of 10'],
  },
  {
    title: 'page 2 where pages are capped at half',
    ...{ count: 100, cap: 10, page: 2, items: range(21, 40) },
    requested: ['2 of 20', '3 of 10', '4 of 10'],
  },
  {
    title: 'a page where the cap does not divide the page size',
    ...{ count: 100, cap: 7, page: 2, items: range(21, 40) },
    requested: ['2 of 20', '3 of 7', '4 of 7', '5 of 7', '6 of 7'],
  },
  {
    title: 'the last page where pages are capped',
    ...{ count: 33, cap: 10, page: 2, items: range(21, 33) },
    requested: ['2 of 20', '3 of 10', '4 of 10'],
  },
  {
    title: 'a complete list below the cap',
    ...{ count: 7, cap: 10, page: 1, items: range(1, 7) },
    requested: ['1 of 20'],
  },
  {
    title: 'a page beyond the end, where a capped page has rows',
    ...{ count: 35, cap: 10, page: 3, items: [] },
    requested: ['3 of 20'],
  },
  {
    title: 'page 1 where pages are capped without stating it',
    ...{ count: 100, cap: 10, isSilent: true, page: 1, items: range(1, 20) },
    requested: ['1 of 20', '1 of 10', '2 of 10'],
  },
  {
    title: 'page 2 where pages are capped without stating it, with as many rows as a short last page',
    ...{ count: 30, cap: 10, isSilent: true, page: 2, items: range(21, 30) },
    requested: ['2 of 20', '1 of 20', '3 of 10'],
  },
]

for (const { title, page, items, requested, ...options } of windows) {
  t.test(`returns the rows of ${title}`, async (t) => {
    const list = listOf(options)
    t.strictSame(await read(list, page, 20), { items, total: options.count })
    t.strictSame(list.requested, requested)
  })
}

t.test('reads a window once more when the total changes between its pages', async (t) => {
  const list = listOf({ count: 30, cap: 10 })
  const { getPage } = list
  const window = await readWindow({
    path: '/rows',
    page: 1,
    pageSize: 20,
    project: (row) => row,
    concurrency: 1,
    async getPage(request) {
      if (list.requested.length === 2) list.rows.unshift(0)
      return getPage(request)
    },
  })
  t.strictSame(window, { items: range(0, 19), total: 31 })
})

t.test('fails as incomplete when rows are missing on the second read too', async (t) => {
  const requested: number[] = []
  const window = readWindow({
    path: '/rows',
    page: 1,
    pageSize: 20,
    project: (row) => row,
    async getPage({ page }) {
      requested.push(page)
      return { items: page === 1 ? range(1, 10) : [], page_size: 10, total: 20 }
    },
  })
  await t.rejects(window, { code: 'VITRINE_UPSTREAM_INCOMPLETE', statusCode: 502, message: /\/rows/ })
  t.strictSame(requested, [1, 1, 2, 1, 1, 2])
})

t.test('fails as incomplete when page 1 is empty and the total is not 0', async (t) => {
  const window = readWindow({
    path: '/rows',
    page: 1,
    pageSize: 20,
    project: (row) => row,
    getPage: async () => ({ items: [], page_size: 20, total: 5 }),
  })
  await t.rejects(window, { code: 'VITRINE_UPSTREAM_INCOMPLETE' })
})
