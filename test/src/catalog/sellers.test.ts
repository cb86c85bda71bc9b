import t, { type Test } from 'tap'
import type { SellerListing } from '../../../src/schemas/seller.js'
import { startApp, type TestApp, type TestAppOptions } from '../../harness/app.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { until } from '../../harness/until.js'
import { type Fault, makeSellers, type SellerRecord, type Upstream } from '../../harness/upstream.js'

// Seller rules, from the JSON API to the requests of the upstream.

interface Answer {
  readonly status: number
  readonly body: SellerListing & { readonly code?: string }
}

interface OpenApp extends TestApp {
  ask(query?: string, headers?: Record<string, string>): Promise<Answer>
}

async function open(t: Test, options: TestAppOptions = {}): Promise<OpenApp> {
  const parts = await startApp(t, options)
  return {
    ...parts,
    async ask(query = '', headers = {}) {
      const response = await parts.app.inject({ url: `/api/v1/sellers${query}`, headers })
      return { status: response.statusCode, body: response.json() }
    },
  }
}

/** Requests of the upstream as query strings, oldest first. */
function questions({ requests }: Upstream): string[] {
  return requests.map(({ path, query }) => `${path}?${new URLSearchParams(query)}`)
}

/** Sellers with the three fields that the application uses. */
function projected(sellers: readonly SellerRecord[]) {
  return sellers.map(({ id, name, customer_display_id = null }) => ({ id, name, customer_display_id }))
}

/** Repeats the request until the response is fresh, after a background refresh. */
async function untilFresh(ask: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined
  const isFresh = async () => {
    answer = await ask()
    return answer.status === 200 && answer.body.stale === undefined
  }
  if (!(await until(isFresh)) || answer === undefined) throw new Error('it stays stale')
  return answer
}

t.test('the first request walks all pages with page_size=500, the second needs no upstream request', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(1_240) } })

  const first = await ask()
  t.strictSame(questions(upstream).sort(), [
    '/sellers?page=1&page_size=500',
    '/sellers?page=2&page_size=500',
    '/sellers?page=3&page_size=500',
  ])

  const second = await ask()
  t.equal(upstream.requests.length, 3)
  t.strictSame(second, first)
})

t.test('a page comes from the cached list, which has three fields per seller', async (t) => {
  const { app, ask, upstream } = await open(t, { upstream: { sellers: makeSellers(45) } })
  t.strictSame(await ask('?page=2'), {
    status: 200,
    body: { items: projected(upstream.sellers.slice(20, 40)), page: 2, page_size: 20, pages: 3, total: 45 },
  })
  t.strictSame(await app.cache.get('sellers_all'), projected(upstream.sellers))
})

t.test('the pages contain all 1,240 sellers once, in the order of the upstream', async (t) => {
  const sellers = makeSellers(1_240).reverse()
  const { ask, upstream } = await open(t, { upstream: { sellers } })
  for (const [pageSize, pages] of [
    [100, 13],
    [20, 62],
    [7, 178],
  ] as const) {
    const ids: unknown[] = []
    for (let page = 1; page <= pages; page += 1) {
      const { body } = await ask(`?page=${page}&page_size=${pageSize}`)
      ids.push(...body.items.map(({ id }) => id))
      if (page === 1) t.match(body, { pages, total: 1_240 })
    }
    t.strictSame(
      ids,
      sellers.map(({ id }) => id),
      `${pageSize} a page`,
    )
  }
  t.equal(upstream.requests.length, 3, 'one walk')
})

t.test('an upstream that caps pages at 100 items is walked to the end', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(1_240), maxPageSize: 100 } })
  const { body } = await ask('?page=13&page_size=100')
  t.strictSame(body.items, projected(upstream.sellers.slice(1_200)))
  t.equal(body.total, 1_240)
  t.equal(upstream.requests.length, 13)
})

t.test('a page beyond the last is empty and not an error', async (t) => {
  const { ask } = await open(t, { upstream: { sellers: makeSellers(40) } })
  for (const page of [3, 63, 999_999_999_999_999]) {
    t.strictSame(await ask(`?page=${page}`), {
      status: 200,
      body: { items: [], page, page_size: 20, pages: 2, total: 40 },
    })
  }
})

