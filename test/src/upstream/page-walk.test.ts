import t from 'tap'
import type { UpstreamPageRequest } from '../../../src/upstream/concurrent-pages.js'
import { UpstreamIncomplete, UpstreamTooLarge } from '../../../src/upstream/errors.js'
import { type PageWalkOptions, walkPages } from '../../../src/upstream/page-walk.js'
import { createDeferred } from '../../harness/deferred.js'

interface Row {
  id: number
  note: string
}

/** A list with pages of at most `cap` rows, which records requests. */
function listOf(count: number, { cap = Number.POSITIVE_INFINITY } = {}) {
  const rows = Array.from({ length: count }, (_, index): Row => ({ id: index + 1, note: 'not returned' }))
  const requested: UpstreamPageRequest[] = []
  return {
    rows,
    requested,
    async getPage(request: UpstreamPageRequest) {
      requested.push(request)
      const size = Math.min(request.pageSize, cap)
      const items = rows.slice((request.page - 1) * size, request.page * size)
      return { items, page_size: size, total: rows.length }
    },
  }
}

type Options = Pick<PageWalkOptions<Row, number>, 'getPage'> & Partial<PageWalkOptions<Row, number>>

function walk(options: Options): Promise<number[]> {
  return walkPages({ path: '/rows', pageSize: 500, project: ({ id }) => id, idOf: (id) => id, ...options })
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

t.test('requests every page and returns the items in order', async (t) => {
  const list = listOf(1240)
  t.strictSame(await walk(list), numbers(1240))
  t.strictSame(
    list.requested.map(({ page, pageSize }) => [page, pageSize]),
    [
      [1, 500],
      [2, 500],
      [3, 500],
    ],
  )
})

t.test('requests every page of a list that is capped at 100 items per page', async (t) => {
  const list = listOf(1240, { cap: 100 })
  t.strictSame(await walk(list), numbers(1240))
  t.equal(list.requested.length, 13)
  t.ok(
    list.requested.every(({ pageSize }) => pageSize === 500),
    'all requests have the same page size',
  )
})

t.test('requests a list that fits on one page once', async (t) => {
  const list = listOf(500)
  t.strictSame(await walk(list), numbers(500))
  t.equal(list.requested.length, 1)
})

t.test('an empty list is an empty array after one request', async (t) => {
  const list = listOf(0)
  t.strictSame(await walk(list), [])
  t.equal(list.requested.length, 1)
})

t.test('continues page by page when later pages are smaller than the first', async (t) => {
  const pages = [numbers(10), [11, 12, 13], [14, 15, 16], [17, 18, 19, 20]]
  const requested: number[] = []
  const rows = await walk({
    async getPage({ page }) {
      requested.push(page)
      return { items: (pages[page - 1] ?? []).map((id) => ({ id, note: '' })), page_size: 10, total: 20 }
    },
  })
  t.strictSame(rows, numbers(20))
  t.strictSame(requested, [1, 2, 3, 4])
})

t.test('has exactly `concurrency` requests in flight', async (t) => {
  const list = listOf(1000, { cap: 50 })
  let inFlight = 0
  let most = 0
  await walk({
    concurrency: 3,
    async getPage(request) {
      inFlight += 1
      most = Math.max(most, inFlight)
      await new Promise(setImmediate)
      inFlight -= 1
      return list.getPage(request)
    },
  })
  t.equal(most, 3)
})

t.test('returns items in order when later pages arrive first', async (t) => {
  const list = listOf(40, { cap: 10 })
  const arrivals: number[] = []
  const held = createDeferred<void>()
  const rows = await walk({
    async getPage(request) {
      if (request.page === 2) await held.promise
      if (request.page === 4) held.resolve()
      arrivals.push(request.page)
      return list.getPage(request)
    },
  })
  t.strictSame(arrivals, [1, 3, 4, 2])
  t.strictSame(rows, numbers(40))
})

t.test('restarts a walk once when the total changes', async (t) => {
  const list = listOf(30, { cap: 10 })
  const rows = await walk({
    concurrency: 1,
    async getPage(request) {
      const answer = await list.getPage(request)
      if (list.requested.length === 2) list.rows.push({ id: 31, note: '' })
      return answer
    },
  })
  t.strictSame(rows, numbers(31))
  t.equal(list.requested.filter(({ page }) => page === 1).length, 2)
})

t.test('restarts a walk once when an item is duplicate, because the list changed', async (t) => {
  const list = listOf(30, { cap: 10 })
  const rows = await walk({
    concurrency: 1,
    async getPage(request) {
      const answer = await list.getPage(request)
      if (list.requested.length === 1) {
        list.rows.unshift({ id: 0, note: '' })
        list.rows.pop()
      }
      return answer
    },
  })
  t.strictSame(rows, [0, ...numbers(29)])
})

const unsteady = [
  { title: 'the total changes', answer: (page: number, requested: number) => ({ ids: [page], total: 3 + requested }) },
  { title: 'an item is duplicate', answer: () => ({ ids: [7], total: 2 }) },
  {
    title: 'the pages end before the total',
    answer: (page: number) => ({ ids: page > 2 ? [] : [page], total: 5 }),
  },
  { title: 'the first page is empty and the total is not 0', answer: () => ({ ids: [], total: 5 }) },
  { title: 'there are more items than the total', answer: () => ({ ids: [1, 2, 3], total: 2 }) },
  { title: 'there are items although the total is 0', answer: () => ({ ids: [1], total: 0 }) },
]

for (const { title, answer } of unsteady) {
  t.test(`fails as incomplete when on the second walk, too, ${title}`, async (t) => {
    const requested: number[] = []
    const rows = walk({
      concurrency: 1,
      async getPage({ page }) {
        requested.push(page)
        const { ids, total } = answer(page, requested.length)
        return { items: ids.map((id) => ({ id, note: '' })), page_size: 500, total }
      },
    })
    const error = await rows.catch((error: unknown) => error)
    t.ok(error instanceof UpstreamIncomplete)
    t.match(error, { code: 'VITRINE_UPSTREAM_INCOMPLETE', statusCode: 502, message: /\/rows/ })
    t.equal(requested.filter((page) => page === 1).length, 2)
  })
}

t.test('fails at once with the error of a page and aborts the pages in flight', async (t) => {
  const failure = new Error('page 3')
  const ended: number[] = []
  const rows = walk({
    concurrency: 3,
    async getPage({ page, signal }) {
      if (page === 1) return { items: [{ id: 1, note: '' }], page_size: 1, total: 9 }
      if (page === 3) throw failure
      await new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => {
          ended.push(page)
          reject(signal.reason)
        })
      })
      throw new Error('unreachable')
    },
  })
  t.equal(await rows.catch((error: unknown) => error), failure)
  t.strictSame(ended, [2, 4])
})

