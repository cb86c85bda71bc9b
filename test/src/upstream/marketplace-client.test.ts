import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { Readable } from 'node:stream'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { isUpstreamError, UpstreamStatus } from '../../../src/upstream/errors.js'
import {
  createMarketplaceClient,
  type MarketplaceClient,
  type MarketplaceClientOptions,
} from '../../../src/upstream/marketplace-client.js'
import { createDeferred } from '../../harness/deferred.js'
import { createTimers } from '../../harness/timers.js'
import {
  type Fault,
  makeCatalogs,
  makeSellers,
  startUpstream,
  type Upstream,
  type UpstreamOptions,
} from '../../harness/upstream.js'

/** Longer than any test, so that only the time-out under test passes. */
const amply = 60_000

async function connect(
  t: Test,
  { upstream: upstreamOptions, ...options }: Partial<MarketplaceClientOptions> & { upstream?: UpstreamOptions } = {},
): Promise<{ upstream: Upstream; marketplace: MarketplaceClient }> {
  const upstream = await startUpstream(upstreamOptions)
  const marketplace = createMarketplaceClient({
    url: upstream.url,
    timeoutMs: amply,
    deadlineMs: amply,
    random: () => 0,
    closeGraceMs: 0,
    ...options,
  })
  t.after(async () => {
    await marketplace.close()
    await upstream.close()
  })
  return { upstream, marketplace }
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('it did not fail with an error')
}

/** Runs a call with time-outs that the test triggers, so that the speed of the machine does not matter. */
async function withSteppedTime<T>(run: (step: (milliseconds: number) => void) => Promise<T>): Promise<T> {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    return await run((milliseconds) => mock.timers.tick(milliseconds))
  } finally {
    mock.timers.reset()
  }
}

/** Resolves when a client of this process has received the head of a response and reads its body. */
function headReceived(): Promise<void> {
  return new Promise((resolve) => {
    const receive = () => {
      unsubscribe('undici:request:headers', receive)
      setImmediate(resolve)
    }
    subscribe('undici:request:headers', receive)
  })
}

t.test('all sellers are read with page_size=500, with three fields each', async (t) => {
  const { upstream, marketplace } = await connect(t, { upstream: { sellers: makeSellers(1240) } })
  const sellers = await marketplace.sellers.all()
  t.equal(sellers.length, 1240)
  t.strictSame(sellers[0], { id: 1, name: 'Seller 0001', customer_display_id: 'C-0001' })
  t.strictSame(sellers[1239], { id: 1240, name: 'Seller 1240', customer_display_id: null })
  t.strictSame(
    upstream.requests
      .map(({ path, query }) => ({ path, query }))
      .sort((a, b) => Number(a.query.page) - Number(b.query.page)),
    ['1', '2', '3'].map((page) => ({ path: '/sellers', query: { page, page_size: '500' } })),
  )
})

t.test('requests every page of a list that the upstream caps at 100 items per page', async (t) => {
  const { upstream, marketplace } = await connect(t, { upstream: { sellers: makeSellers(1240), maxPageSize: 100 } })
  const sellers = await marketplace.sellers.all()
  t.strictSame(
    sellers.map(({ id }) => id),
    upstream.sellers.map(({ id }) => id),
  )
  t.equal(upstream.requests.length, 13)
})

t.test('the catalogs of a seller are read with page_size=200, with four fields each', async (t) => {
  const catalogs = [...makeCatalogs({ sellerId: 7, count: 250 }), ...makeCatalogs({ sellerId: 8, count: 3 })]
  const { upstream, marketplace } = await connect(t, { upstream: { catalogs } })
  const result = await marketplace.catalogs.all({ sellerId: '7' })
  t.equal(result.length, 250)
  t.strictSame(result[0], {
    id: '7-1',
    title: 'Sale 0001',
    customer_catalog_id: 'K-0001',
    start_date: '2030-01-01',
  })
  t.strictSame(
    upstream.requests.map(({ path, query }) => ({ path, query })),
    ['1', '2'].map((page) => ({ path: '/catalogs', query: { seller_id: '7', page, page_size: '200' } })),
  )
})