t.test('an empty list of sellers is cached', async (t) => {
  const { ask, upstream } = await open(t)
  const empty = { status: 200, body: { items: [], page: 1, page_size: 20, pages: 0, total: 0 } }
  t.strictSame(await ask(), empty)
  t.strictSame(await ask(), empty)
  t.equal(upstream.requests.length, 1)
})

t.test('ids, numbers and names are unchanged', async (t) => {
  const sellers = [
    { id: 7, name: 'Integer', customer_display_id: 42 },
    { id: '8', name: 'Digits', customer_display_id: '42' },
    { id: 's_9-A', name: 'Text', customer_display_id: null },
    { id: Number.MAX_SAFE_INTEGER, name: 'Largest', customer_display_id: '' },
    { id: '007', name: 'Zoë "O\'Neil" <b>&amp;\u2028 𝒱' },
  ]
  const { ask } = await open(t, { upstream: { sellers } })
  t.strictSame((await ask()).body.items, projected(sellers), 'a missing number is null')
})

t.test('blank filters and unknown parameters are not filters: the cached list is used', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(30) } })
  const { body } = await ask()
  for (const query of [
    '?name=',
    '?name=%20%20',
    '?name=%09%C2%A0',
    '?name=&customer_display_id=',
    '?customer_display_id=%20',
    '?utm_source=x',
    '?q=1',
    '?title=Sale',
    '?seller_id=1',
    '?Name=Seller',
    '?name[]=x',
    '?__proto__=x',
    '?',
    '?&&',
  ]) {
    t.strictSame(await ask(query), { status: 200, body }, query)
  }
  t.equal(upstream.requests.length, 1)
})

t.test('a filtered page is requested from the upstream each time, with trimmed filters', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(45) } })
  const cases: [query: string, question: string][] = [
    ['?name=seller', '/sellers?name=seller&page=1&page_size=20'],
    ['?name=%20%20seller%20&page=2&page_size=5', '/sellers?name=seller&page=2&page_size=5'],
    ['?customer_display_id=C-0007', '/sellers?customer_display_id=C-0007&page=1&page_size=20'],
    [
      '?name=seller&customer_display_id=%20C-0007',
      '/sellers?name=seller&customer_display_id=C-0007&page=1&page_size=20',
    ],
    ['?name=a%26page%3D9', '/sellers?name=a%26page%3D9&page=1&page_size=20'],
    ['?name=seller&customer_display_id=', '/sellers?name=seller&page=1&page_size=20'],
  ]
  for (const [query, question] of cases) {
    upstream.reset()
    const first = await ask(query)
    const second = await ask(query)
    t.equal(first.status, 200)
    t.strictSame(second, first)
    t.strictSame(questions(upstream), [question, question], query)
  }
})

t.test('filtered pages are those of the upstream', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(45) } })
  t.strictSame(await ask('?name=SELLER%20003&page=2&page_size=4'), {
    status: 200,
    body: { items: projected(upstream.sellers.slice(33, 37)), page: 2, page_size: 4, pages: 3, total: 10 },
  })
  t.strictSame((await ask('?customer_display_id=C-0007')).body.items, projected(upstream.sellers.slice(6, 7)))
  t.strictSame(await ask('?name=unknown'), {
    status: 200,
    body: { items: [], page: 1, page_size: 20, pages: 0, total: 0 },
  })
})

t.test('a filtered page is complete also when the upstream sends smaller pages', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(200), maxPageSize: 30 } })
  const { body } = await ask('?name=seller&page=2&page_size=75')
  t.strictSame(body.items, projected(upstream.sellers.slice(75, 150)))
  t.match(body, { page: 2, page_size: 75, pages: 3, total: 200 })
})

t.test('filters of the maximum length are sent, whatever their characters', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(3) } })
  for (const letter of ['x', '"', '\\', '\u0001', 'é', '𝒱']) {
    const text = letter.repeat(200)
    const { status } = await ask(`?${new URLSearchParams({ name: text, customer_display_id: text })}`)
    t.equal(status, 200, JSON.stringify(letter))
    t.match(upstream.requests.at(-1)?.query, { name: text, customer_display_id: text })
  }
})

