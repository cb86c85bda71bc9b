import fc from 'fast-check'
import t, { type Test } from 'tap'
import { compareIds } from '../../../src/catalog/catalogs.js'
import type { CatalogListing } from '../../../src/schemas/catalog.js'
import { startApp, type TestApp, type TestAppOptions } from '../../harness/app.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { until } from '../../harness/until.js'
import { type CatalogRecord, type Fault, makeCatalogs, makeSellers, type Upstream } from '../../harness/upstream.js'

// Catalog rules, from the JSON API to the requests of the upstream.

interface Answer {
  readonly status: number
  readonly body: CatalogListing & { readonly code?: string }
}

interface OpenApp extends TestApp {
  /** Upcoming catalogs of seller 1, or of the given seller. */
  ask(query?: string, sellerId?: string): Promise<Answer>
  askSellers(): Promise<number>
}

async function open(t: Test, options: TestAppOptions = {}): Promise<OpenApp> {
  const parts = await startApp(t, options)
  return {
    ...parts,
    async ask(query = '', sellerId = '1') {
      const response = await parts.app.inject(`/api/v1/sellers/${sellerId}/catalogs${query}`)
      return { status: response.statusCode, body: response.json() }
    },
    async askSellers() {
      return (await parts.app.inject('/api/v1/sellers')).statusCode
    },
  }
}

/** Catalogs of seller 1 that start on these dates. Ids count from 1. */
function starting(...startDates: (string | null)[]): CatalogRecord[] {
  return startDates.map((start_date, index) => ({
    id: index + 1,
    seller_id: 1,
    title: `Sale ${index + 1}`,
    start_date,
    customer_catalog_id: null,
  }))
}

function startDatesOf({ body }: Answer): unknown[] {
  return body.items.map(({ start_date }) => start_date)
}

function idsOf({ body }: Answer): unknown[] {
  return body.items.map(({ id }) => id)
}

/** Requests of the upstream as query strings, oldest first. */
function questions({ requests }: Upstream): string[] {
  return requests.map(({ path, query }) => `${path}?${new URLSearchParams(query)}`)
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

const noRevalidation = { CACHE_STALE_WHILE_REVALIDATE_SECONDS: '0' }

t.test('the first request walks all pages with page_size=200, the second needs no upstream request', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 450 }) } })
  const first = await ask()
  t.strictSame(questions(upstream).sort(), [
    '/catalogs?seller_id=1&page=1&page_size=200',
    '/catalogs?seller_id=1&page=2&page_size=200',
    '/catalogs?seller_id=1&page=3&page_size=200',
  ])
  t.strictSame(await ask(), first)
  t.match((await ask('?page=5&page_size=100')).body, { total: 450, pages: 5 })
  t.equal(upstream.requests.length, 3)
})

t.test('a page comes from the cached list, which has four fields per catalog', async (t) => {
  const { app, ask } = await open(t, {
    now: createClock().now,
    upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 45 }) },
  })
  const { status, body } = await ask('?page=3&page_size=20')
  t.equal(status, 200)
  t.strictSame(body, {
    items: [
      { id: '1-41', title: 'Sale 0041', customer_catalog_id: 'K-0041', start_date: '2030-02-10' },
      { id: '1-42', title: 'Sale 0042', customer_catalog_id: 'K-0042', start_date: '2030-02-11' },
      { id: '1-43', title: 'Sale 0043', customer_catalog_id: 'K-0043', start_date: '2030-02-12' },
      { id: '1-44', title: 'Sale 0044', customer_catalog_id: 'K-0044', start_date: '2030-02-13' },
      { id: '1-45', title: 'Sale 0045', customer_catalog_id: 'K-0045', start_date: '2030-02-14' },
    ],
    page: 3,
    page_size: 20,
    pages: 3,
    total: 45,
  })
  const cached = await app.cache.get<Record<string, unknown>[]>('catalogs_seller_1')
  t.equal(cached?.length, 45)
  const fields = new Set(cached?.flatMap(Object.keys))
  t.strictSame([...fields].sort(), ['customer_catalog_id', 'id', 'start_date', 'title'])
})

