import t, { type Test } from 'tap'
import type { SellerListing } from '../../../src/schemas/seller.js'
import { startApp, type TestApp, type TestAppOptions } from '../../harness/app.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { until } from '../../harness/until.js'
import { type Fault, makeSellers, type SellerRecord, type Upstream } from '../../harness/upstream.js'

// The seller rules, from the JSON API down to what reached the upstream.

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

/** What the upstream was asked, oldest first, as query strings. */
function questions({ requests }: Upstream): string[] {
  return requests.map(({ path, query }) => `${path}?${new URLSearchParams(query)}`)
}

/** Sellers as the application keeps them: three fields of each. */
function kept(sellers: readonly SellerRecord[]) {
  return sellers.map(({ id, name, customer_display_id = null }) => ({ id, name, customer_display_id }))
}

/** Asks until the answer is fresh: a refresh in the background makes it so. */
async function untilFresh(ask: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined
  const isFresh = async () => {
    answer = await ask()
    return answer.status === 200 && answer.body.stale === undefined
  }
  if (!(await until(isFresh)) || answer === undefined) throw new Error('it stays stale')
  return answer
}

t.test('the first request walks all pages with page_size=500, the second asks nobody', async (t) => {
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

t.test('a page is cut from the kept list, and only three fields of each seller are kept', async (t) => {
  const { app, ask, upstream } = await open(t, { upstream: { sellers: makeSellers(45) } })
  t.strictSame(await ask('?page=2'), {
    status: 200,
    body: { items: kept(upstream.sellers.slice(20, 40)), page: 2, page_size: 20, pages: 3, total: 45 },
  })
  t.strictSame(await app.cache.get('sellers_all'), kept(upstream.sellers))
})

t.test('1,240 sellers are all there over the pages, each once, in the order of the upstream', async (t) => {
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
  t.equal(upstream.requests.length, 3, 'one walk is enough')
})

t.test('an upstream that gives 100 a page, whatever is asked, is walked to its end', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(1_240), maxPageSize: 100 } })
  const { body } = await ask('?page=13&page_size=100')
  t.strictSame(body.items, kept(upstream.sellers.slice(1_200)))
  t.equal(body.total, 1_240)
  t.equal(upstream.requests.length, 13)
})

t.test('beyond the last page there is an empty page, which is no error', async (t) => {
  const { ask } = await open(t, { upstream: { sellers: makeSellers(40) } })
  for (const page of [3, 63, 999_999_999_999_999]) {
    t.strictSame(await ask(`?page=${page}`), {
      status: 200,
      body: { items: [], page, page_size: 20, pages: 2, total: 40 },
    })
  }
})

t.test('a marketplace without sellers is an answer like any other: kept, and not asked for again', async (t) => {
  const { ask, upstream } = await open(t)
  const empty = { status: 200, body: { items: [], page: 1, page_size: 20, pages: 0, total: 0 } }
  t.strictSame(await ask(), empty)
  t.strictSame(await ask(), empty)
  t.equal(upstream.requests.length, 1)
})

t.test('ids, numbers and names are given as the upstream gave them', async (t) => {
  const sellers = [
    { id: 7, name: 'Integer', customer_display_id: 42 },
    { id: '8', name: 'Digits', customer_display_id: '42' },
    { id: 's_9-A', name: 'Text', customer_display_id: null },
    { id: Number.MAX_SAFE_INTEGER, name: 'Largest', customer_display_id: '' },
    { id: '007', name: 'Zoë "O\'Neil" <b>&amp;\u2028 𝒱' },
  ]
  const { ask } = await open(t, { upstream: { sellers } })
  t.strictSame((await ask()).body.items, kept(sellers), 'no number is there as null')
})

t.test('blank filters and unknown parameters are no filters: the kept list answers', async (t) => {
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

t.test('a filter asks the upstream, each time, for just that page and with the text trimmed', async (t) => {
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

t.test('a filter finds what the upstream finds, a page at a time', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(45) } })
  t.strictSame(await ask('?name=SELLER%20003&page=2&page_size=4'), {
    status: 200,
    body: { items: kept(upstream.sellers.slice(33, 37)), page: 2, page_size: 4, pages: 3, total: 10 },
  })
  t.strictSame((await ask('?customer_display_id=C-0007')).body.items, kept(upstream.sellers.slice(6, 7)))
  t.strictSame(await ask('?name=nobody'), {
    status: 200,
    body: { items: [], page: 1, page_size: 20, pages: 0, total: 0 },
  })
})

t.test('a filtered page is whole also when the upstream gives smaller pages', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(200), maxPageSize: 30 } })
  const { body } = await ask('?name=seller&page=2&page_size=75')
  t.strictSame(body.items, kept(upstream.sellers.slice(75, 150)))
  t.match(body, { page: 2, page_size: 75, pages: 3, total: 200 })
})

t.test('the longest filters that are allowed are asked for, whatever they are made of', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(3) } })
  for (const letter of ['x', '"', '\\', '\u0001', 'é', '𝒱']) {
    const text = letter.repeat(200)
    const { status } = await ask(`?${new URLSearchParams({ name: text, customer_display_id: text })}`)
    t.equal(status, 200, JSON.stringify(letter))
    t.match(upstream.requests.at(-1)?.query, { name: text, customer_display_id: text })
  }
})