t.test('a title filters the catalogs of a seller', async (t) => {
  const { upstream, marketplace } = await connect(t, {
    upstream: { catalogs: makeCatalogs({ sellerId: 7, count: 30 }) },
  })
  const result = await marketplace.catalogs.all({ sellerId: 7, title: 'sale 002' })
  t.equal(result.length, 10)
  t.equal(upstream.requests[0]?.query.title, 'sale 002')
})

t.test('an empty list is an empty array', async (t) => {
  const { marketplace } = await connect(t)
  t.strictSame(await marketplace.sellers.all(), [])
  t.strictSame(await marketplace.catalogs.all({ sellerId: 1 }), [])
  t.strictSame(await marketplace.sellers.page({ page: 1, pageSize: 20 }), { items: [], total: 0 })
})

t.test('ids have the type that the upstream sent, and missing fields are null', async (t) => {
  const { marketplace } = await connect(t, {
    upstream: {
      sellers: [
        { id: 1, name: 'integers', customer_display_id: 42 },
        { id: 'two', name: 'strings', customer_display_id: 'C-2' },
        { id: '3', name: 'null', customer_display_id: null },
        { id: 4, name: 'absent' },
      ],
      catalogs: [{ id: 5, seller_id: 4, title: 'absent' }],
    },
  })
  t.strictSame(await marketplace.sellers.all(), [
    { id: 1, name: 'integers', customer_display_id: 42 },
    { id: 'two', name: 'strings', customer_display_id: 'C-2' },
    { id: '3', name: 'null', customer_display_id: null },
    { id: 4, name: 'absent', customer_display_id: null },
  ])
  t.strictSame(await marketplace.catalogs.all({ sellerId: 4 }), [
    { id: 5, title: 'absent', customer_catalog_id: null, start_date: null },
  ])
})

t.test('a page of sellers is requested with its filters, whatever their characters', async (t) => {
  const sellers = [{ id: 1, name: 'Dürer & Söhne? 100%', customer_display_id: 'C/1#é' }, ...makeSellers(3)]
  const { upstream, marketplace } = await connect(t, { upstream: { sellers } })
  const query = { page: 1, pageSize: 20, name: '& Söhne? 100%', customerDisplayId: 'C/1#é' }
  t.strictSame(await marketplace.sellers.page(query), {
    items: [{ id: 1, name: 'Dürer & Söhne? 100%', customer_display_id: 'C/1#é' }],
    total: 1,
  })
  t.strictSame(
    upstream.requests.map(({ query }) => query),
    [{ name: '& Söhne? 100%', customer_display_id: 'C/1#é', page: '1', page_size: '20' }],
  )
})

t.test('a blank filter is not sent', async (t) => {
  const { upstream, marketplace } = await connect(t)
  await marketplace.sellers.page({ page: 1, pageSize: 20, name: '', customerDisplayId: '' })
  t.strictSame(
    upstream.requests.map(({ query }) => query),
    [{ page: '1', page_size: '20' }],
  )
})

t.test('a page of sellers is complete when the upstream sends smaller pages', async (t) => {
  const { marketplace } = await connect(t, { upstream: { sellers: makeSellers(45), maxPageSize: 10 } })
  const ids = async (page: number) => {
    const { items, total } = await marketplace.sellers.page({ page, pageSize: 20, name: 'Seller' })
    return { ids: items.map(({ id }) => Number(id)), total }
  }
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
  t.strictSame(await ids(1), { ids: range(1, 20), total: 45 })
  t.strictSame(await ids(2), { ids: range(21, 40), total: 45 })
  t.strictSame(await ids(3), { ids: range(41, 45), total: 45 })
  t.strictSame(await ids(4), { ids: [], total: 45 })
})

for (const [base, path] of [
  ['', '/sellers'],
  ['/', '/sellers'],
  ['/api/v2', '/api/v2/sellers'],
  ['/api/v2/', '/api/v2/sellers'],
] as const) {
  t.test(`the path of the base URL, "${base}", goes before that of the list`, async (t) => {
    const upstream = await startUpstream({ sellers: makeSellers(1), basePath: base.replace(/\/$/, '') })
    const url = upstream.url.replace(/\/api.*/, '') + base
    const marketplace = createMarketplaceClient({ url, timeoutMs: amply, deadlineMs: amply })
    t.after(async () => {
      await marketplace.close()
      await upstream.close()
    })
    t.equal((await marketplace.sellers.all()).length, 1)
    t.equal(upstream.requests[0]?.path, path)
  })
}