t.test('the pages contain every upcoming catalog once', async (t) => {
  const { ask } = await open(t, { upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 450 }), maxPageSize: 100 } })
  const ids: unknown[] = []
  for (let page = 1; page <= 5; page += 1) ids.push(...idsOf(await ask(`?page=${page}&page_size=100`)))
  t.strictSame(
    ids,
    Array.from({ length: 450 }, (_, index) => `1-${index + 1}`),
  )
})

t.test('each seller has its own cached list', async (t) => {
  const catalogs = ['1', '2', '11'].flatMap((sellerId) => makeCatalogs({ sellerId, count: 2 }))
  const { ask, upstream } = await open(t, { upstream: { catalogs } })
  for (const sellerId of ['1', '2', '11', '1', '2', '11']) {
    t.strictSame(idsOf(await ask('', sellerId)), [`${sellerId}-1`, `${sellerId}-2`])
  }
  t.equal(upstream.requests.length, 3)
})

t.test('catalogs that start today or later are upcoming, and the zone decides what today is', async (t) => {
  // The 9th, 23:30, in UTC and 12:30 in Pago Pago; the 10th, 00:30, in Paris and 13:30 in Kiritimati.
  const now = '2026-03-09T23:30:00Z'
  const cases: [startDate: string | null, zones: string[]][] = [
    ['2026-03-08', []],
    ['2026-03-09', ['UTC', 'Pacific/Pago_Pago']],
    ['2026-03-10', ['UTC', 'Europe/Paris', 'Pacific/Pago_Pago', 'Pacific/Kiritimati']],
    ['2026-03-11', ['UTC', 'Europe/Paris', 'Pacific/Pago_Pago', 'Pacific/Kiritimati']],
    ['2026-03-09T00:00:00Z', ['UTC']],
    ['2026-03-09T09:59:59Z', ['UTC']],
    ['2026-03-10T00:00:00+14:00', ['UTC', 'Pacific/Kiritimati']],
    ['2026-03-09T10:59:59Z', ['UTC', 'Pacific/Kiritimati']],
    ['2026-03-09T11:00:00Z', ['UTC', 'Pacific/Pago_Pago', 'Pacific/Kiritimati']],
    ['2026-03-09T08:00:00-11:00', ['UTC', 'Pacific/Pago_Pago', 'Pacific/Kiritimati']],
    ['2026-03-09T23:59:59+01:00', ['UTC', 'Pacific/Pago_Pago', 'Pacific/Kiritimati']],
    ['2026-03-09T23:00:00Z', ['UTC', 'Europe/Paris', 'Pacific/Pago_Pago', 'Pacific/Kiritimati']],
    ['2026-03-10T00:00:00+01:00', ['UTC', 'Europe/Paris', 'Pacific/Pago_Pago', 'Pacific/Kiritimati']],
    [null, []],
    ['', []],
    ['soon', []],
    ['2027-02-31', []],
    ['99999', []],
  ]
  for (const zone of ['UTC', 'Europe/Paris', 'Pacific/Pago_Pago', 'Pacific/Kiritimati']) {
    const { ask } = await open(t, {
      environment: { CATALOG_TIME_ZONE: zone },
      now: createClock(now).now,
      upstream: { catalogs: starting(...cases.map(([startDate]) => startDate)) },
    })
    for (const filter of ['', '?title=Sale']) {
      const upcoming = cases.flatMap(([startDate, zones]) => (zones.includes(zone) ? [startDate] : []))
      const answer = await ask(filter)
      t.strictSame(startDatesOf(answer).sort(), upcoming.sort(), `${zone}${filter}`)
      t.equal(answer.body.total, upcoming.length, 'the total counts upcoming catalogs')
    }
  }
})

t.test('a catalog that starts today is upcoming until midnight', async (t) => {
  const clock = createClock('2026-03-10T00:00:00Z')
  const { ask } = await open(t, {
    now: clock.now,
    upstream: { catalogs: starting('2026-03-10', '2026-03-10T08:00:00Z') },
  })
  for (const time of ['00:00:00.000', '12:00:00.000', '23:59:59.999']) {
    clock.set(`2026-03-10T${time}Z`)
    t.equal((await ask()).body.total, 2, time)
  }
  clock.set('2026-03-11T00:00:00Z')
  t.equal((await ask()).body.total, 0)
})

