import t from 'tap'
import { browse } from '../../harness/browse.js'
import { lifetimeIn, staleWindowIn } from '../../harness/caches-in-front.js'
import { createClock } from '../../harness/clock.js'
import { makeCatalogs, makeSellers } from '../../harness/upstream.js'

// How the edge caches the panels and the JSON API.

const addresses = ['/', '/panels/sellers?page=2', '/api/v1/sellers', '/api/v1/sellers/7/catalogs']

t.test('a hit has the same bytes as the first response', async (t) => {
  const { open: get } = await browse(t)
  await get('/api/v1/sellers')
  for (const url of [...addresses, '/panels/sellers/7/events']) {
    await get(url) // loads the data of the panel next to it, too
    const [first, second] = [await get(url), await get(url)]
    t.match(second.headers['cache-status'], /^Vitrine; hit; ttl=\d+$/, url)
    t.equal(second.body, first.body)
    t.match(second.headers, { etag: first.headers.etag, age: /^\d+$/, 'cdn-cache-control': /^max-age=\d+, stale-/ })
    t.match(second.headers['surrogate-key'], /sellers|catalogs seller:7/)
    t.equal((await get(url, { 'if-none-match': String(first.headers.etag) })).statusCode, 304)
  }
})

t.test('a hit has the headers of its own request and the security headers', async (t) => {
  const { open: get } = await browse(t)
  const first = await get('/', { 'x-request-id': 'one' })
  const second = await get('/', { 'x-request-id': 'two' })
  t.match(second.headers['cache-status'], /hit/)
  t.equal(second.headers['x-request-id'], 'two')
  for (const name of ['content-security-policy', 'x-content-type-options', 'referrer-policy']) {
    t.ok(second.headers[name])
    t.equal(second.headers[name], first.headers[name], name)
  }
})

t.test('unknown parameters, their order and cookies do not change the key', async (t) => {
  const { open: get } = await browse(t)
  await get('/api/v1/sellers?page=2&page_size=10')
  const alike = await get('/api/v1/sellers?utm_source=mail&page_size=10&page=2', { cookie: 'a=b', host: 'elsewhere' })
  t.match(alike.headers['cache-status'], /hit/)
  t.match((await get('/api/v1/sellers?page=1&page_size=20')).headers['cache-status'], /fwd=uri-miss/)
  t.match((await get('/api/v1/sellers')).headers['cache-status'], /hit/, 'explicit defaults')
})

t.test('pages, fragments and restored pages are separate variants', async (t) => {
  const { open: get } = await browse(t)
  const requests = [{}, { 'hx-request': 'true' }, { 'hx-request': 'true', 'hx-history-restore-request': 'true' }]
  const first = [await get('/'), await get('/', requests[1]), await get('/', requests[2])]
  for (const [index, headers] of requests.entries()) {
    const { headers: fields, body } = await get('/', headers)
    t.match(fields['cache-status'], /hit/)
    const vary = String(fields.vary).toLowerCase().split(', ')
    t.ok(vary.includes('hx-request') && vary.includes('hx-history-restore-request'), `Vary: ${fields.vary}`)
    t.equal(body, first[index]?.body)
  }
  t.not(first[0]?.body, first[1]?.body)
  t.match((await get('/', { 'hx-request': 'nonsense' })).headers['cache-status'], /hit/, 'other values are ignored')
})

t.test('a request with a filter is neither stored nor answered from the cache', async (t) => {
  const { open: get, upstream } = await browse(t)
  for (const url of [
    '/api/v1/sellers?name=Seller',
    '/api/v1/sellers?customer_display_id=C-1',
    '/api/v1/sellers/7/catalogs?title=a',
    '/panels/sellers?name=Seller',
    '/panels/sellers/7/events?title=a',
    '/panels/sellers/7/events?list_name=Seller',
  ]) {
    for (let count = 0; count < 2; count += 1) {
      upstream.reset()
      const { headers } = await get(url)
      t.match(headers['cache-status'], /^Vitrine; fwd=bypass; fwd-status=200/, url)
      t.ok(upstream.requests.length > 0, 'the upstream receives a request')
    }
  }
  t.match((await get('/api/v1/sellers?name=%20')).headers['cache-status'], /fwd=uri-miss/, 'blank is no filter')
})

t.test('a purge removes the responses rendered from the purged entries, and no others', async (t) => {
  const { app, open: get, upstream } = await browse(t)
  for (const url of addresses) await get(url)
  await get('/api/v1/sellers/7/catalogs')
  const [first] = upstream.sellers
  t.ok(first)
  if (first !== undefined) first.name = 'Another name'
  await app.cache.purge({ tags: ['sellers'] })
  t.match((await get('/')).body, /Another name/)
  t.match((await get('/api/v1/sellers')).json(), { items: [{ name: 'Another name' }] })
  t.match((await get('/panels/sellers?page=2')).headers['cache-status'], /fwd=stale/)
  t.match((await get('/api/v1/sellers?page=2')).headers['cache-status'], /fwd=uri-miss/)
})

t.test('unchanged data have the same ETag after a reload', async (t) => {
  const { app, open: get, upstream } = await browse(t)
  const { etag } = (await get('/')).headers
  await app.cache.purge({ tags: ['sellers'] })
  upstream.reset()
  const again = await get('/', { 'if-none-match': String(etag) })
  t.equal(again.statusCode, 304)
  t.ok(upstream.requests.length > 0, 'the upstream received requests')
})

