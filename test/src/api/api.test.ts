import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TSchema } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { startApp } from '../../harness/app.js'
import { createClock } from '../../harness/clock.js'
import { makeCatalogs, makeSellers } from '../../harness/upstream.js'

// All routes: invalid input, errors, security headers, rate limit, API description.

const data = () => ({ sellers: makeSellers(45), catalogs: makeCatalogs({ sellerId: 1, count: 30 }) })

const sellersApi = '/api/v1/sellers'
const catalogsApi = '/api/v1/sellers/1/catalogs'
const sellersPanel = '/panels/sellers'
const eventsPanel = '/panels/sellers/1/events'

/** Routes with their page parameters, then their filters. */
const lists: [path: string, prefixes: string[], filters: string[]][] = [
  [sellersApi, [''], ['name', 'customer_display_id']],
  [catalogsApi, [''], ['title']],
  ['/', [''], ['name', 'customer_display_id']],
  [sellersPanel, [''], ['name', 'customer_display_id']],
  [eventsPanel, ['', 'list_'], ['title', 'list_name', 'list_customer_display_id']],
]

/** Asserts an error response: problem+json from the API, a page with the same status from the panels. */
function isRefusal(t: Test, response: LightMyRequestResponse, path: string, field: string): void {
  t.equal(response.statusCode, 400)
  if (!path.startsWith('/api/')) {
    t.match(response.headers['content-type'], /^text\/html/)
    t.ok(response.body.includes(`<code>${field}</code>`), `the page names ${field}`)
    return
  }
  t.match(response.headers['content-type'], /^application\/problem\+json/)
  const { request_id, detail, errors, ...rest } = response.json()
  t.strictSame(rest, { type: 'about:blank', title: 'Bad Request', status: 400, code: 'VITRINE_INVALID_REQUEST' })
  t.ok(typeof request_id === 'string' && request_id !== '')
  t.strictSame(new Set(errors.map((error: { field: string }) => error.field)), new Set([field]))
  t.ok(detail.startsWith(`${field} `), detail)
}

t.test('a page that is not one integer of at least 1 in plain digits is a 400 that names it', async (t) => {
  const wrong = ['0', '-1', '-0', 'abc', '1.5', '1.0', '1e1', '0x10', '', '%201', '1%20', '+1', '1,000', '１', '1%00']
  const { app, upstream } = await startApp(t, { upstream: data() })
  for (const [path, prefixes] of lists) {
    for (const field of prefixes.map((prefix) => `${prefix}page`)) {
      const queries = [...wrong, '99999999999999999999', 'Infinity', 'null'].map((value) => `${field}=${value}`)
      for (const query of [...queries, `${field}=1&${field}=2`, `${field}=1&${field}=1`]) {
        await t.test(`${path}?${query}`, async (t) => isRefusal(t, await app.inject(`${path}?${query}`), path, field))
      }
    }
  }
  t.equal(upstream.requests.length, 0, 'the upstream receives none of them')
})

t.test('a page_size that is not an integer from 1 to 100 is a 400 that names it', async (t) => {
  const wrong = ['0', '-1', '101', '500', 'abc', '1.5', '1e1', '0x10', '', '%2020', '99999999999999999999']
  const { app, upstream } = await startApp(t, { upstream: data() })
  for (const [path, prefixes] of lists) {
    for (const field of prefixes.map((prefix) => `${prefix}page_size`)) {
      for (const query of [...wrong.map((value) => `${field}=${value}`), `${field}=20&${field}=20`]) {
        await t.test(`${path}?${query}`, async (t) => isRefusal(t, await app.inject(`${path}?${query}`), path, field))
      }
    }
  }
  t.equal(upstream.requests.length, 0)
})

t.test('1 and 100 are valid page sizes, and 20 is the default', async (t) => {
  const { app } = await startApp(t, { upstream: data() })
  for (const path of [sellersApi, catalogsApi]) {
    for (const [query, size] of [
      ['', 20],
      ['?page_size=1', 1],
      ['?page_size=100', 100],
    ] as const) {
      t.match((await app.inject(`${path}${query}`)).json(), { page: 1, page_size: size }, `${path}${query}`)
    }
  }
})