t.test('catalogs are sorted by instant whatever the date format, then by id', async (t) => {
  const at = (id: number | string, start_date: string) => ({ id, seller_id: 1, title: `Sale ${id}`, start_date })
  const inOrder = [
    at('a', '2026-05-01T23:00:00+14:00'), // 09:00 UTC
    at('b', '2026-05-01T10:00:00Z'),
    at('c', '2026-05-01T08:00:00-04:00'), // 12:00 UTC
    at('d', '2026-05-01T12:00:00.001Z'),
    at('e', '2026-05-02'),
    at('f', '2026-05-02T00:00:00Z'), // the same instant as the date alone
    at('g', '2026-05-02T02:00+02:00'), // the same instant
    at(2, '2026-05-03'),
    at(10, '2026-05-03'),
    at(-1, '2026-05-04'),
    at(9, '2026-05-04'),
    at('B', '2026-05-05'),
    at('a1', '2026-05-05'),
    at('a10', '2026-05-05'),
    at('a2', '2026-05-05'),
  ]
  for (const [name, catalogs] of [
    ['as they are', inOrder],
    ['reversed', inOrder.toReversed()],
    ['by title', inOrder.toSorted((a, b) => a.title.localeCompare(b.title))],
  ] as const) {
    const { ask } = await open(t, { now: createClock().now, upstream: { catalogs: [...catalogs] } })
    for (const filter of ['', '?title=sale']) {
      t.strictSame(
        idsOf(await ask(filter)),
        inOrder.map(({ id }) => id),
        `${name} ${filter}`,
      )
    }
  }
})

t.test('ids, numbers, titles and dates are unchanged', async (t) => {
  const catalogs = [
    { id: 7, seller_id: 1, title: 'Integer', customer_catalog_id: 42, start_date: '2030-01-01' },
    { id: '8', seller_id: 1, title: 'Digits', customer_catalog_id: '42', start_date: '2030-01-02T10:00:00+02:00' },
    { id: 'x/9', seller_id: 1, title: '<b>"\u2028', customer_catalog_id: null, start_date: '2030-01-03t10:00z' },
    { id: '10', seller_id: 1, title: '', start_date: '2030-01-04T10:00:00.123456Z' },
  ]
  const { ask } = await open(t, { upstream: { catalogs } })
  t.strictSame(
    (await ask()).body.items,
    catalogs.map(({ id, title, customer_catalog_id = null, start_date }) => ({
      id,
      title,
      customer_catalog_id,
      start_date,
    })),
  )
})

t.test(
  'a title filter is trimmed and sent to the upstream each time, and only upcoming catalogs are shown',
  async (t) => {
    const clock = createClock('2026-03-10T12:00:00Z')
    const catalogs = starting('2026-03-12', '2026-03-09', null, '2026-03-11', '2026-03-10')
    const { app, ask, upstream } = await open(t, { now: clock.now, upstream: { catalogs } })
    const first = await ask('?title=%20sale%20&page_size=2')
    t.strictSame(idsOf(first), [5, 4])
    t.match(first.body, { page: 1, page_size: 2, pages: 2, total: 3 })
    t.strictSame(idsOf(await ask('?title=sale&page_size=2&page=2')), [1])
    t.strictSame(questions(upstream), [
      '/catalogs?seller_id=1&title=sale&page=1&page_size=200',
      '/catalogs?seller_id=1&title=sale&page=1&page_size=200',
    ])
    t.equal(await app.cache.get('catalogs_seller_1'), undefined, 'matches are not cached as the list')
  },
)

t.test('filtered requests neither write nor read the cached list', async (t) => {
  const { app, ask, upstream } = await open(t, { upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 3 }) } })
  const { body } = await ask()
  const list = await app.cache.get('catalogs_seller_1')
  upstream.catalogs.push({ id: '1-4', seller_id: 1, title: 'Sale 0004', start_date: '2030-01-01' })
  t.equal((await ask('?title=sale')).body.total, 4, 'from the upstream, not from the cached list')
  t.strictSame(await app.cache.get('catalogs_seller_1'), list)
  t.strictSame((await ask()).body, body)

  upstream.fail({ status: 500 })
  t.match(await ask('?title=sale'), { status: 502, body: { code: 'VITRINE_UPSTREAM_STATUS' } })
  t.strictSame((await ask()).body, body)
})

