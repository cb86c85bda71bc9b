import { spawn } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import { Agent, request as openRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import type { Catalog, Seller } from '../../../src/demo/data.js'
import { type DemoMarketplaceOptions, startDemoMarketplace } from '../../../src/demo/marketplace.js'

interface Page<T> {
  items: T[]
  page: number
  page_size: number
  total: number
}

const dayMs = 86_400_000
const noon = Date.UTC(2026, 2, 14, 12)
const today = '2026-03-14'

/** Emits `start` for each request that a server of this process starts to handle. */
const serverRequests = new EventEmitter()
subscribe('http.server.request.start', () => serverRequests.emit('start'))

/** The complete marketplace, for tests that only read. */
const url = await start(t)

t.test('serves every one of its 1,240 sellers exactly once over its pages', async (t) => {
  const pages = await Promise.all([1, 2, 3, 4].map((page) => sellers(url, { page, page_size: 500 })))

  t.strictSame(
    pages.map(({ items }) => items.length),
    [500, 500, 240, 0],
  )
  t.strictSame(
    pages.map(({ page, page_size, total }) => [page, page_size, total]),
    [1, 2, 3, 4].map((page) => [page, 500, 1240]),
  )
  const all = pages.flatMap(({ items }) => items)
  t.equal(new Set(all.map(({ id }) => id)).size, 1240)
  t.equal(new Set(all.map(({ name }) => name)).size, 1240)
  t.ok(all.every(({ id }) => /^[A-Za-z0-9_-]{1,64}$/.test(id)))
  t.ok(all.some(({ customer_display_id }) => customer_display_id === null))
})

t.test('lists sellers in one order for every page size, 20 by default', async (t) => {
  const [byDefault, first, second] = await Promise.all([
    sellers(url, {}),
    sellers(url, { page_size: 10 }),
    sellers(url, { page: 2, page_size: 10 }),
  ])
  t.match(byDefault, { page: 1, page_size: 20, total: 1240 })
  t.strictSame(byDefault.items, [...first.items, ...second.items])
})

t.test('two servers with the same clock have the same sellers and catalogs', async (t) => {
  const [one, other] = [url, await start(t)]
  const seller = await fullSeller(one)
  t.strictSame(await sellers(one, { page_size: 500 }), await sellers(other, { page_size: 500 }))
  t.strictSame(await catalogs(one, { seller_id: seller.id }), await catalogs(other, { seller_id: seller.id }))
})

t.test('a smaller marketplace has the first sellers of the complete one', async (t) => {
  const [whole, small] = [url, await start(t, { sellers: 7 })]
  t.strictSame((await sellers(small, {})).items, (await sellers(whole, { page_size: 7 })).items)
})

t.test('has at most 2,500 sellers', async (t) => {
  const url = await start(t, { sellers: 2500 })
  t.equal((await sellers(url, {})).total, 2500)
  await t.rejects(startDemoMarketplace({ sellers: 2501 }), RangeError)
})

t.test('the total counts all matches of a filter', async (t) => {
  const all = await allSellers(url)
  const galleries = all.filter(({ name }) => /gallery/i.test(name))
  const pages = await Promise.all([1, 2].map((page) => sellers(url, { name: 'gallery', page, page_size: 10 })))

  t.ok(galleries.length > 20)
  t.strictSame(
    pages.map(({ total }) => total),
    [galleries.length, galleries.length],
  )
  t.strictSame(
    pages.flatMap(({ items }) => items),
    galleries.slice(0, 20),
  )
  t.strictSame(await sellers(url, { name: 'zzz' }), { items: [], page: 1, page_size: 20, total: 0 })
})

t.test('filters names and titles without regard to accents and case', async (t) => {
  const { total } = await sellers(url, { name: 'Étude Lefèvre' })
  t.ok(total > 0)
  for (const name of ['etude lefevre', 'ÉTUDE LEFÈVRE', ' E\u0301tude lefe\u0300vre ']) {
    t.equal((await sellers(url, { name })).total, total, name)
  }

  const { id: seller_id } = await fullSeller(url)
  const found = await catalogs(url, { seller_id, title: 'CERAMIQUES ET', page_size: 500 })
  t.ok(found.total > 0)
  t.ok(found.items.every(({ title }) => /céramiques et/i.test(title)))
})

t.test('filters by exact customer_display_id without regard to case, and ignores blank filters', async (t) => {
  const seller = (await allSellers(url)).find(({ customer_display_id }) => customer_display_id !== null)
  const customer_display_id = seller?.customer_display_id ?? ''

  t.strictSame((await sellers(url, { customer_display_id: customer_display_id.toLowerCase() })).items, [seller])
  t.equal((await sellers(url, { customer_display_id: customer_display_id.slice(0, -1) })).total, 0)
  t.equal((await sellers(url, { customer_display_id: '', name: ' ' })).total, 1240)
})

t.test('has a seller without catalogs and one with 600 on its first page', async (t) => {
  const { items } = await sellers(url, {})
  const totals = await Promise.all(items.map(async ({ id }) => (await catalogs(url, { seller_id: id })).total))
  t.equal(Math.min(...totals), 0)
  t.equal(Math.max(...totals), 600)
})

t.test("serves a seller's 600 catalogs exactly once over its pages, not in the order of their dates", async (t) => {
  const { id: seller_id } = await fullSeller(url)
  const pages = await Promise.all([1, 2, 3].map((page) => catalogs(url, { seller_id, page, page_size: 200 })))
  const all = pages.flatMap(({ items }) => items)

  t.equal(new Set(all.map(({ id }) => id)).size, 600)
  t.ok(all.every((catalog) => catalog.seller_id === seller_id && Number.isInteger(catalog.id)))
  const days = all.flatMap(({ start_date }) => (start_date === null ? [] : [start_date.slice(0, 10)]))
  t.notSame(days, days.toSorted())
})

t.test('has past and upcoming catalogs and some of today, all within 400 days', async (t) => {
  const dates = await datesOfFullSeller(url)
  const known = dates.filter((date) => date !== null)
  const past = known.filter((date) => date.slice(0, 10) < today)

  t.ok(past.length > known.length * 0.4 && past.length < known.length * 0.6)
  t.ok(known.some((date) => date.startsWith(today)))
  t.ok(known.every((date) => Math.abs(Date.parse(date) - noon) <= 400 * dayMs))
})

t.test('formats a start as a date, as a date-time with an offset or in UTC, or as null', async (t) => {
  const dates = await datesOfFullSeller(url)
  const forms = [
    /^\d{4}-\d\d-\d\d$/,
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:00\+01:00$/,
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z$/,
    /^null$/,
  ]
  for (const form of forms)
    t.ok(
      dates.some((date) => form.test(String(date))),
      String(form),
    )
  t.ok(dates.every((date) => forms.some((form) => form.test(String(date)))))
})

t.test("tomorrow's catalogs are unchanged when the day ends", async (t) => {
  let now = noon
  const url = await start(t, { now: () => now })
  const before = await datesOfFullSeller(url)
  now += dayMs
  const after = await datesOfFullSeller(url)

  const moved = before.filter((date, index) => date !== after[index])
  t.ok(moved.length < 30)
  t.ok(moved.every((date) => date !== null && date.slice(0, 10) < today))
  t.ok(after.includes(today))
})

t.test('an unknown seller has no catalogs', async (t) => {
  t.strictSame(await catalogs(url, { seller_id: 'unknown' }), { items: [], page: 1, page_size: 20, total: 0 })
})

const refused = [
  ['/sellers?page=0', 400, /page must be >= 1/],
  ['/sellers?page=two', 400, /page must be integer/],
  ['/sellers?page=1.5', 400, /page must be integer/],
  ['/sellers?page_size=0', 400, /page_size must be >= 1/],
  ['/sellers?page_size=501', 400, /page_size must be <= 500/],
  ['/sellers?page=1&page=2', 400, /page must be integer/],
  ['/catalogs', 400, /seller_id/],
  ['/catalogs?seller_id=', 400, /seller_id/],
  ['/catalogs?seller_id=unknown&page_size=-1', 400, /page_size must be >= 1/],
  ['/buyers', 404, /\/buyers/],
] as const

t.test('answers errors with a status and an { error } with the reason', async (t) => {
  for (const [path, status, reason] of refused) {
    const response = await fetch(url + path)
    t.equal(response.status, status, path)
    t.match(await response.json(), { error: reason }, path)
  }
})

t.test('delays every response by its latency', async (t) => {
  const marketplace = await startDemoMarketplace({ latencyMs: 600_000, sellers: 1 })
  const received = once(serverRequests, 'start')
  const waits = t.rejects(fetch(`${marketplace.url}/sellers`), 'no response before the marketplace closes')
  await received
  t.equal((await sellers(await start(t, { latencyMs: 1, sellers: 1 }), {})).total, 1)
  await marketplace.close()
  await waits
})

t.test('closes with idle connections and requests in flight', async (t) => {
  const marketplace = await startDemoMarketplace({ latencyMs: 600_000, sellers: 1 })
  const quick = await startDemoMarketplace({ latencyMs: 0, sellers: 1 })
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())

  const idle = openRequest(`${quick.url}/sellers`, { agent }).end()
  const [response] = await once(idle, 'response')
  await text(response)
  const received = once(serverRequests, 'start')
  const cut = t.rejects(fetch(`${marketplace.url}/sellers`))
  await received
  await Promise.all([marketplace.close(), quick.close()])
  await cut
})