for (const url of [
  'ftp://upstream',
  'http://user:secret@upstream',
  'http://upstream/?key=secret',
  'http://upstream/#a',
]) {
  t.test(`refuses ${url.replace('secret', '…')} as a base URL, without repeating it`, async (t) => {
    const create = () => createMarketplaceClient({ url, timeoutMs: amply, deadlineMs: amply })
    t.throws(create, { name: 'TypeError', message: /^(?!.*secret)The upstream URL must be/ })
  })
}

t.test('sends request id, trace and token with every page request', async (t) => {
  const { upstream, marketplace } = await connect(t, { upstream: { sellers: makeSellers(1000) }, token: 'top-secret' })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await marketplace.sellers.all({ requestId: 'req-1', traceparent })
  t.equal(upstream.requests.length, 2)
  for (const { headers } of upstream.requests) {
    t.match(headers, {
      'x-request-id': 'req-1',
      traceparent,
      authorization: 'Bearer top-secret',
      accept: 'application/json',
    })
  }
})

t.test('sends no request id, trace or authorization without values', async (t) => {
  const { upstream, marketplace } = await connect(t)
  await marketplace.sellers.all()
  const names = Object.keys(upstream.requests[0]?.headers ?? {})
  t.strictSame(
    names.filter((name) => ['x-request-id', 'traceparent', 'authorization'].includes(name)),
    [],
  )
})

const transient: { title: string; fault: Fault }[] = [
  ...[408, 425, 429, 500, 502, 503, 504].map((status) => ({ title: `status ${status}`, fault: { status } })),
  { title: 'a connection closed before the response', fault: { destroy: 'at once' } },
  { title: 'a connection closed during the body', fault: { destroy: 'half way' } },
  { title: 'a response that does not start', fault: { hang: 'at once' } },
  { title: 'a body that stalls', fault: { hang: 'half way' } },
]

for (const { title, fault } of transient) {
  t.test(`retries after ${title}`, async (t) => {
    const { upstream, marketplace } = await connect(t, { upstream: { sellers: makeSellers(3) }, timeoutMs: 250 })
    upstream.fail(() => (upstream.requests.length === 1 ? fault : undefined))
    await withSteppedTime(async (step) => {
      const sellers = marketplace.sellers.all()
      await upstream.received(1)
      if (fault.hang !== undefined) step(250)
      t.equal((await sellers).length, 3)
    })
    t.equal(upstream.requests.length, 2)
  })
}

interface LastingFailure {
  title: string
  fault: () => Fault
  expected: { code: string; statusCode: number; message: RegExp; upstreamStatus?: number }
  requests: number
  options?: Partial<MarketplaceClientOptions>
  /** Each attempt times out: before the head, or during the body. */
  timesOut?: 'at once' | 'in the body'
}

const page = { items: [], page: 1, page_size: 500, total: 0 }