t.test('a title of the maximum length is sent, whatever its characters', async (t) => {
  const { ask, upstream } = await open(t)
  for (const letter of ['x', '"', '\u0001', '𝒱']) {
    const title = letter.repeat(200)
    t.equal((await ask(`?${new URLSearchParams({ title })}`, 'a'.repeat(64))).status, 200, JSON.stringify(letter))
    t.match(upstream.requests.at(-1)?.query, { title, seller_id: 'a'.repeat(64) })
  }
})

t.test('a blank title and unknown parameters are not filters: the cached list is used', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 3 }) } })
  const { body } = await ask()
  for (const query of ['?title=', '?title=%20%20', '?utm_source=x', '?q=1', '?name=x', '?seller_id=2', '?title[]=x']) {
    t.strictSame(await ask(query), { status: 200, body }, query)
  }
  t.equal(upstream.requests.length, 1)
})

t.test('a page beyond the last is empty and not an error', async (t) => {
  const { ask } = await open(t, { upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 3 }) } })
  t.strictSame(await ask('?page=2'), { status: 200, body: { items: [], page: 2, page_size: 20, pages: 1, total: 3 } })
})

t.test('an empty list of a known seller is cached as long as any other', async (t) => {
  const clock = createClock()
  const { ask, askSellers, upstream } = await open(t, {
    environment: noRevalidation,
    now: clock.now,
    upstream: {
      sellers: [...makeSellers(3), { id: 'text-id', name: 'Text' }],
      catalogs: starting('2020-01-01', null),
    },
  })
  await askSellers()
  upstream.reset()
  for (const sellerId of ['1', '2', 'text-id']) {
    t.strictSame(await ask('', sellerId), {
      status: 200,
      body: { items: [], page: 1, page_size: 20, pages: 0, total: 0 },
    })
  }
  t.equal(upstream.requests.length, 3)
  clock.step(299)
  for (const sellerId of ['1', '2', 'text-id']) t.equal((await ask('', sellerId)).body.total, 0)
  t.equal(upstream.requests.length, 3, 'an empty list is a hit')
  clock.step(1)
  await ask('', '2')
  t.equal(upstream.requests.length, 4)
})

t.test(
  'an empty list for an id that is not in the cached list of sellers is cached for 30 seconds and never served stale',
  async (t) => {
    for (const [name, isListKept] of [
      ['the list has no such id', true],
      ['there is no list', false],
    ] as const) {
      await t.test(name, async (t) => {
        const clock = createClock()
        const { ask, askSellers, upstream } = await open(t, { now: clock.now, upstream: { sellers: makeSellers(3) } })
        if (isListKept) await askSellers()
        upstream.reset()
        t.match(await ask('', 'unlisted'), { status: 200, body: { total: 0 } })
        clock.step(29)
        t.match(await ask('', 'unlisted'), { status: 200, body: { total: 0 } })
        t.equal(upstream.requests.length, 1)

        clock.step(1)
        upstream.catalogs.push({ id: 1, seller_id: 'unlisted', title: 'First sale', start_date: '2030-01-01' })
        const answer = await ask('', 'unlisted')
        t.equal(answer.body.total, 1)
        t.notOk('stale' in answer.body)
        t.equal(upstream.requests.length, 2)

        clock.step(299)
        await ask('', 'unlisted')
        t.equal(upstream.requests.length, 2, 'a non-empty list has the normal lifetime')
      })
    }
  },
)

t.test('the cached empty list for an unknown id also ends at midnight', async (t) => {
  const clock = createClock('2026-03-10T23:59:50Z')
  const { ask, upstream } = await open(t, { now: clock.now })
  await ask('', 'unlisted')
  clock.step(9)
  await ask('', 'unlisted')
  t.equal(upstream.requests.length, 1)
  clock.step(1)
  await ask('', 'unlisted')
  t.equal(upstream.requests.length, 2)
})