t.test('as a program, prints its URL in one line, serves, and exits with 0 on SIGTERM', async (t) => {
  const child = startAlone({ PORT: '0' })
  t.after(() => child.kill())
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  const [url = ''] = /http:\S+/.exec(line) ?? []
  t.equal(line, `Demo marketplace listening at ${url}\n`)
  t.equal((await sellers(url, {})).total, 1240)

  child.kill('SIGTERM')
  t.strictSame(await once(child, 'exit'), [0, null])
})

t.test('as a program with an invalid PORT, exits with 1 and one line that names it', async (t) => {
  for (const PORT of ['http', '65536']) {
    const child = startAlone({ PORT })
    const [message, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    t.equal(code, 1, PORT)
    t.equal(message, `PORT must be an integer between 0 and 65535, not "${PORT}"\n`)
  }
})

t.end() // closes the shared marketplace

async function start(t: Test, options: DemoMarketplaceOptions = {}): Promise<string> {
  const marketplace = await startDemoMarketplace({ latencyMs: 0, now: () => noon, ...options })
  t.after(() => marketplace.close())
  return marketplace.url
}

function startAlone(env: NodeJS.ProcessEnv) {
  return spawn(process.execPath, ['dist/demo/main.js'], { env: { ...process.env, HOST: '', ...env } })
}

type Query = Record<string, string | number>

async function get<T>(url: string, path: string, query: Query): Promise<Page<T>> {
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  )
  const response = await fetch(`${url}/${path}?${search}`)
  // The tests above check the responses.
  return (await response.json()) as Page<T>
}

function sellers(url: string, query: Query): Promise<Page<Seller>> {
  return get(url, 'sellers', query)
}

function catalogs(url: string, query: Query): Promise<Page<Catalog>> {
  return get(url, 'catalogs', query)
}

async function allSellers(url: string): Promise<Seller[]> {
  const pages = await Promise.all([1, 2, 3].map((page) => sellers(url, { page, page_size: 500 })))
  return pages.flatMap(({ items }) => items)
}

async function fullSeller(url: string): Promise<Seller> {
  const { items } = await sellers(url, {})
  for (const seller of items) {
    if ((await catalogs(url, { seller_id: seller.id })).total === 600) return seller
  }
  throw new Error('no seller of the first page has 600 catalogs')
}

async function datesOfFullSeller(url: string): Promise<(string | null)[]> {
  const { id: seller_id } = await fullSeller(url)
  const pages = await Promise.all([1, 2].map((page) => catalogs(url, { seller_id, page, page_size: 500 })))
  return pages.flatMap(({ items }) => items.map(({ start_date }) => start_date))
}