t.test('a filter that is longer than 200 characters or repeated is a 400 that names it', async (t) => {
  const { app, upstream } = await startApp(t, { upstream: data() })
  for (const [path, , filters] of lists) {
    for (const field of filters) {
      for (const [what, query] of [
        ['too long', `${field}=${'x'.repeat(201)}`],
        ['far too long', `${field}=${'x'.repeat(10_000)}`],
        ['twice', `${field}=a&${field}=b`],
        ['twice, once blank', `${field}=&${field}=b`],
      ] as const) {
        await t.test(`${path}, ${field} ${what}`, async (t) => {
          isRefusal(t, await app.inject(`${path}?${query}`), path, field)
        })
      }
    }
  }
  t.equal(upstream.requests.length, 0)
})

t.test('a seller_id that is empty, too long or has other characters is a 400 that names it', async (t) => {
  const wrong = [
    '',
    '%20',
    'a%20b',
    'a.b',
    '..%2F..',
    'a%2Fb',
    'a%5Cb',
    'a%00b',
    'a%0Ab',
    'a%0D%0Ab',
    'a:b',
    'a*',
    '%7Ba%7D',
    '%3Cscript%3E',
    'a%27b',
    'a%22b',
    'caf%C3%A9',
    '%EF%BC%91',
    '%F0%9F%99%82',
    'a%25',
    'a'.repeat(65),
    'a'.repeat(2_000),
  ]
  const { app, upstream } = await startApp(t, { upstream: data() })
  for (const id of wrong) {
    for (const path of [`/api/v1/sellers/${id}/catalogs`, `/panels/sellers/${id}/events`]) {
      await t.test(path.slice(0, 80), async (t) => isRefusal(t, await app.inject(path), path, 'seller_id'))
    }
    for (const path of [`/?seller_id=${id}`, `/panels/sellers?seller_id=${id}`]) {
      await t.test(path.slice(0, 80), async (t) => isRefusal(t, await app.inject(path), path, 'seller_id'))
    }
  }
  t.equal(upstream.requests.length, 0)
})

t.test('a seller_id has up to 64 letters, digits, _ and -', async (t) => {
  const { app } = await startApp(t)
  for (const id of ['1', '-', '_', 'aZ09_-', '00', 'a'.repeat(64)]) {
    t.equal((await app.inject(`/api/v1/sellers/${id}/catalogs`)).statusCode, 200, id)
    t.equal((await app.inject(`/panels/sellers/${id}/events`)).statusCode, 200, id)
  }
})

t.test('all invalid parameters are reported at once', async (t) => {
  const { app } = await startApp(t)
  const { errors, detail } = (await app.inject(`${catalogsApi}?page=0&page_size=x&title=a&title=b`)).json()
  const fields = errors.map(({ field }: { field: string }) => field)
  t.strictSame(fields.sort(), ['page', 'page_size', 'title'])
  for (const field of fields) t.ok(detail.includes(`${field} must`), detail)
})

t.test('a rejected request is logged at info level with its request id', async (t) => {
  const { app, book } = await startApp(t)
  const { request_id } = (await app.inject(`${sellersApi}?page=0`)).json()
  const line = await book.until(({ reqId }) => reqId === request_id)
  t.match(line, { level: 30, status: 400, route: '/api/v1/sellers' })
})

t.test('a path that cannot be decoded is a 400', async (t) => {
  const { app } = await startApp(t)
  const api = await app.inject('/api/v1/sellers/%zz/catalogs')
  t.equal(api.statusCode, 400)
  t.match(api.headers['content-type'], /^application\/problem\+json/)
  t.match(api.json(), { type: 'about:blank', title: 'Bad Request', status: 400, request_id: String })
  t.ok('content-security-policy' in api.headers, 'with the headers of all responses')

  const panel = await app.inject('/panels/sellers/%zz/events')
  t.equal(panel.statusCode, 400)
  t.match(panel.headers['content-type'], /^text\/html/)
})

