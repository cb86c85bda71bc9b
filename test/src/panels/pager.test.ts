import t from 'tap'
import { createPager, type PagerOptions } from '../../../src/panels/pager.js'
import { textsOf } from '../../../src/texts/index.js'

function pagerOf(parts: Partial<PagerOptions>) {
  const { page = 1, pageSize = 20, total = 100 } = parts
  const pages = Math.ceil(total / pageSize)
  const rest = { path: '/list', params: { name: 'x' }, otherPanel: { seller_id: '7' }, text: textsOf('en').pager }
  return createPager({ page, pages, pageSize, total, ...rest })
}

function stepsOf(parts: Partial<PagerOptions>): Record<string, string | undefined> {
  return Object.fromEntries(pagerOf(parts).steps.map(({ rel, link }) => [rel, link?.full]))
}

t.test('all four steps are always present, with a link unless it leads to the current page', async (t) => {
  const to = (page: string) => `/list?name=x${page}&seller_id=7`
  t.strictSame(stepsOf({ page: 1 }), { first: undefined, prev: undefined, next: to('&page=2'), last: to('&page=5') })
  t.strictSame(stepsOf({ page: 3 }), { first: to(''), prev: to('&page=2'), next: to('&page=4'), last: to('&page=5') })
  t.strictSame(stepsOf({ page: 5 }), { first: to(''), prev: to('&page=4'), next: undefined, last: undefined })
  const back = { first: to(''), prev: to('&page=5'), next: undefined, last: to('&page=5') }
  t.strictSame(stepsOf({ page: 9 }), back, 'from beyond the last page')
})

t.test('the fragment URL leaves out the state of the other panel', async (t) => {
  const { link } = pagerOf({ page: 1 }).steps[2] ?? {}
  t.equal(link?.fragment, '/list?name=x&page=2')
})

t.test('every existing page has a position, and a short list has no page links', async (t) => {
  t.equal(pagerOf({ page: 9 }).position, undefined)
  t.equal(pagerOf({ total: 0 }).position, 'Page 1 of 1')
  t.equal(pagerOf({ total: 20 }).hasPages, false)
  t.equal(pagerOf({ total: 21 }).hasPages, true)
})

t.test('a link to another page size leads to the page with the first item of this one', async (t) => {
  const sizes = (parts: Partial<PagerOptions>) =>
    Object.fromEntries(
      pagerOf(parts).sizes.map(({ size, link }) => [
        size,
        new URL(link.full, 'http://x').searchParams.get('page') ?? '1',
      ]),
    )
  t.strictSame(sizes({ page: 3, pageSize: 20, total: 100 }), { 10: '5', 20: '3', 50: '1', 100: '1' })
  t.strictSame(sizes({ page: 99, pageSize: 20, total: 100 }), { 10: '10', 20: '5', 50: '2', 100: '1' })
})

t.test('an unusual page size is offered while it is in use', async (t) => {
  const { sizes } = pagerOf({ pageSize: 7 })
  t.strictSame(
    sizes.map(({ size, isCurrent }) => (isCurrent ? `${size} now` : `${size}`)),
    ['7 now', '10', '20', '50', '100'],
  )
})

t.test('no page sizes are offered when the smallest shows the complete list', async (t) => {
  t.strictSame(pagerOf({ total: 10 }).sizes, [])
  t.equal(pagerOf({ total: 11 }).sizes.length, 4)
})
