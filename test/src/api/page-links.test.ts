import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { startApp } from '../../harness/app.js'
import { makeCatalogs, makeSellers } from '../../harness/upstream.js'

// Links between the pages of a list. RFC 8288.

const sellersApi = '/api/v1/sellers'
const catalogsApi = '/api/v1/sellers/7/catalogs'

const openApp = (t: Test) =>
  startApp(t, { upstream: { sellers: makeSellers(45), catalogs: makeCatalogs({ sellerId: 7, count: 45 }) } })

/** Link targets by relation. */
function linksOf({ headers }: Pick<LightMyRequestResponse, 'headers'>): Record<string, string> {
  const links = String(headers.link).split(', ')
  return Object.fromEntries(
    links.map((link) => {
      const [, target = '', rel = ''] = /^<([^<>\s]+)>; rel="([a-z]+)"$/.exec(link) ?? []
      return [rel, target]
    }),
  )
}

for (const path of [sellersApi, catalogsApi]) {
  const page = (number: number, size = 20) => `${path}?page=${number}&page_size=${size}`
  const cases: [query: string, links: Record<string, string>][] = [
    ['', { first: page(1), next: page(2), last: page(3) }],
    ['?page=2', { first: page(1), prev: page(1), next: page(3), last: page(3) }],
    ['?page=3', { first: page(1), prev: page(2), last: page(3) }],
    ['?page=2&page_size=10', { first: page(1, 10), prev: page(1, 10), next: page(3, 10), last: page(5, 10) }],
    ['?page_size=100', { first: page(1, 100), last: page(1, 100) }],
    ['?page=4', { first: page(1), prev: page(3), last: page(3) }],
    ['?page=999999999999999', { first: page(1), prev: page(3), last: page(3) }],
  ]
  t.test(`${path} links to its first, previous, next and last page, where there is one`, async (t) => {
    const { app } = await openApp(t)
    for (const [query, links] of cases) t.strictSame(linksOf(await app.inject(`${path}${query}`)), links, query)
  })
}

t.test('all links of an empty list lead to its only page', async (t) => {
  const { app } = await startApp(t)
  const only = `${sellersApi}?page=1&page_size=20`
  t.strictSame(linksOf(await app.inject(sellersApi)), { first: only, last: only })
  t.strictSame(linksOf(await app.inject(`${sellersApi}?page=3`)), { first: only, prev: only, last: only })
})

t.test('following next visits every item once, and prev leads back', async (t) => {
  const { app } = await openApp(t)
  for (const path of [sellersApi, catalogsApi, `${sellersApi}?name=seller`, `${catalogsApi}?title=sale`]) {
    const ids = new Set<unknown>()
    const seen: string[] = []
    let next: string | undefined = `${path}${path.includes('?') ? '&' : '?'}page_size=7`
    while (next !== undefined) {
      const response: LightMyRequestResponse = await app.inject(next)
      for (const { id } of response.json().items) ids.add(id)
      seen.push(next)
      next = linksOf(response).next
    }
    t.equal(seen.length, 7, path)
    t.equal(ids.size, 45)
    let prev: string | undefined = linksOf(await app.inject(seen.at(-1) ?? '')).prev
    for (const expected of seen.slice(1, -1).reverse()) {
      t.equal(prev, expected)
      prev = linksOf(await app.inject(expected)).prev
    }
  }
})

t.test('links contain the filters, but no blank filters and no unknown parameters', async (t) => {
  const { app } = await openApp(t)
  const filtered = await app.inject(
    `${sellersApi}?utm_source=mail&name=%20seller%20&customer_display_id=%20&page_size=40`,
  )
  t.equal(linksOf(filtered).next, `${sellersApi}?name=seller&page=2&page_size=40`)
  const both = await app.inject(`${sellersApi}?customer_display_id=C-0003&name=seller`)
  t.equal(linksOf(both).last, `${sellersApi}?name=seller&customer_display_id=C-0003&page=1&page_size=20`)
})

t.test('a filter with special characters cannot end its link, and the link leads to the same filter', async (t) => {
  const { app, upstream } = await openApp(t)
  const texts = [
    'a b+c%20d',
    'x>; rel="next", <https://evil.example/',
    '"quoted", and; more',
    'a\r\nset-cookie: b=c',
    'tab\tnul\0del\x7f',
    'Étude Lefèvre 株式会社 🖼',
    '\ud800 alone',
    'a&page=9&name=b#fragment?',
    "it's <b>",
    '*~.-_!()[]{}|\\^`',
  ]
  for (const text of texts) {
    for (const [path, filter] of [
      [sellersApi, 'name'],
      [catalogsApi, 'title'],
    ] as const) {
      const response = await app.inject(`${path}?${new URLSearchParams({ [filter]: text })}`)
      t.equal(response.statusCode, 200)
      t.notOk('set-cookie' in response.headers)
      const links = linksOf(response)
      t.strictSame(Object.keys(links), ['first', 'last'], JSON.stringify(text))
      const { last = '' } = links
      t.match(last, /^\/api\/v1\/sellers[/\w]*\?[\w%+.*-]+=[\w%+.*-]+&page=1&page_size=20$/)
      upstream.reset()
      await app.inject(last)
      t.equal(upstream.requests[0]?.query[filter], Buffer.from(text).toString().trim()) // a lone surrogate has no UTF-8 form
    }
  }
})

t.test('a cached response has its links, also for HEAD and 304', async (t) => {
  const { app } = await openApp(t)
  for (const path of [sellersApi, catalogsApi]) {
    const first = await app.inject(`${path}?page=2`)
    const { link, etag } = first.headers
    t.ok(link)
    for (const [method, headers, status] of [
      ['GET', {}, 200],
      ['HEAD', {}, 200],
      ['GET', { 'if-none-match': String(etag) }, 304],
      ['HEAD', { 'if-none-match': String(etag) }, 304],
      ['GET', { 'accept-encoding': 'br' }, 200],
    ] as const) {
      const again = await app.inject({ method, url: `${path}?page=2`, headers })
      t.equal(again.statusCode, status, `${method} ${JSON.stringify(headers)}`)
      t.match(again.headers['cache-status'], /hit/)
      t.equal(again.headers.link, link)
    }
  }
})

t.test('an uncached response has its links too, also for 304', async (t) => {
  const { app } = await openApp(t)
  const url = `${sellersApi}?name=seller`
  const { link, etag } = (await app.inject(url)).headers
  for (const [method, headers, status] of [
    ['HEAD', {}, 200],
    ['GET', { 'if-none-match': String(etag) }, 304],
  ] as const) {
    const again = await app.inject({ method, url, headers })
    t.equal(again.statusCode, status)
    t.equal(again.headers.link, link)
  }
})

t.test('an error response has no links', async (t) => {
  const { app, upstream } = await openApp(t)
  upstream.fail({ status: 500 })
  for (const url of [`${sellersApi}?page=0`, sellersApi]) t.notOk('link' in (await app.inject(url)).headers, url)
})