t.test('filtered requests neither write nor read the cached list', async (t) => {
  const { app, ask, upstream } = await open(t, { upstream: { sellers: makeSellers(30) } })
  await ask('?name=Seller%200001')
  t.equal(await app.cache.get('sellers_all'), undefined, 'matches are not cached as the list')
  const { body } = await ask()
  t.equal(body.total, 30)

  const list = await app.cache.get('sellers_all')
  upstream.sellers.unshift({ id: 99, name: 'Seller 0001 junior' })
  const filtered = await ask('?name=Seller%200001')
  t.equal(filtered.body.total, 2, 'from the upstream, not from the cached list')
  t.strictSame(await app.cache.get('sellers_all'), list)
  t.strictSame((await ask()).body, body)
})

t.test('a filtered request fails with the upstream although the complete list is cached', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(30) } })
  await ask()
  upstream.fail({ status: 500 })
  t.match(await ask('?name=seller'), { status: 502, body: { code: 'VITRINE_UPSTREAM_STATUS' } })
  t.match(await ask(), { status: 200, body: { total: 30 } })
})

t.test('the list is fresh for the configured time, then loaded again', async (t) => {
  const clock = createClock()
  const environment = { CACHE_TTL_SECONDS: '40', CACHE_STALE_WHILE_REVALIDATE_SECONDS: '0' }
  const { ask, upstream } = await open(t, { environment, now: clock.now, upstream: { sellers: makeSellers(3) } })
  await ask()
  upstream.sellers.push({ id: 4, name: 'Newcomer' })
  clock.step(39)
  t.equal((await ask()).body.total, 3)
  clock.step(1)
  t.equal((await ask()).body.total, 4)
  t.equal(upstream.requests.length, 2)
})

t.test('during revalidation the stale list is served at once with its age', async (t) => {
  const clock = createClock('2026-03-10T12:00:00Z')
  const { ask, upstream } = await open(t, { now: clock.now, upstream: { sellers: makeSellers(3) } })
  const fresh = await ask()
  upstream.sellers.push({ id: 4, name: 'Newcomer' })
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)

  clock.step(301)
  const stale = { ...fresh.body, stale: true, as_of: '2026-03-10T12:00:00.000Z' }
  for (let reader = 0; reader < 5; reader += 1) t.strictSame(await ask(), { status: 200, body: stale })
  await upstream.received(2)
  t.equal(upstream.requests.length, 2, 'five requests, one refresh')

  gate.resolve(undefined)
  const { body } = await untilFresh(ask)
  t.equal(body.total, 4)
  t.notOk('as_of' in body)
  t.equal(upstream.requests.length, 2)
})

t.test('while the upstream fails the stale list is served with its age for the configured time', async (t) => {
  const clock = createClock('2026-03-10T12:00:00Z')
  const environment = { CACHE_STALE_WHILE_REVALIDATE_SECONDS: '0', CACHE_STALE_IF_ERROR_SECONDS: '3600' }
  const { ask, upstream, book } = await open(t, { environment, now: clock.now, upstream: { sellers: makeSellers(3) } })
  const fresh = await ask()
  upstream.fail({ status: 503 })

  const stale = { ...fresh.body, stale: true, as_of: '2026-03-10T12:00:00.000Z' }
  clock.step(301)
  t.strictSame(await ask(), { status: 200, body: stale })
  t.match(await book.until(({ level }) => level === 40), { kind: 'load-failed', key: 'sellers_all' })
  clock.step(3_598)
  t.strictSame(await ask(), { status: 200, body: stale }, 'the last second')
  clock.step(1)
  t.match(await ask(), { status: 502, body: { code: 'VITRINE_UPSTREAM_STATUS' } })

  upstream.heal()
  clock.step(10)
  t.strictSame(await ask(), fresh, 'recovered: fresh, without both fields')
})

t.test('no stale list is served when the upstream denies access', async (t) => {
  for (const status of [401, 403]) {
    const clock = createClock()
    const { ask, upstream } = await open(t, {
      environment: { CACHE_STALE_WHILE_REVALIDATE_SECONDS: '0' },
      now: clock.now,
      upstream: { sellers: makeSellers(3) },
    })
    await ask()
    clock.step(301)
    upstream.fail({ status })
    t.match(await ask(), { status: 502, body: { code: 'VITRINE_UPSTREAM_STATUS' } }, `${status}`)
    upstream.heal()
    clock.step(10)
    t.match(await ask(), { status: 200, body: { total: 3 } })
  }
})