t.test('filtered answers change nothing that is kept, and nothing kept answers a filter', async (t) => {
  const { app, ask, upstream } = await open(t, { upstream: { sellers: makeSellers(30) } })
  await ask('?name=Seller%200001')
  t.equal(await app.cache.get('sellers_all'), undefined, 'what was found is not taken for the list')
  const { body } = await ask()
  t.equal(body.total, 30)

  const list = await app.cache.get('sellers_all')
  upstream.sellers.unshift({ id: 99, name: 'Seller 0001 junior' })
  const filtered = await ask('?name=Seller%200001')
  t.equal(filtered.body.total, 2, 'the upstream answered, not the list')
  t.strictSame(await app.cache.get('sellers_all'), list)
  t.strictSame((await ask()).body, body)
})

t.test('a filter that the upstream cannot answer is an error, also while the whole list is kept', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(30) } })
  await ask()
  upstream.fail({ status: 500 })
  t.match(await ask('?name=seller'), { status: 502, body: { code: 'VITRINE_UPSTREAM_STATUS' } })
  t.match(await ask(), { status: 200, body: { total: 30 } })
})

t.test('the list is fresh for the configured time, and then asked for again', async (t) => {
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

t.test('while it is revalidated the stale list is served at once, and says since when', async (t) => {
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
  t.equal(upstream.requests.length, 2, 'five readers, one refresh')

  gate.resolve(undefined)
  const { body } = await untilFresh(ask)
  t.equal(body.total, 4)
  t.notOk('as_of' in body)
  t.equal(upstream.requests.length, 2)
})

t.test('when the upstream is down the stale list is served with its age for as long as configured', async (t) => {
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
  t.strictSame(await ask(), fresh, 'healed: fresh again, and neither field is there')
})

t.test('an upstream that refuses us access is no reason to show what it showed before', async (t) => {
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

t.test('a walk of which one page fails is an error and keeps nothing; after it the list is there', async (t) => {
  const clock = createClock()
  const { app, ask, upstream } = await open(t, { now: clock.now, upstream: { sellers: makeSellers(1_240) } })
  upstream.fail(({ query }) => (query.page === '3' ? { status: 500 } : undefined))
  t.match(await ask(), { status: 502, body: { code: 'VITRINE_UPSTREAM_STATUS' } })
  t.equal(await app.cache.get('sellers_all'), undefined)

  const asked = upstream.requests.length
  clock.step(10)
  t.match(await ask(), { status: 502 })
  t.ok(upstream.requests.length > asked, 'the failure is not kept either')

  upstream.heal()
  clock.step(10)
  t.match(await ask(), { status: 200, body: { total: 1_240 } })
})

t.test('half a list never replaces the whole one', async (t) => {
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

t.test('whatever the upstream does wrong is a problem that names it, and nothing is kept', async (t) => {
  const page = { page: 1, page_size: 500, total: 1 }
  const seller = { id: 1, name: 'One' }
  const failures: [name: string, fault: Fault, status: number, code: string][] = [
    ['a status of 500', { status: 500 }, 502, 'VITRINE_UPSTREAM_STATUS'],
    ['a status of 404', { status: 404 }, 502, 'VITRINE_UPSTREAM_STATUS'],
    ['a status of 401', { status: 401 }, 502, 'VITRINE_UPSTREAM_STATUS'],
    ['a redirect', { status: 302, headers: { location: '/' } }, 502, 'VITRINE_UPSTREAM_STATUS'],
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
    ['fewer than it says', { body: { ...page, total: 3, items: [] } }, 502, 'VITRINE_UPSTREAM_INCOMPLETE'],
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

t.test('an upstream that is not there at all is a 503, and one that is too slow as a whole a 504', async (t) => {
  const gone = await open(t)
  await gone.upstream.close()
  t.match(await gone.ask(), { status: 503, body: { code: 'VITRINE_UPSTREAM_UNREACHABLE' } })

  const environment = { UPSTREAM_DEADLINE_MS: '50' }
  const slow = await open(t, { environment, upstream: { sellers: makeSellers(30), maxPageSize: 1 } })
  slow.upstream.fail(({ query }) => (query.page === '9' ? { hang: 'at once' } : undefined))
  t.match(await slow.ask(), { status: 504, body: { code: 'VITRINE_UPSTREAM_TIMEOUT' } })
})

t.test('first requests that come together share one walk', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(1_240) } })
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)
  const answers = Promise.all(Array.from({ length: 25 }, (_, index) => ask(`?page=${index + 1}`)))
  await upstream.received(1)
  gate.resolve(undefined)
  t.ok((await answers).every(({ status, body }) => status === 200 && body.total === 1_240 && body.stale === undefined))
  t.equal(upstream.requests.length, 3)
})

t.test('a client that goes away takes nothing from those who wait with it', async (t) => {
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

t.test('the request id and the trace of the request go along to the upstream, on every page', async (t) => {
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

t.test('a request id that could harm a log or a header is replaced by one of ours', async (t) => {
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
  t.equal(new Set(ids).size, ids.length, 'each request has its own')
})

t.test('a trace that is not one is not passed on', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { sellers: makeSellers(3) } })
  for (const traceparent of [
    '',
    'x',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nx-admin: 1',
    '0'.repeat(10_000),
  ]) {
    await ask('?name=seller', { traceparent })
    const { headers } = upstream.requests.at(-1) ?? {}
    t.notOk('traceparent' in (headers ?? {}), JSON.stringify(traceparent).slice(0, 20))
    t.notOk('x-admin' in (headers ?? {}))
  }
})

t.test('nothing else of a request reaches the upstream', async (t) => {
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