t.test('a list cached at 23:59 shows no past catalogs at 00:01 and is loaded again', async (t) => {
  const clock = createClock('2026-03-10T22:59:00Z') // 23:59 in Paris
  const { ask, upstream } = await open(t, {
    environment: { CATALOG_TIME_ZONE: 'Europe/Paris' },
    now: clock.now,
    upstream: { catalogs: starting('2026-03-10', '2026-03-10T23:59:30+01:00', '2026-03-11') },
  })
  t.strictSame(idsOf(await ask()), [1, 2, 3])
  clock.step(59)
  t.strictSame(idsOf(await ask()), [1, 2, 3], 'before midnight')
  t.equal(upstream.requests.length, 1)

  clock.set('2026-03-10T23:01:00Z')
  const after = await ask()
  t.strictSame(idsOf(after), [3])
  t.notOk('stale' in after.body)
  t.equal(upstream.requests.length, 2)
})

t.test('after midnight the list is stale, without past events, and refreshed in the background', async (t) => {
  const clock = createClock('2026-03-10T22:59:00Z')
  const { ask, upstream } = await open(t, {
    environment: { CATALOG_TIME_ZONE: 'Europe/Paris' },
    now: clock.now,
    upstream: { catalogs: starting('2026-03-10', '2026-03-11') },
  })
  await ask()
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)
  clock.set('2026-03-10T23:00:00Z')
  t.match(await ask(), { status: 200, body: { total: 1, stale: true, as_of: '2026-03-10T22:59:00.000Z' } })
  t.strictSame(idsOf(await ask()), [2])
  await upstream.received(2)

  gate.resolve(undefined)
  t.strictSame(idsOf(await untilFresh(ask)), [2])
  t.equal(upstream.requests.length, 2)
})

t.test('midnight follows the zone, on days of 23 and 25 hours and where clocks skip it', async (t) => {
  const nights: [zone: string, endedDay: string, newDay: string, midnight: string][] = [
    ['UTC', '2026-03-10', '2026-03-11', '2026-03-11T00:00:00Z'],
    ['Europe/Paris', '2026-03-28', '2026-03-29', '2026-03-28T23:00:00Z'],
    ['Europe/Paris', '2026-03-29', '2026-03-30', '2026-03-29T22:00:00Z'],
    ['Europe/Paris', '2026-10-24', '2026-10-25', '2026-10-24T22:00:00Z'],
    ['Europe/Paris', '2026-10-25', '2026-10-26', '2026-10-25T23:00:00Z'],
    ['America/Santiago', '2026-09-05', '2026-09-06', '2026-09-06T04:00:00Z'],
    ['America/Santiago', '2026-04-04', '2026-04-05', '2026-04-05T04:00:00Z'],
    ['Pacific/Kiritimati', '2026-03-10', '2026-03-11', '2026-03-10T10:00:00Z'],
    ['Pacific/Pago_Pago', '2026-03-10', '2026-03-11', '2026-03-11T11:00:00Z'],
  ]
  for (const [zone, endedDay, newDay, midnight] of nights) {
    await t.test(`the end of ${endedDay} in ${zone}`, async (t) => {
      const clock = createClock(Date.parse(midnight) - 26 * 3_600_000)
      const { ask, upstream } = await open(t, {
        environment: { ...noRevalidation, CATALOG_TIME_ZONE: zone, CACHE_TTL_SECONDS: '172800' },
        now: clock.now,
        upstream: { catalogs: starting(endedDay, newDay) },
      })
      clock.set(Date.parse(midnight) - 60_000)
      t.strictSame(startDatesOf(await ask()), [endedDay, newDay])
      clock.set(Date.parse(midnight) - 1)
      t.strictSame(startDatesOf(await ask()), [endedDay, newDay], 'the last millisecond of the day')
      t.equal(upstream.requests.length, 1, 'still fresh')

      upstream.fail({ status: 500 })
      clock.set(midnight)
      const stale = await ask()
      t.strictSame(startDatesOf(stale), [newDay], 'also while the upstream fails')
      t.equal(stale.body.stale, true)

      upstream.heal()
      clock.step(10)
      const fresh = await ask()
      t.strictSame(startDatesOf(fresh), [newDay])
      t.notOk('stale' in fresh.body)
    })
  }
})

t.test('a list cached days ago is shown without catalogs that are past since', async (t) => {
  const clock = createClock('2026-03-10T12:00:00Z')
  const { ask, upstream } = await open(t, {
    environment: { CACHE_STALE_IF_ERROR_SECONDS: '864000' },
    now: clock.now,
    upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 8, startDate: (index) => `2026-03-1${index}` }) },
  })
  await ask()
  upstream.fail({ destroy: 'at once' })
  for (const [day, left] of [
    ['2026-03-12', 6],
    ['2026-03-15', 3],
    ['2026-03-18', 0],
  ] as const) {
    clock.set(`${day}T12:00:00Z`)
    t.match(await ask(), {
      status: 200,
      body: { total: left, pages: Math.ceil(left / 20), stale: true, as_of: '2026-03-10T12:00:00.000Z' },
    })
  }
})