const lasting: LastingFailure[] = [
  ...[204, 206, 302, 400, 401, 403, 404, 501].map((status) => ({
    title: `status ${status} is an error and is not retried`,
    fault: () => ({ status }),
    expected: {
      code: 'VITRINE_UPSTREAM_STATUS',
      statusCode: 502,
      upstreamStatus: status,
      message: new RegExp(`/sellers with status ${status}$`),
    },
    requests: 1,
  })),
  {
    title: 'status 503 is reported after three attempts',
    fault: () => ({ status: 503 }),
    expected: { code: 'VITRINE_UPSTREAM_STATUS', statusCode: 502, upstreamStatus: 503, message: /\/sellers/ },
    requests: 3,
  },
  {
    title: 'a long error page is reported by its status',
    fault: () => ({ status: 404, body: 'x'.repeat(100_000) }),
    expected: { code: 'VITRINE_UPSTREAM_STATUS', statusCode: 502, upstreamStatus: 404, message: /\/sellers/ },
    requests: 1,
    options: { maxBodyBytes: 1_000 },
  },
  {
    title: 'an error page that stalls is reported by its status',
    fault: () => ({ status: 404, hang: 'half way' }),
    expected: { code: 'VITRINE_UPSTREAM_STATUS', statusCode: 502, upstreamStatus: 404, message: /\/sellers/ },
    requests: 1,
    options: { timeoutMs: 50 },
    timesOut: 'in the body',
  },
  {
    title: 'closed connections are reported as unreachable after three attempts',
    fault: () => ({ destroy: 'at once' }),
    expected: { code: 'VITRINE_UPSTREAM_UNREACHABLE', statusCode: 503, message: /\/sellers: UND_ERR_SOCKET$/ },
    requests: 3,
  },
  {
    title: 'truncated bodies are reported as unreachable after three attempts',
    fault: () => ({ destroy: 'half way' }),
    expected: { code: 'VITRINE_UPSTREAM_UNREACHABLE', statusCode: 503, message: /\/sellers/ },
    requests: 3,
  },
  {
    title: 'an upstream that hangs is reported as a time-out after three attempts',
    fault: () => ({ hang: 'at once' }),
    expected: {
      code: 'VITRINE_UPSTREAM_TIMEOUT',
      statusCode: 504,
      message: /\/sellers: no complete response within 50 ms, 3 attempts$/,
    },
    requests: 3,
    options: { timeoutMs: 50 },
    timesOut: 'at once',
  },
  {
    title: 'a body that stalls is reported as a time-out after three attempts',
    fault: () => ({ hang: 'half way' }),
    expected: {
      code: 'VITRINE_UPSTREAM_TIMEOUT',
      statusCode: 504,
      message: /\/sellers: no complete response within 50 ms, 3 attempts$/,
    },
    requests: 3,
    options: { timeoutMs: 50 },
    timesOut: 'at once',
  },
  {
    title: 'HTML is not JSON, and is not retried',
    fault: () => ({ body: '<html>Please log in</html>', headers: { 'content-type': 'text/html' } }),
    expected: { code: 'VITRINE_UPSTREAM_NOT_JSON', statusCode: 502, message: /\/sellers/ },
    requests: 1,
  },
  {
    title: 'an empty body is not JSON',
    fault: () => ({ body: '' }),
    expected: { code: 'VITRINE_UPSTREAM_NOT_JSON', statusCode: 502, message: /\/sellers/ },
    requests: 1,
  },
  {
    title: 'bytes that are not UTF-8 are not JSON',
    fault: () => ({ body: Buffer.from([0x22, 0xff, 0x22]) }),
    expected: { code: 'VITRINE_UPSTREAM_NOT_JSON', statusCode: 502, message: /\/sellers/ },
    requests: 1,
  },
  {
    title: 'an error object with status 200 does not match the schema, and is not retried',
    fault: () => ({ body: { error: 'maintenance' } }),
    expected: { code: 'VITRINE_UPSTREAM_WRONG_SHAPE', statusCode: 502, message: /\/sellers .* at "\/items": / },
    requests: 1,
  },
  {
    title: 'the first mismatch is reported',
    fault: () => ({ body: { ...page, items: [{ id: 1, name: 'a' }, { id: 2 }], total: 2 } }),
    expected: { code: 'VITRINE_UPSTREAM_WRONG_SHAPE', statusCode: 502, message: /at "\/items\/1\/name": / },
    requests: 1,
  },
  {
    title: 'an integer id that JSON parsing rounded does not match the schema',
    fault: () => ({ body: '{"items":[{"id":9007199254740993,"name":"a"}],"page":1,"page_size":500,"total":1}' }),
    expected: { code: 'VITRINE_UPSTREAM_WRONG_SHAPE', statusCode: 502, message: /at "\/items\/0\/id": / },
    requests: 1,
  },
  {
    title: 'a list that does not reach its total is incomplete after two walks',
    fault: () => ({ body: { ...page, total: 3 } }),
    expected: { code: 'VITRINE_UPSTREAM_INCOMPLETE', statusCode: 502, message: /\/sellers/ },
    requests: 2,
  },
  {
    title: 'a body with a content-length over the limit is too large, and is not retried',
    fault: () => ({ body: { ...page, note: 'x'.repeat(1_000) } }),
    expected: { code: 'VITRINE_UPSTREAM_TOO_LARGE', statusCode: 502, message: /\/sellers .* more than 1000 bytes/ },
    requests: 1,
    options: { maxBodyBytes: 1_000 },
  },
  {
    title: 'a body with a content-length over the limit is rejected before it is read',
    fault: () => ({ body: page, headers: { 'content-length': '1001' }, hang: 'half way' }),
    expected: { code: 'VITRINE_UPSTREAM_TOO_LARGE', statusCode: 502, message: /\/sellers .* more than 1000 bytes/ },
    requests: 1,
    options: { maxBodyBytes: 1_000 },
  },
  {
    title: 'an endless body is too large, and is not retried',
    fault: () => ({ body: Readable.from(endless()) }),
    expected: { code: 'VITRINE_UPSTREAM_TOO_LARGE', statusCode: 502, message: /\/sellers .* more than 1000 bytes/ },
    requests: 1,
    options: { maxBodyBytes: 1_000 },
  },
  {
    title: 'a list over maxItems is too large',
    fault: () => ({ body: { ...page, total: 101 } }),
    expected: {
      code: 'VITRINE_UPSTREAM_TOO_LARGE',
      statusCode: 502,
      message: /\/sellers .* 101 items, more than 100$/,
    },
    requests: 1,
    options: { maxItems: 100 },
  },
]