t.test('every response has the request id of the log', async (t) => {
  const { app } = await startApp(t, { upstream: data() })
  for (const url of ['/', sellersApi, '/nowhere', `${sellersApi}?page=0`, '/healthz']) {
    const given = await app.inject({ url, headers: { 'x-request-id': 'mobile-42' } })
    t.equal(given.headers['x-request-id'], 'mobile-42', url)
    const generated = await app.inject({ url, headers: { 'x-request-id': 'not<harmless>' } })
    t.match(generated.headers['x-request-id'], /^[\da-f-]{36}$/, url)
  }
})

t.test('bytes that are not an HTTP request get a problem, and the connection is closed', async (t) => {
  const { app } = await startApp(t)
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  for (const [request, status] of [
    ['NONSENSE / HTTP/1.1\r\n\r\n', '400 Bad Request'],
    [`GET /?${'x'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, '431 Request Header Fields Too Large'],
  ]) {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(request ?? ''))
    const [head, body] = (await text(socket)).split('\r\n\r\n')
    t.match(head, `HTTP/1.1 ${status}`)
    t.match(head, 'content-type: application/problem+json')
    t.match(JSON.parse(body ?? ''), { type: 'about:blank', status: Number.parseInt(status ?? '', 10) })
  }
})

t.test('an unknown resource is a 404 problem for every method', async (t) => {
  const { app, upstream } = await startApp(t, { upstream: data() })
  const cases: [method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH', path: string][] = [
    ['GET', '/api'],
    ['GET', '/api/v1'],
    ['GET', '/api/v1/'],
    ['GET', '/api/v1/buyers'],
    ['GET', '/api/v2/sellers'],
    ['GET', '/api/v1/sellers/'],
    ['GET', '/api/v1/sellers/1'],
    ['GET', '/api/v1/sellers/1/catalogs/2'],
    ['GET', '/API/V1/SELLERS'],
    ['GET', '/nothing?page=1'],
    ['POST', sellersApi],
    ['POST', catalogsApi],
    ['PUT', sellersApi],
    ['PATCH', sellersApi],
    ['DELETE', catalogsApi],
    ['POST', '/healthz'],
    ['POST', '/docs/json'],
  ]
  for (const [method, path] of cases) {
    await t.test(`${method} ${path}`, async (t) => {
      const response = await app.inject({ method, url: path })
      t.equal(response.statusCode, 404)
      t.match(response.headers['content-type'], /^application\/problem\+json/)
      const { detail, request_id, ...rest } = response.json()
      t.strictSame(rest, { type: 'about:blank', title: 'Not Found', status: 404 })
      t.ok(detail.includes(path.split('?')[0] ?? ''), detail)
      t.ok(request_id)
    })
  }
  const withBody = await app.inject({ method: 'POST', url: sellersApi, payload: { name: 'x' } })
  t.equal(withBody.statusCode, 404, 'also with a body')
  t.equal(upstream.requests.length, 0)
})

t.test('an unknown path is an HTML page for browsers', async (t) => {
  const { app } = await startApp(t)
  for (const [url, headers] of [
    ['/nothing', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }],
    ['/panels/nothing', {}],
    ['/panels/sellers/1', {}],
  ] as const) {
    const response = await app.inject({ url, headers })
    t.equal(response.statusCode, 404, url)
    t.match(response.headers['content-type'], /^text\/html/)
    t.match(response.body, /Error 404/)
  }
  const post = await app.inject({ method: 'POST', url: sellersPanel })
  t.equal(post.statusCode, 404)
  t.match(post.headers['content-type'], /^text\/html/)
})

t.test('an error page links to our own origin only', async (t) => {
  const { app } = await startApp(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  for (const path of ['//evil.example/', '//evil.example/panels', '/\\evil.example/', '/panels//evil.example/?x=1']) {
    const html = await new Promise<string>((resolve, reject) => {
      const call = request({ port, path, headers: { accept: 'text/html' } }, (response) => {
        response
          .setEncoding('utf8')
          .toArray()
          .then((chunks) => resolve(chunks.join('')), reject)
      })
      call.on('error', reject).end()
    })
    const links = [...html.matchAll(/\shref="([^"]*)"/g)].map(([, href = '']) => href)
    t.ok(links.length > 0)
    t.strictSame(
      links.filter((href) => new URL(href, 'http://vitrine.example').origin !== 'http://vitrine.example'),
      [],
      path,
    )
  }
})

t.test('an upstream error is a problem with a code, and with Retry-After where a retry may help', async (t) => {
  const patient = await startApp(t)
  const impatient = await startApp(t, { environment: { UPSTREAM_TIMEOUT_MS: '50' } })
  for (const [{ app, upstream }, fault, status, title, retryAfter] of [
    [patient, { status: 500 }, 502, 'Bad Gateway', undefined],
    [patient, { destroy: 'at once' }, 503, 'Service Unavailable', '5'],
    [impatient, { hang: 'at once' }, 504, 'Gateway Timeout', '5'],
  ] as const) {
    upstream.fail(fault)
    const response = await app.inject(`${sellersApi}?name=x`)
    t.equal(response.statusCode, status)
    t.match(response.headers['content-type'], /^application\/problem\+json/)
    t.equal(response.headers['retry-after'], retryAfter)
    const { detail, request_id, code, ...rest } = response.json()
    t.strictSame(rest, { type: 'about:blank', title, status })
    t.match(code, /^VITRINE_UPSTREAM_/)
    t.match(detail, /\/sellers/)
    t.notOk(
      detail.includes(upstream.url) || detail.includes('127.0.0.1'),
      'the address of the upstream is not revealed',
    )
    t.equal(upstream.requests.at(-1)?.headers['x-request-id'], request_id)
  }
})

t.test('a response has exactly the documented fields', async (t) => {
  const clock = createClock('2026-03-10T12:00:00Z')
  const { app, upstream } = await startApp(t, { now: clock.now, upstream: data() })
  t.strictSame((await app.inject(`${sellersApi}?page=5&page_size=9`)).json(), {
    items: [37, 38, 39, 40, 41, 42, 43, 44, 45].map((id) => ({
      id,
      name: `Seller 00${id}`,
      customer_display_id: id === 40 ? null : `C-00${id}`,
    })),
    page: 5,
    page_size: 9,
    pages: 5,
    total: 45,
  })
  t.strictSame((await app.inject(`${catalogsApi}?page=2&page_size=29`)).json(), {
    items: [{ id: '1-30', title: 'Sale 0030', customer_catalog_id: null, start_date: '2030-01-30' }],
    page: 2,
    page_size: 29,
    pages: 2,
    total: 30,
  })
  clock.step(400)
  upstream.fail({ status: 500 })
  for (const path of [sellersApi, catalogsApi]) {
    const { items, ...rest } = (await app.inject(`${path}?page_size=2`)).json()
    t.equal(items.length, 2)
    const total = path === sellersApi ? 45 : 30
    t.strictSame(rest, {
      page: 1,
      page_size: 2,
      pages: Math.ceil(total / 2),
      total,
      stale: true,
      as_of: '2026-03-10T12:00:00.000Z',
    })
  }
})

interface ApiDescription {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, { get?: Operation }>
  components: Record<string, unknown>
}

interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema: Record<string, unknown> }[]
  responses: Record<string, { content: Record<string, { schema: TSchema }> }>
}

t.test('the OpenAPI 3.1 description contains every route for programs', async (t) => {
  const { app } = await startApp(t)
  const response = await app.inject('/docs/json')
  t.equal(response.statusCode, 200)
  t.match(response.headers['content-type'], /^application\/json/)
  const { openapi, info, paths } = response.json<ApiDescription>()
  t.match(openapi, /^3\.1\.\d+$/)
  t.equal(info.title, 'Vitrine')
  for (const path of [sellersApi, '/api/v1/sellers/{seller_id}/catalogs', '/healthz', '/readyz']) {
    t.ok(paths[path]?.get !== undefined, path)
  }
  t.notOk(
    Object.keys(paths).some((path) => path === '/' || path.startsWith('/panels') || path.startsWith('/assets')),
    'without the HTML pages',
  )
  t.strictSame(
    paths[sellersApi]?.get?.parameters?.map((parameter) => [parameter.in, parameter.name, parameter.required ?? false]),
    [
      ['query', 'page', false],
      ['query', 'page_size', false],
      ['query', 'name', false],
      ['query', 'customer_display_id', false],
      ['header', 'If-None-Match', false],
      ['header', 'x-request-id', false],
    ],
  )
  t.match(paths['/api/v1/sellers/{seller_id}/catalogs']?.get?.parameters, [
    { in: 'query', name: 'page', schema: { minimum: 1, default: 1 } },
    { in: 'query', name: 'page_size', schema: { minimum: 1, maximum: 100, default: 20 } },
    { in: 'query', name: 'title' },
    { in: 'path', name: 'seller_id', required: true, schema: { pattern: '^[A-Za-z0-9_-]{1,64}$' } },
  ])
  for (const path of [sellersApi, '/api/v1/sellers/{seller_id}/catalogs']) {
    const statuses = Object.keys(paths[path]?.get?.responses ?? {})
    t.strictSame(statuses, ['200', '304', '400', '429', '502', '503', '504'])
  }
})

t.test('every response matches the API description', async (t) => {
  const clock = createClock('2026-03-10T12:00:00Z')
  const { app, upstream } = await startApp(t, { now: clock.now, upstream: data() })
  const { paths, components } = (await app.inject('/docs/json')).json<ApiDescription>()
  const ajv = new Ajv({ strict: false, validateFormats: false })

  async function check(url: string, path: string, status: number): Promise<void> {
    const type = status === 200 ? 'application/json' : 'application/problem+json'
    const schema = paths[path]?.get?.responses[status]?.content[type]?.schema
    if (schema === undefined) throw new Error(`${path} does not describe ${status}`)
    const response = await app.inject(url)
    t.equal(response.statusCode, status, url)
    const isAsDescribed = ajv.compile({ ...schema, components })
    isAsDescribed(response.json())
    t.same(isAsDescribed.errors, null, `the ${status} of ${url}`)
  }

  const routes: [url: string, path: string][] = [
    [sellersApi, sellersApi],
    [catalogsApi, '/api/v1/sellers/{seller_id}/catalogs'],
  ]
  for (const [url, path] of routes) {
    await check(url, path, 200)
    await check(`${url}?page=0`, path, 400)
  }
  await check('/healthz', '/healthz', 200)
  await check('/readyz', '/readyz', 200)
  clock.step(400)
  upstream.fail({ status: 500 })
  for (const [url, path] of routes) await check(url, path, 200)
  await check(`${sellersApi}?name=x`, sellersApi, 502)
})

t.test('the API description has an HTML page', async (t) => {
  const { app } = await startApp(t)
  const response = await app.inject('/docs')
  const page = response.statusCode === 200 ? response : await app.inject(String(response.headers.location))
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], /^text\/html/)
  t.match(page.body, /<title>/)
})

t.test('health does not depend on the upstream', async (t) => {
  const { app, upstream } = await startApp(t)
  await upstream.close()
  const health = await app.inject('/healthz')
  t.equal(health.statusCode, 200)
  t.strictSame(health.json(), { status: 'ok' })
  const readiness = await app.inject('/readyz')
  t.equal(readiness.statusCode, 200)
  t.strictSame(readiness.json(), { status: 'ready', redis: 'none' })
})

t.test('without Redis the service is degraded and still ready', async (t) => {
  const { app } = await startApp(t, { environment: { REDIS_URL: 'redis://127.0.0.1:1' }, upstream: data() })
  t.equal((await app.inject(sellersApi)).statusCode, 200)
  const readiness = await app.inject('/readyz')
  t.equal(readiness.statusCode, 200)
  t.strictSame(readiness.json(), { status: 'degraded', redis: 'down' })
  t.equal((await app.inject('/healthz')).statusCode, 200)
})

t.test('without PURGE_TOKEN there is no purge route and no operator page', async (t) => {
  const { app } = await startApp(t)
  for (const [method, url] of [
    ['POST', '/ops/cache/purge'],
    ['GET', '/ops/cache'],
  ] as const) {
    for (const authorization of [undefined, 'Bearer ', 'Bearer undefined']) {
      const headers = authorization === undefined ? {} : { authorization }
      const response = await app.inject({ method, url, headers })
      t.equal(response.statusCode, 404, `${method} ${url} ${authorization}`)
      t.match(response.headers['content-type'], /^application\/problem\+json/)
    }
  }
})

t.test('every response has the security headers', async (t) => {
  const { app } = await startApp(t, { upstream: data() })
  for (const url of [
    sellersApi,
    catalogsApi,
    '/',
    sellersPanel,
    eventsPanel,
    `${sellersApi}?page=0`,
    `${sellersPanel}?page=0`,
    '/nothing',
    '/healthz',
    '/assets/vitrine.css',
    '/assets/htmx/htmx.min.js',
  ]) {
    await t.test(url, async (t) => {
      const { headers } = await app.inject(url)
      const policy = String(headers['content-security-policy'])
      t.notMatch(policy, /unsafe-|\*|https?:/)
      for (const directive of [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
      ]) {
        t.ok(policy.split(/;\s*/).includes(directive), directive)
      }
      t.equal(headers['x-content-type-options'], 'nosniff')
      t.ok(headers['referrer-policy'])
      t.notOk('x-powered-by' in headers)
      t.notOk('set-cookie' in headers)
    })
  }
})

t.test('over the rate limit the API responds with a problem and the panels with a page', async (t) => {
  const { app, upstream } = await startApp(t, { environment: { RATE_LIMIT_MAX: '3' }, upstream: data() })
  for (const [url, headers, type, remoteAddress] of [
    [sellersApi, {}, /^application\/problem\+json/, '10.0.0.1'],
    [sellersPanel, {}, /^text\/html/, '10.0.0.2'],
    [eventsPanel, { 'hx-request': 'true' }, /^text\/html/, '10.0.0.3'],
    ['/nothing', {}, /^application\/problem\+json/, '10.0.0.4'],
  ] as const) {
    await t.test(url, async (t) => {
      const ask = (url: string) => app.inject({ url, headers, remoteAddress })
      for (let count = 1; count <= 3; count += 1) t.not((await ask(url)).statusCode, 429)
      const requested = upstream.requests.length
      const response = await ask(`${url}?page=2&name=new`)
      t.equal(response.statusCode, 429)
      t.match(response.headers['content-type'], type)
      t.ok(Number(response.headers['retry-after']) > 0)
      t.equal(upstream.requests.length, requested, 'the upstream receives no request')
      if (url.startsWith('/panels')) t.match(response.body, /Error 429/)
      else t.match(response.json(), { title: 'Too Many Requests', status: 429, detail: String, request_id: String })
    })
  }
})

t.test('one limit covers all requests of a client, and no header changes the client', async (t) => {
  const { app } = await startApp(t, { environment: { RATE_LIMIT_MAX: '3' }, upstream: data() })
  for (const url of [sellersApi, catalogsApi, sellersPanel]) t.equal((await app.inject(url)).statusCode, 200)
  const headers = { 'x-forwarded-for': '10.0.0.9', forwarded: 'for=10.0.0.9', 'x-real-ip': '10.0.0.9' }
  t.equal((await app.inject({ url: sellersApi, headers })).statusCode, 429)
  t.equal(
    (await app.inject({ url: sellersApi, remoteAddress: '10.0.0.9' })).statusCode,
    200,
    'other clients have their own',
  )
})

t.test('health routes have no rate limit', async (t) => {
  const { app } = await startApp(t, { environment: { RATE_LIMIT_MAX: '1' } })
  await app.inject(sellersApi)
  t.equal((await app.inject(sellersApi)).statusCode, 429)
  for (const url of ['/healthz', '/readyz']) {
    for (let count = 0; count < 5; count += 1) t.equal((await app.inject(url)).statusCode, 200, url)
  }
})

t.test('a rate limit of 0 is no limit', async (t) => {
  const { app } = await startApp(t, { environment: { RATE_LIMIT_MAX: '0' }, upstream: { sellers: makeSellers(1) } })
  const statuses = new Set<number>()
  for (let count = 0; count <= 600; count += 1) statuses.add((await app.inject(sellersApi)).statusCode)
  t.strictSame([...statuses], [200])
})