t.test('a stale list has `stale` and `as_of`, a fresh one has neither', async (t) => {
  const clock = createClock('2026-03-10T12:00:00Z')
  const { ask, upstream, book } = await open(t, {
    environment: noRevalidation,
    now: clock.now,
    upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 3 }) },
  })
  const fresh = await ask()
  t.strictSame(Object.keys(fresh.body).sort(), ['items', 'page', 'page_size', 'pages', 'total'])
  clock.step(301)
  upstream.fail({ status: 503 })
  t.strictSame(await ask(), { status: 200, body: { ...fresh.body, stale: true, as_of: '2026-03-10T12:00:00.000Z' } })
  t.match(await book.until(({ level }) => level === 40), { kind: 'load-failed', key: 'catalogs_seller_1' })
  clock.step(86_400)
  t.match(await ask(), { status: 502, body: { code: 'VITRINE_UPSTREAM_STATUS' } }, 'after the stale window')
})

t.test('an upstream failure without a cached list is a problem, and nothing is cached', async (t) => {
  const page = { page: 1, page_size: 200, total: 1 }
  const failures: [name: string, fault: Fault, status: number, code: string][] = [
    ['a status of 500', { status: 500 }, 502, 'VITRINE_UPSTREAM_STATUS'],
    ['no answer', { hang: 'at once' }, 504, 'VITRINE_UPSTREAM_TIMEOUT'],
    ['a cut connection', { destroy: 'at once' }, 503, 'VITRINE_UPSTREAM_UNREACHABLE'],
    ['an HTML page', { body: '<h1>Maintenance</h1>' }, 502, 'VITRINE_UPSTREAM_NOT_JSON'],
    ['a catalog without a title', { body: { ...page, items: [{ id: 1 }] } }, 502, 'VITRINE_UPSTREAM_WRONG_SHAPE'],
    [
      'a date that is a number',
      { body: { ...page, items: [{ id: 1, title: 'x', start_date: 5 }] } },
      502,
      'VITRINE_UPSTREAM_WRONG_SHAPE',
    ],
    ['fewer items than the total', { body: { ...page, items: [] } }, 502, 'VITRINE_UPSTREAM_INCOMPLETE'],
  ]
  const clock = createClock()
  const options = { now: clock.now, upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 3 }) } }
  const patient = await open(t, options)
  const impatient = await open(t, { ...options, environment: { UPSTREAM_TIMEOUT_MS: '50' } })
  for (const [name, fault, status, code] of failures) {
    await t.test(name, async (t) => {
      const { app, ask, upstream } = fault.hang === undefined ? patient : impatient
      upstream.fail(fault)
      t.match(await ask(), { status, body: { status, code } })
      t.equal(await app.cache.get('catalogs_seller_1'), undefined)
      clock.step(10)
    })
  }
  patient.upstream.heal()
  t.match(await patient.ask(), { status: 200, body: { total: 3 } }, 'healed')
})

t.test('no stale list is served when the upstream denies access', async (t) => {
  for (const status of [401, 403]) {
    const clock = createClock()
    const { ask, upstream } = await open(t, {
      environment: noRevalidation,
      now: clock.now,
      upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 3 }) },
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

t.test('a walk with a failed page caches nothing, and the complete list stays cached', async (t) => {
  const clock = createClock()
  const { app, ask, upstream } = await open(t, {
    environment: noRevalidation,
    now: clock.now,
    upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 450 }) },
  })
  const failThird = () => upstream.fail(({ query }) => (query.page === '3' ? { status: 500 } : undefined))
  failThird()
  t.match(await ask(), { status: 502 })
  t.equal(await app.cache.get('catalogs_seller_1'), undefined)

  upstream.heal()
  clock.step(10)
  t.match(await ask(), { status: 200, body: { total: 450 } })
  failThird()
  clock.step(301)
  t.match(await ask('?page=23'), { status: 200, body: { total: 450, stale: true } })
})