t.test('requests no further page after a failure', async (t) => {
  const requested: number[] = []
  const held = createDeferred<void>()
  const rows = walk({
    concurrency: 2,
    async getPage({ page }) {
      requested.push(page)
      if (page === 3) throw new Error('page 3')
      if (page === 2) await held.promise
      return { items: [{ id: page, note: '' }], page_size: 1, total: 9 }
    },
  })
  await t.rejects(rows, { message: 'page 3' })
  held.resolve()
  await new Promise(setImmediate)
  t.strictSame(requested, [1, 2, 3])
})

t.test('stops when the signal aborts', async (t) => {
  const caller = new AbortController()
  const reason = new Error('called off')
  const rows = walk({
    signal: caller.signal,
    getPage: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        caller.abort(reason)
      }),
  })
  t.equal(await rows.catch((error: unknown) => error), reason)
})

const tooLarge = [
  { title: 'more items than maxItems', limits: { maxItems: 99 }, requests: 1 },
  { title: 'more pages than maxPages', limits: { maxPages: 9 }, requests: 1 },
]

for (const { title, limits, requests } of tooLarge) {
  t.test(`refuses a list of ${title} before reading it`, async (t) => {
    const list = listOf(100, { cap: 10 })
    const error = await walk({ ...list, ...limits }).catch((error: unknown) => error)
    t.ok(error instanceof UpstreamTooLarge)
    t.match(error, { code: 'VITRINE_UPSTREAM_TOO_LARGE', statusCode: 502, message: /\/rows/ })
    t.equal(list.requested.length, requests)
  })
}

t.test('a walk that continues page by page stops at maxPages', async (t) => {
  let requested = 0
  const rows = walk({
    maxPages: 5,
    async getPage({ page }) {
      requested += 1
      const ids = page === 1 ? numbers(10) : [10 + page]
      return { items: ids.map((id) => ({ id, note: '' })), page_size: 10, total: 40 }
    },
  })
  await t.rejects(rows, { code: 'VITRINE_UPSTREAM_TOO_LARGE' })
  t.equal(requested, 5)
})

t.test('a list at the limits is read', async (t) => {
  t.strictSame(await walk({ ...listOf(100, { cap: 10 }), maxItems: 100, maxPages: 10 }), numbers(100))
})