t.test('a walk with a failed page is an error and caches nothing; the next walk succeeds', async (t) => {
  const clock = createClock()
  const { app, ask, upstream } = await open(t, { now: clock.now, upstream: { sellers: makeSellers(1_240) } })
  upstream.fail(({ query }) => (query.page === '3' ? { status: 500 } : undefined))
  t.match(await ask(), { status: 502, body: { code: 'VITRINE_UPSTREAM_STATUS' } })
  t.equal(await app.cache.get('sellers_all'), undefined)

  const requested = upstream.requests.length
  clock.step(10)
  t.match(await ask(), { status: 502 })
  t.ok(upstream.requests.length > requested, 'the failure is not cached')

  upstream.heal()
  clock.step(10)
  t.match(await ask(), { status: 200, body: { total: 1_240 } })
})

t.test('an incomplete list never replaces the complete one', async (t) => {
  const clock = createClock()
  const environment = { CACHE_STALE_WHILE_REVALIDATE_SECONDS: '0' }
  const { ask, upstream } = await open(t, { environment, now: clock.now, upstream: { sellers: makeSellers(1_240) } })
  await ask()
  clock.step(301)
  upstream.fail(({ query }) =>
    query.page === '2' ? { body: { items: [], page: 2, page_size: 500, total: 1_240 } } : undefined,
  )
  t.match(await ask('?page=62'), { status: 200, body: { total: 1_240, stale: true } })
})

t.test('every upstream failure is a problem with its code, and nothing is cached', async (t) => {
  const page = { page: 1, page_size: 500, total: 1 }
  const seller = { id: 1, name: 'One' }
  const failures: [name: string, fault: Fault, status: number, code: string][] = [
    ['a status of 500', { status: 500 }, 502, 'VITRINE_UPSTREAM_STATUS'],
    ['a status of 404', { status: 404 }, 502, 'VITRINE_UPSTREAM_STATUS'],
    ['a status of 401', { status: 401 }, 502, 'VITRINE_UPSTREAM_STATUS'],
    ['a redirect loop', { status: 302, headers: { location: '/' } }, 502, 'VITRINE_UPSTREAM_REDIRECT'],
    ['an unknown coding', { body: '', headers: { 'content-encoding': 'x' } }, 502, 'VITRINE_UPSTREAM_ENCODING'],
    ['no answer', { hang: 'at once' }, 504, 'VITRINE_UPSTREAM_TIMEOUT'],
    ['half an answer', { hang: 'half way' }, 504, 'VITRINE_UPSTREAM_TIMEOUT'],
    ['a cut connection', { destroy: 'at once' }, 503, 'VITRINE_UPSTREAM_UNREACHABLE'],
    ['an answer cut half way', { destroy: 'half way' }, 503, 'VITRINE_UPSTREAM_UNREACHABLE'],
    ['an HTML page', { body: '<h1>Maintenance</h1>' }, 502, 'VITRINE_UPSTREAM_NOT_JSON'],
    ['nothing', { body: '' }, 502, 'VITRINE_UPSTREAM_NOT_JSON'],
    ['JSON of another shape', { body: { sellers: [] } }, 502, 'VITRINE_UPSTREAM_WRONG_SHAPE'],
    ['null', { body: 'null' }, 502, 'VITRINE_UPSTREAM_WRONG_SHAPE'],
    ['a seller without a name', { body: { ...page, items: [{ id: 1 }] } }, 502, 'VITRINE_UPSTREAM_WRONG_SHAPE'],
    ['a seller without an id', { body: { ...page, items: [{ name: 'One' }] } }, 502, 'VITRINE_UPSTREAM_WRONG_SHAPE'],
    ['fewer items than the total', { body: { ...page, total: 3, items: [] } }, 502, 'VITRINE_UPSTREAM_INCOMPLETE'],
    ['one twice', { body: { ...page, total: 2, items: [seller, seller] } }, 502, 'VITRINE_UPSTREAM_INCOMPLETE'],
  ]
  const clock = createClock()
  const options = { now: clock.now, upstream: { sellers: makeSellers(3) } }
  const patient = await open(t, options)
  const impatient = await open(t, { ...options, environment: { UPSTREAM_TIMEOUT_MS: '50' } })
  for (const [name, fault, status, code] of failures) {
    await t.test(name, async (t) => {
      const { app, ask, upstream } = fault.hang === undefined ? patient : impatient
      upstream.fail(fault)
      t.match(await ask(), { status, body: { status, code } })
      t.equal(await app.cache.get('sellers_all'), undefined)
      clock.step(10)
    })
  }
  patient.upstream.heal()
  t.match(await patient.ask(), { status: 200, body: { total: 3 } }, 'healed')
})