t.test('a response is not served after the midnight that ends its data', async (t) => {
  const clock = createClock('2030-03-10T23:59:00Z')
  const catalogs = makeCatalogs({ sellerId: 7, count: 3, startDate: (index) => `2030-03-${10 + index}` })
  const { open: get } = await browse(t, { now: clock.now, upstream: { sellers: makeSellers(9), catalogs } })
  await get('/api/v1/sellers')
  const urls = ['/api/v1/sellers/7/catalogs', '/panels/sellers/7/events']
  for (const url of urls) {
    await get(url)
    const { headers } = await get(url)
    t.match(headers, { 'cache-status': /hit; ttl=60/, 'cdn-cache-control': 'max-age=60' }, 'until midnight')
  }
  clock.step(61)
  for (const url of urls) {
    const { headers, body } = await get(url)
    t.notMatch(headers['cache-status'], /hit/)
    t.notMatch(body, /Sale 0001/)
    t.match(body, /Sale 0002/)
  }
})

t.test('caches in front may serve pages stale as long as the data may be, catalogs never after midnight', async (t) => {
  const untilMidnight = (instant: number) => Date.parse('2030-03-11T00:00:00Z') - instant
  const environment = { CATALOG_TIME_ZONE: 'UTC' }
  for (const start of [
    '2030-03-10T12:00:00Z',
    '2030-03-10T23:50:00Z',
    '2030-03-10T23:54:30Z',
    '2030-03-10T23:59:00Z',
  ]) {
    const clock = createClock(start)
    const catalogs = makeCatalogs({ sellerId: 7, count: 3, startDate: (index) => `2030-03-${10 + index}` })
    const upstream = { sellers: makeSellers(9), catalogs }
    const { open: get } = await browse(t, { now: clock.now, upstream, environment })
    for (const url of ['/api/v1/sellers', '/api/v1/sellers/7/catalogs', '/panels/sellers/7/events', '/?seller_id=7']) {
      await get(url)
      const { headers } = await get(url)
      for (const front of ['fastly', 'targeted'] as const) {
        const lifetime = lifetimeIn(front, headers) ?? 0
        const windows = ['stale-while-revalidate', 'stale-if-error'].map((name) => staleWindowIn(front, headers, name))
        const remainingMs = untilMidnight(clock.now())
        if (url === '/api/v1/sellers') {
          t.strictSame([lifetime, ...windows], [300, 60, 86_400], `${url} at ${start}`)
        } else {
          for (const window of windows) t.ok((lifetime + window) * 1_000 <= remainingMs, `${url} at ${start}`)
          if (start.includes('T12')) t.equal(windows[0], 60, 'by day they have the windows of the data')
        }
      }
    }
  }
})

t.test('a stale response says so and is cached for two seconds', async (t) => {
  const clock = createClock()
  const { open: get, upstream } = await browse(t, { now: clock.now, environment: { CACHE_TTL_SECONDS: '60' } })
  await get('/api/v1/sellers')
  clock.step(200) // after the stale-while-revalidate window
  upstream.fail({ status: 500 })
  for (const status of [/fwd=(?:stale|uri-miss).*ttl=2; stored/, /; hit; ttl=2/]) {
    const answer = await get('/api/v1/sellers')
    t.match(answer.json(), { stale: true })
    t.match(answer.headers, { 'cache-control': 'max-age=2', 'cdn-cache-control': 'max-age=2', 'cache-status': status })
  }
  upstream.heal()
  clock.step(6) // past the back-off of loads
  t.notOk((await get('/api/v1/sellers')).json().stale)
})

t.test('the rate limit counts hits', async (t) => {
  const { open: get } = await browse(t, { environment: { RATE_LIMIT_MAX: '3' } })
  const statuses = []
  for (let count = 0; count < 4; count += 1) statuses.push((await get('/')).statusCode)
  t.strictSame(statuses, [200, 200, 200, 429])
})

t.test('a hundred concurrent requests for a page render it once', async (t) => {
  const { app, open: get, upstream } = await browse(t)
  const answers = await Promise.all(Array.from({ length: 100 }, () => get('/panels/sellers?page=3')))
  t.strictSame([...new Set(answers.map(({ body }) => body))].length, 1)
  t.equal(upstream.requests.length, 1)
  t.match(app.edge.stats().requests, { 'uri-miss': 1, collapsed: 99 })
})

t.test('a page with a failed panel is not cacheable', async (t) => {
  for (const [failing, urls] of [
    ['/catalogs', ['/?seller_id=7', '/panels/sellers?seller_id=7', '/panels/sellers/7/events']],
    ['/sellers', ['/panels/sellers/7/events']],
  ] as const) {
    for (const url of urls) {
      const clock = createClock()
      const { open: get, upstream } = await browse(t, { now: clock.now })
      upstream.fail(({ path }) => (path === failing ? { status: 500 } : undefined))
      const first = await get(url, { 'x-request-id': 'call.of.the.first.client' })
      t.match(first.body, /Error 502/, `${url} without ${failing}`)
      t.match(first.headers, { 'cache-control': 'no-store', 'cache-status': /; fwd=uri-miss(?!.*stored)/ })
      t.notMatch(first.headers['cdn-cache-control'] ?? 'no-store', 'max-age')
      const during = await get(url)
      t.notMatch(during.body, /call\.of\.the\.first\.client/)
      t.notMatch(during.headers['cache-status'], /hit/)
      upstream.fail(() => undefined)
      clock.step(5) // after the error cache
      const after = await get(url)
      t.notMatch(after.body, /Error 502|call\.of\.the\.first\.client/)
      t.match(after.body, /Sale 0001/)
    }
  }
})