t.test('a failure for one seller does not affect others', async (t) => {
  const catalogs = ['1', '2'].flatMap((sellerId) => makeCatalogs({ sellerId, count: 2 }))
  const { ask, upstream } = await open(t, { upstream: { catalogs } })
  upstream.fail(({ query }) => (query.seller_id === '1' ? { status: 404 } : undefined))
  t.match(await ask('', '1'), { status: 502 })
  t.match(await ask('', '2'), { status: 200, body: { total: 2 } })
})

t.test('concurrent first requests for a seller share one walk', async (t) => {
  const { ask, upstream } = await open(t, { upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 450 }) } })
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)
  const answers = Promise.all(Array.from({ length: 20 }, (_, index) => ask(`?page=${index + 1}`)))
  await upstream.received(1)
  gate.resolve(undefined)
  t.ok((await answers).every(({ status, body }) => status === 200 && body.total === 450 && body.stale === undefined))
  t.equal(upstream.requests.length, 3)
})

t.test('a request that joins a load from before midnight shows no past catalogs', async (t) => {
  const clock = createClock('2026-03-10T23:59:59Z')
  const { ask, upstream } = await open(t, {
    now: clock.now,
    upstream: { catalogs: starting('2026-03-10', '2026-03-11') },
  })
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)
  const answers = Promise.all([ask(), ask()])
  await upstream.received(1)
  clock.set('2026-03-11T00:00:01Z')
  gate.resolve(undefined)
  for (const answer of await answers) t.strictSame(startDatesOf(answer), ['2026-03-11'])
})

t.test('the request id and the trace are sent to the upstream', async (t) => {
  const { app, upstream } = await open(t, { upstream: { catalogs: makeCatalogs({ sellerId: 1, count: 450 }) } })
  const headers = {
    'x-request-id': 'mobile-1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  }
  for (const query of ['', '?title=sale']) await app.inject({ url: `/api/v1/sellers/1/catalogs${query}`, headers })
  t.equal(upstream.requests.length, 6)
  for (const request of upstream.requests) t.match(request.headers, headers)
})

t.test('all forms of ISO 8601 are upcoming, others are dropped with one warning and a counter', async (t) => {
  const dates = [
    '2027-01-04',
    '20270104T10',
    '2027-W01-1',
    '2027004',
    '2027-01-04T10,5+02',
    '2027-01-04T24:00',
    '9999-12-31T23:59',
    '0000-01-01T00:00',
    '',
    null,
  ]
  const { ask, app, book } = await open(t, {
    upstream: { catalogs: starting(...dates, 'next week', '2027-02-30', '2027-01') },
    now: () => Date.parse('2026-11-30T12:00Z'),
  })
  t.equal((await ask()).body.total, 7)
  t.equal((await ask('?title=Sale')).body.total, 7)
  t.equal((await app.inject('/panels/sellers/1/events')).statusCode, 200)
  const warnings = book.lines.filter(({ kind }) => kind === 'invalid-date')
  t.match(warnings, [{ level: 40, subject: 'upstream', count: 3, example: '"next week"' }])
  t.equal(warnings.length, 1)
  t.match((await app.inject('/metrics')).body, /^vitrine_upstream_invalid_dates_total 6$/m)
})

t.test('ids have a total order, also when numbers and strings are mixed', async (t) => {
  const id = fc.oneof(
    fc.integer({ min: -20, max: 20 }),
    fc.stringMatching(/^[0-9a-c]{1,2}$/),
    fc.constantFrom('2', '10', '15'),
  )
  fc.assert(
    fc.property(id, id, id, (a, b, c) => {
      const [ab, bc, ac] = [compareIds(a, b), compareIds(b, c), compareIds(a, c)].map(Math.sign)
      const isAntisymmetric = Math.sign(compareIds(b, a)) === -Number(ab) || ab === 0
      const isTotal = (ab === 0) === (a === b)
      const isTransitive = !(Number(ab) <= 0 && Number(bc) <= 0) || Number(ac) <= 0
      return isAntisymmetric && isTotal && isTransitive
    }),
    { numRuns: 5_000 },
  )
  t.strictSame(['15', 10, 2, '2', 'b', '10'].sort(compareIds), [2, 10, '10', '15', '2', 'b'])
})