function* endless() {
  while (true) yield ' '.repeat(100)
}

for (const { title, fault, expected, requests, options, timesOut } of lasting) {
  t.test(title, async (t) => {
    const { upstream, marketplace } = await connect(t, { upstream: { sellers: makeSellers(3) }, ...options })
    upstream.fail(fault)
    const error = await withSteppedTime(async (step) => {
      const hasHead = headReceived()
      const failure = failureOf(marketplace.sellers.all())
      for (let tries = 1; timesOut !== undefined && tries <= requests; tries += 1) {
        await (timesOut === 'in the body' ? hasHead : upstream.received(tries))
        step(50)
      }
      return failure
    })
    t.match(error, expected)
    t.ok(isUpstreamError(error))
    t.equal(upstream.requests.length, requests)
  })
}

t.test('a body of exactly the limit is accepted', async (t) => {
  const body = JSON.stringify(page)
  const { upstream, marketplace } = await connect(t, { maxBodyBytes: body.length })
  upstream.fail({ body })
  t.strictSame(await marketplace.sellers.all(), [])
})

t.test('aborts an endless body', async (t) => {
  const { upstream, marketplace } = await connect(t, { maxBodyBytes: 1_000 })
  upstream.fail({ body: Readable.from(endless()) })
  await failureOf(marketplace.sellers.all())
  t.equal(await upstream.requests[0]?.answered, false)
})

t.test('an upstream that refuses connections is unreachable, and the cause is reported', async (t) => {
  const { upstream, marketplace } = await connect(t)
  await upstream.close()
  const error = await failureOf(marketplace.sellers.all())
  t.match(error, {
    code: 'VITRINE_UPSTREAM_UNREACHABLE',
    statusCode: 503,
    message: 'Upstream unreachable for /sellers: ECONNREFUSED',
    cause: { code: 'ECONNREFUSED' },
  })
})