t.test('an unreachable upstream is a 503, and one that exceeds the deadline a 504', async (t) => {
  const gone = await open(t)
  await gone.upstream.close()
  t.match(await gone.ask(), { status: 503, body: { code: 'VITRINE_UPSTREAM_UNREACHABLE' } })

  const environment = { UPSTREAM_DEADLINE_MS: '50' }
  const slow = await open(t, { environment, upstream: { sellers: makeSellers(30), maxPageSize: 1 } })
  slow.upstream.fail(({ query }) => (query.page === '9' ? { hang: 'at once' } : undefined))
  t.match(await slow.ask(), { status: 504, body: { code: 'VITRINE_UPSTREAM_TIMEOUT' } })
})

t.test('concurrent first requests share one walk', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(1_240) } })
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)
  const answers = Promise.all(Array.from({ length: 25 }, (_, index) => ask(`?page=${index + 1}`)))
  await upstream.received(1)
  gate.resolve(undefined)
  t.ok((await answers).every(({ status, body }) => status === 200 && body.total === 1_240 && body.stale === undefined))
  t.equal(upstream.requests.length, 3)
})

t.test('a client that disconnects does not affect others that wait for the same load', async (t) => {
  const { app, ask, upstream } = await open(t, { upstream: { sellers: makeSellers(3) } })
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const gone = new AbortController()
  const first = fetch(`${url}/api/v1/sellers`, { signal: gone.signal })
  await upstream.received(1)
  const second = ask()
  gone.abort()
  await t.rejects(first, { name: 'AbortError' })
  gate.resolve(undefined)
  t.match(await second, { status: 200, body: { total: 3 } })
  t.equal(upstream.requests.length, 1)
})

t.test('the request id and the trace are sent to the upstream, on every page', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(1_240) } })
  const headers = {
    'x-request-id': 'mobile:7f3.a-1_b',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  }
  await ask('', headers)
  await ask('?name=seller', headers)
  t.equal(upstream.requests.length, 4)
  for (const request of upstream.requests) t.match(request.headers, headers)
})

t.test('a request id that is unsafe in a log or a header is replaced', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(3) } })
  const hostile = [
    'a\r\nx-admin: 1',
    'a\nb',
    'a b',
    '',
    '{"level":60}',
    '<script>',
    'é',
    'x'.repeat(129),
    'x'.repeat(10_000),
  ]
  for (const id of [undefined, ...hostile]) {
    await ask('?name=seller', id === undefined ? {} : { 'x-request-id': id })
    const { headers } = upstream.requests.at(-1) ?? {}
    const what = id === undefined ? 'none' : JSON.stringify(id).slice(0, 20)
    t.match(headers?.['x-request-id'], /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/, what)
    t.notOk('x-admin' in (headers ?? {}))
  }
  const ids = upstream.requests.map(({ headers }) => headers['x-request-id'])
  t.equal(new Set(ids).size, ids.length, 'each request has a new id')
})

t.test('an invalid trace is not forwarded', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(3) } })
  for (const traceparent of [
    '',
    'x',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nx-admin: 1',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01',
    '0'.repeat(10_000),
  ]) {
    await ask('?name=seller', { traceparent })
    const { headers } = upstream.requests.at(-1) ?? {}
    t.notOk('traceparent' in (headers ?? {}), JSON.stringify(traceparent).slice(0, 20))
    t.notOk('x-admin' in (headers ?? {}))
  }
})

t.test('no other header of a request reaches the upstream', async (t) => {
  const { ask, upstream } = await open(t, {
    environment: { UPSTREAM_TOKEN: 'ours' },
    upstream: { sellers: makeSellers(3) },
  })
  await ask('?name=seller&admin=1', {
    authorization: 'Bearer theirs',
    cookie: 'session=1',
    'x-forwarded-for': '10.0.0.1',
    'accept-language': 'fr',
    'user-agent': 'mobile',
  })
  const { headers = {}, query } = upstream.requests[0] ?? {}
  t.equal(headers.authorization, 'Bearer ours')
  for (const name of ['cookie', 'x-forwarded-for', 'accept-language', 'user-agent']) t.notOk(name in headers, name)
  t.strictSame(query, { name: 'seller', page: '1', page_size: '20' })
})
