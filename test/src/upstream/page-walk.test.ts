import t from 'tap'
import { UpstreamIncomplete, UpstreamTooLarge } from '../../../src/upstream/errors.js'
import { type PageWalkOptions, walkPages } from '../../../src/upstream/page-walk.js'
import type { UpstreamPageRequest } from '../../../src/upstream/pages.js'
import { createDeferred } from '../../harness/deferred.js'

interface Row {
  id: number
  note: string
}

/** A list of so many rows, given in pages of at most `cap`; remembers what it was asked for. */
function listOf(count: number, { cap = Number.POSITIVE_INFINITY } = {}) {
  const rows = Array.from({ length: count }, (_, index): Row => ({ id: index + 1, note: 'not kept' }))
  const asked: UpstreamPageRequest[] = []
  return {
    rows,
    asked,
    async getPage(request: UpstreamPageRequest) {
      asked.push(request)
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

t.test('asks for every page, and keeps the order of the list', async (t) => {
  const list = listOf(1240)
  t.strictSame(await walk(list), numbers(1240))
  t.strictSame(
    list.asked.map(({ page, pageSize }) => [page, pageSize]),
    [
      [1, 500],
      [2, 500],
      [3, 500],
    ],
  )
})

t.test('asks for every page of a list that is capped at 100 a page', async (t) => {
  const list = listOf(1240, { cap: 100 })
  t.strictSame(await walk(list), numbers(1240))
  t.equal(list.asked.length, 13)
  t.ok(
    list.asked.every(({ pageSize }) => pageSize === 500),
    'the same page size is asked for all the way',
  )
})

t.test('asks once for a list that fits on a page exactly', async (t) => {
  const list = listOf(500)
  t.strictSame(await walk(list), numbers(500))
  t.equal(list.asked.length, 1)
})

t.test('an empty list is an empty array, asked for once', async (t) => {
  const list = listOf(0)
  t.strictSame(await walk(list), [])
  t.equal(list.asked.length, 1)
})

t.test('goes on page by page when later pages are smaller than the first', async (t) => {
  const pages = [numbers(10), [11, 12, 13], [14, 15, 16], [17, 18, 19, 20]]
  const asked: number[] = []
  const rows = await walk({
    async getPage({ page }) {
      asked.push(page)
      return { items: (pages[page - 1] ?? []).map((id) => ({ id, note: '' })), page_size: 10, total: 20 }
    },
  })
  t.strictSame(rows, numbers(20))
  t.strictSame(asked, [1, 2, 3, 4])
})

t.test('keeps no more than `concurrency` requests in flight, and that many', async (t) => {
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

t.test('keeps the order of the list when later pages come first', async (t) => {
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

t.test('restarts a walk once when the total shifts', async (t) => {
  const list = listOf(30, { cap: 10 })
  const rows = await walk({
    concurrency: 1,
    async getPage(request) {
      const answer = await list.getPage(request)
      if (list.asked.length === 2) list.rows.push({ id: 31, note: '' })
      return answer
    },
  })
  t.strictSame(rows, numbers(31))
  t.equal(list.asked.filter(({ page }) => page === 1).length, 2)
})

t.test('restarts a walk once when an item comes twice, which tells that the list moved', async (t) => {
  const list = listOf(30, { cap: 10 })
  const rows = await walk({
    concurrency: 1,
    async getPage(request) {
      const answer = await list.getPage(request)
      if (list.asked.length === 1) {
        list.rows.unshift({ id: 0, note: '' })
        list.rows.pop()
      }
      return answer
    },
  })
  t.strictSame(rows, [0, ...numbers(29)])
})

const unsteady = [
  { title: 'the total shifts', answer: (page: number, asked: number) => ({ ids: [page], total: 3 + asked }) },
  { title: 'an item comes twice', answer: () => ({ ids: [7], total: 2 }) },
  {
    title: 'the pages end before the total',
    answer: (page: number) => ({ ids: page > 2 ? [] : [page], total: 5 }),
  },
  { title: 'the first page is empty and the total is not 0', answer: () => ({ ids: [], total: 5 }) },
  { title: 'more items come than the total says', answer: () => ({ ids: [1, 2, 3], total: 2 }) },
  { title: 'items come where the total is 0', answer: () => ({ ids: [1], total: 0 }) },
]

for (const { title, answer } of unsteady) {
  t.test(`fails as incomplete when it happens on the second walk too that ${title}`, async (t) => {
    const asked: number[] = []
    const rows = walk({
      concurrency: 1,
      async getPage({ page }) {
        asked.push(page)
        const { ids, total } = answer(page, asked.length)
        return { items: ids.map((id) => ({ id, note: '' })), page_size: 500, total }
      },
    })
    const error = await rows.catch((error: unknown) => error)
    t.ok(error instanceof UpstreamIncomplete)
    t.match(error, { code: 'VITRINE_UPSTREAM_INCOMPLETE', statusCode: 502, message: /\/rows/ })
    t.equal(asked.filter((page) => page === 1).length, 2)
  })
}

t.test('fails at once with the error of the page that failed, and ends the pages in flight', async (t) => {
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

t.test('asks for no further page once one has failed', async (t) => {
  const asked: number[] = []
  const held = createDeferred<void>()
  const rows = walk({
    concurrency: 2,
    async getPage({ page }) {
      asked.push(page)
      if (page === 3) throw new Error('page 3')
      if (page === 2) await held.promise
      return { items: [{ id: page, note: '' }], page_size: 1, total: 9 }
    },
  })
  await t.rejects(rows, { message: 'page 3' })
  held.resolve()
  await new Promise(setImmediate)
  t.strictSame(asked, [1, 2, 3])
})

t.test('ends when the signal aborts', async (t) => {
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
    t.equal(list.asked.length, requests)
  })
}

t.test('a walk that goes on page by page ends at maxPages', async (t) => {
  let asked = 0
  const rows = walk({
    maxPages: 5,
    async getPage({ page }) {
      asked += 1
      const ids = page === 1 ? numbers(10) : [10 + page]
      return { items: ids.map((id) => ({ id, note: '' })), page_size: 10, total: 40 }
    },
  })
  await t.rejects(rows, { code: 'VITRINE_UPSTREAM_TOO_LARGE' })
  t.equal(asked, 5)
})

t.test('a list at the limits is read', async (t) => {
  t.strictSame(await walk({ ...listOf(100, { cap: 10 }), maxItems: 100, maxPages: 10 }), numbers(100))
})