t.test('an upstream that does not speak HTTP is unreachable', async (t) => {
  const server = createServer((socket) => socket.end('220 mail.example.com ESMTP\r\n'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number } // a listening TCP server has a port
  const { marketplace } = await connect(t, { url: `http://127.0.0.1:${port}` })
  await t.rejects(marketplace.sellers.all(), { code: 'VITRINE_UPSTREAM_UNREACHABLE' })
})

t.test('messages contain no host, token or query value', async (t) => {
  const { upstream, marketplace } = await connect(t, { token: 'top-secret', timeoutMs: 50 })
  const faults: Fault[] = [
    { status: 404 },
    { hang: 'at once' },
    { destroy: 'at once' },
    { body: '<' },
    { body: { a: 1 } },
  ]
  for (const fault of faults) {
    upstream.fail(fault)
    const { message } = await failureOf(marketplace.sellers.page({ page: 1, pageSize: 20, name: 'private-name' }))
    t.match(message, /\/sellers/)
    t.notMatch(message, /127\.0\.0\.1|top-secret|private-name/)
  }
})

t.test('a failed page rejects the walk with its error and aborts the pages in flight', async (t) => {
  const { upstream, marketplace } = await connect(t, { upstream: { sellers: makeSellers(50), maxPageSize: 10 } })
  upstream.fail(async ({ query }) => {
    if (query.page === '1') return undefined
    if (query.page !== '3') return { hang: 'at once' }
    await upstream.received(5)
    return { status: 403 }
  })
  const error = await failureOf(marketplace.sellers.all())
  t.ok(error instanceof UpstreamStatus)
  t.match(error, { upstreamStatus: 403 })
  const whole = await Promise.all(upstream.requests.map(async ({ query, answered }) => [query.page, await answered]))
  t.strictSame(whole.sort(), [
    ['1', true],
    ['2', false],
    ['3', true],
    ['4', false],
    ['5', false],
  ])
})

t.test('a retry waits for Retry-After, and other calls do not', async (t) => {
  const { upstream, marketplace } = await connect(t, { upstream: { sellers: makeSellers(3) } })
  upstream.fail(({ path }) => {
    if (path === '/sellers') return { status: 429, headers: { 'retry-after': '30' } }
    return upstream.requests.length === 2 ? { status: 429 } : undefined
  })
  const caller = new AbortController()
  const failure = failureOf(marketplace.sellers.all({ signal: caller.signal }))
  await upstream.received(1)
  await upstream.requests[0]?.answered
  await marketplace.catalogs.all({ sellerId: 1 })
  t.strictSame(
    upstream.requests.map(({ path }) => path),
    ['/sellers', '/catalogs', '/catalogs'],
  )
  const reason = new Error('the test is over')
  caller.abort(reason)
  t.equal(await failure, reason)
})

t.test('does not wait for a Retry-After beyond the deadline', async (t) => {
  const { upstream, marketplace } = await connect(t, { deadlineMs: 30_000 })
  upstream.fail({ status: 503, headers: { 'retry-after': '31' } })
  await t.rejects(marketplace.sellers.all(), { code: 'VITRINE_UPSTREAM_STATUS', upstreamStatus: 503 })
  t.equal(upstream.requests.length, 1)
})

t.test('retries end at the deadline, and the time-out has the last failure as its cause', async (t) => {
  const { upstream, marketplace } = await connect(t, { deadlineMs: 300 })
  upstream.fail(() => (upstream.requests.length === 1 ? { status: 503 } : { hang: 'at once' }))
  const error = await withSteppedTime(async (step) => {
    const failure = failureOf(marketplace.sellers.all())
    await upstream.received(2)
    step(300)
    return failure
  })
  t.match(error, {
    code: 'VITRINE_UPSTREAM_TIMEOUT',
    statusCode: 504,
    message: /\/sellers: no complete response after \d+\.\d s$/,
    cause: { code: 'VITRINE_UPSTREAM_STATUS', upstreamStatus: 503 },
  })
  t.equal(upstream.requests.length, 2)
  t.equal(await upstream.requests[1]?.answered, false)
})

t.test('retries are limited by a budget, so that a failing upstream does not get three times the load', async (t) => {
  const { upstream, marketplace } = await connect(t)
  upstream.fail({ status: 503 })
  for (let calls = 0; calls < 50; calls++) await failureOf(marketplace.sellers.all())
  const retries = upstream.requests.length - 50
  t.equal(retries, 29, 'a burst of 20, then one for five calls')
})

t.test('one deadline covers all pages of a walk', async (t) => {
  const { upstream, marketplace } = await connect(t, {
    upstream: { sellers: makeSellers(100), maxPageSize: 1 },
    deadlineMs: 400,
    concurrency: 1,
  })
  const failure = withSteppedTime(async (step) => {
    upstream.fail(() => {
      step(40) // ten pages take the complete deadline
      return undefined
    })
    return failureOf(marketplace.sellers.all())
  })
  t.match(await failure, { code: 'VITRINE_UPSTREAM_TIMEOUT' })
  t.equal(upstream.requests.length, 10)
})

t.test('the time-out of a call starts when a connection takes it, not while it waits for one', async (t) => {
  const timers = createTimers()
  const { upstream, marketplace } = await connect(t, {
    upstream: { catalogs: [1, 2, 3, 4, 5, 6].flatMap((sellerId) => makeCatalogs({ sellerId, count: 1 })) },
    timeoutMs: 1_000,
    startTimer: timers.start,
    maxConnections: 2,
    maxRetries: 0,
  })
  const gates = Array.from({ length: 6 }, () => createDeferred<undefined>())
  upstream.fail(() => gates[upstream.requests.length - 1]?.promise)
  const lists = gates.map((_, index) => marketplace.catalogs.all({ sellerId: index + 1 }))
  for (const wave of [0, 2, 4]) {
    await upstream.received(wave + 2)
    t.equal(timers.count, 2, 'one timer per connection')
    timers.step(999) // in total far more than one time-out
    for (const gate of gates.slice(wave, wave + 2)) gate.resolve(undefined)
    await Promise.all(lists.slice(wave, wave + 2))
  }
  t.strictSame(
    (await Promise.all(lists)).map((catalogs) => catalogs.map(({ id }) => id)),
    [['1-1'], ['2-1'], ['3-1'], ['4-1'], ['5-1'], ['6-1']],
  )
  t.equal(upstream.requests.length, 6)
  t.equal(timers.count, 0)

  upstream.fail({ hang: 'at once' })
  const failure = failureOf(marketplace.catalogs.all({ sellerId: 1 }))
  await upstream.received(7)
  timers.step(1_000)
  t.match(await failure, {
    code: 'VITRINE_UPSTREAM_TIMEOUT',
    message: 'Upstream timeout for /catalogs: no complete response within 1000 ms',
  })
})

t.test('a call aborted while it waits for a connection leaves the queue at once', async (t) => {
  const { upstream, marketplace } = await connect(t, { maxConnections: 1 })
  const created: string[] = []
  const onCreate = (message: unknown) => created.push((message as { request: { path: string } }).request.path) // as undici documents it
  subscribe('undici:request:create', onCreate)
  t.after(() => unsubscribe('undici:request:create', onCreate))
  const gate = createDeferred<undefined>()
  upstream.fail(() => gate.promise)
  const first = marketplace.sellers.all()
  await upstream.received(1)
  const caller = new AbortController()
  const second = failureOf(marketplace.catalogs.all({ sellerId: 2 }, { signal: caller.signal }))
  const third = marketplace.catalogs.all({ sellerId: 3 })
  const reason = new Error('called off')
  caller.abort(reason)
  t.equal(await second, reason, 'while the first call uses the connection')
  gate.resolve(undefined)
  await Promise.all([first, third])
  t.strictSame(
    upstream.requests.map(({ query }) => query.seller_id),
    [undefined, '3'],
  )
  t.strictSame(
    created.filter((path) => path.includes('seller_id=2')),
    [],
    'no connection ever takes it',
  )
})

t.test('waiting for a connection ends at the deadline', async (t) => {
  const { upstream, marketplace } = await connect(t, { maxConnections: 1, deadlineMs: 300 })
  upstream.fail({ hang: 'at once' })
  for (const error of await Promise.all(
    [1, 2, 3].map((sellerId) => failureOf(marketplace.catalogs.all({ sellerId }))),
  )) {
    t.match(error, { code: 'VITRINE_UPSTREAM_TIMEOUT', message: /no complete response after \d+\.\d s$/ })
  }
})

t.test('aborted calls on every connection do not block later calls', async (t) => {
  const { upstream, marketplace } = await connect(t, { upstream: { sellers: makeSellers(3) }, maxConnections: 2 })
  for (const round of [1, 2, 3]) {
    upstream.reset()
    upstream.fail({ hang: 'at once' })
    const caller = new AbortController()
    const failures = [1, 2].map((sellerId) =>
      failureOf(marketplace.catalogs.all({ sellerId }, { signal: caller.signal })),
    )
    await upstream.received(2)
    upstream.heal()
    const waiting = [1, 2, 3].map(() => marketplace.sellers.all())
    caller.abort()
    await Promise.all(failures)
    t.equal((await Promise.all(waiting)).length, 3, `round ${round}`)
  }
})

t.test('connecting has its own time-out', async (t) => {
  const silent = createServer((socket) => t.after(() => socket.destroy())) // it never answers the TLS handshake
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const timers = createTimers()
  const { port } = silent.address() as { port: number } // a listening TCP server has a port
  const { marketplace } = await connect(t, {
    url: `https://127.0.0.1:${port}`,
    timeoutMs: 50,
    startTimer: timers.start,
    maxConnections: 1,
  })
  const failures = [1, 2].map((sellerId) => failureOf(marketplace.catalogs.all({ sellerId })))
  for (const error of await Promise.all(failures)) {
    t.match(error, {
      code: 'VITRINE_UPSTREAM_TIMEOUT',
      statusCode: 504,
      message: /\/catalogs: no connection within 50 ms, 3 attempts$/,
    })
  }
  t.equal(timers.count, 0)
})

t.test('an aborted call rejects with the reason, and the request is aborted', async (t) => {
  const { upstream, marketplace } = await connect(t)
  upstream.fail({ hang: 'at once' })
  const caller = new AbortController()
  const failure = failureOf(marketplace.sellers.all({ signal: caller.signal }))
  await upstream.received(1)
  const reason = new Error('the caller aborted')
  caller.abort(reason)
  t.equal(await failure, reason)
  t.equal(await upstream.requests[0]?.answered, false)
})

t.test('an already aborted signal causes no request', async (t) => {
  const { upstream, marketplace } = await connect(t)
  const reason = new Error('the caller aborted')
  t.equal(await failureOf(marketplace.sellers.all({ signal: AbortSignal.abort(reason) })), reason)
  t.equal(upstream.requests.length, 0)
})

t.test('a TimeoutError as the reason becomes an upstream time-out', async (t) => {
  const { upstream, marketplace } = await connect(t)
  upstream.fail({ hang: 'at once' })
  const signal = AbortSignal.timeout(50)
  t.match(await failureOf(marketplace.sellers.all({ signal })), {
    code: 'VITRINE_UPSTREAM_TIMEOUT',
    cause: { name: 'TimeoutError' },
  })
})

t.test('abort ends all lists in flight, and later ones are accepted', async (t) => {
  const { upstream, marketplace } = await connect(t, { upstream: { sellers: makeSellers(3) } })
  upstream.fail({ hang: 'at once' })
  const failures = [marketplace.sellers.all(), marketplace.catalogs.all({ sellerId: 1 })].map(failureOf)
  await upstream.received(2)
  marketplace.abort()
  for (const error of await Promise.all(failures)) {
    t.match(error, { code: 'VITRINE_UPSTREAM_UNREACHABLE', statusCode: 503, message: /closed/ })
  }
  upstream.heal()
  t.equal((await marketplace.sellers.all()).length, 3)
})

t.test('close waits for lists in flight and refuses new ones', async (t) => {
  const { upstream, marketplace } = await connect(t, {
    upstream: { sellers: makeSellers(30), maxPageSize: 10 },
    closeGraceMs: amply,
  })
  const held = createDeferred<undefined>()
  upstream.fail(() => held.promise)
  const sellers = marketplace.sellers.all()
  await upstream.received(1)
  const closed = marketplace.close()
  await t.rejects(marketplace.sellers.all(), { code: 'VITRINE_UPSTREAM_UNREACHABLE', message: /closed/ })
  held.resolve(undefined)
  t.equal((await sellers).length, 30, 'including pages requested after close')
  await closed
})

t.test('close ends after the grace period, whatever the upstream does', async (t) => {
  const { upstream, marketplace } = await connect(t, { closeGraceMs: 50 })
  upstream.fail({ hang: 'at once' })
  const failure = failureOf(marketplace.sellers.all())
  await upstream.received(1)
  await marketplace.close()
  t.match(await failure, { code: 'VITRINE_UPSTREAM_UNREACHABLE', message: /closed/ })
  t.equal(await upstream.requests[0]?.answered, false)
  await marketplace.close()
  t.pass('closing again has no effect')
})

t.test('close closes idle connections', async (t) => {
  const server = createHttpServer({ keepAliveTimeout: 0 }, (_, response) => {
    response.setHeader('keep-alive', 'timeout=600').end(JSON.stringify(page))
  })
  server.listen(0, '127.0.0.1')
  const connected = once(server, 'connection')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number } // a listening TCP server has a port
  const { marketplace } = await connect(t, { url: `http://127.0.0.1:${port}` })
  await marketplace.sellers.all()
  const [socket] = await connected
  const cut = once(socket, 'close')
  await marketplace.close()
  await cut
  t.ok(socket.destroyed)
})
