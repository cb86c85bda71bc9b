import t, { type Test } from 'tap'
import { startApp } from '../../harness/app.js'
import { type CacheInFront, lifetimeIn } from '../../harness/caches-in-front.js'
import { connectRaw, listen } from '../../harness/raw-http.js'
import { makeSellers } from '../../harness/upstream.js'

const caches: readonly CacheInFront[] = ['fastly', 'surrogate', 'targeted', 'plain']
const token = 'open-sesame-for-tests'
const html = { accept: 'text/html' }

interface Row {
  readonly url: string
  readonly status: number
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'OPTIONS'
  readonly headers?: Readonly<Record<string, string>>
  /** Default: `private, no-store`. */
  readonly cacheControl?: string
}

const rows: readonly Row[] = [
  { url: '/healthz', status: 200 },
  { url: '/healthz', method: 'HEAD', status: 200 },
  { url: '/readyz', status: 200 },
  { url: '/metrics', status: 200 },
  { url: '/docs/json', status: 200 },
  { url: '/ops/cache', status: 200, headers: html },
  { url: '/ops/cache/live', status: 303, headers: html },
  { url: '/ops/cache/session', status: 303, headers: html },
  { url: '/ops/cache/unknown', status: 404 },
  { url: '/ops/cache/purge', method: 'POST', status: 401 },
  { url: '/unknown', status: 404 },
  { url: '/unknown', status: 404, headers: html },
  { url: '/unknown', method: 'HEAD', status: 404 },
  { url: '/unknown', method: 'POST', status: 404 },
  { url: '/sellers', method: 'OPTIONS', status: 404 },
  { url: '/%zz', status: 404 },
  { url: '/panels/unknown', status: 404, headers: html },
  { url: '/assets/unknown.css', status: 404 },
  { url: '/assets/vitrine.css?v=0000000000', status: 200 },
  { url: '/api/unknown', status: 404 },
  { url: `/api/v1/sellers/${'x'.repeat(300)}/catalogs`, status: 400, cacheControl: 'private, no-cache' },
  { url: '/api/v1/sellers?page=none', status: 400 },
  { url: '/?page=none', status: 400, headers: html },
  { url: '/?page=none', status: 400, headers: { ...html, 'hx-request': 'true' } },
]

async function check(t: Test, app: Awaited<ReturnType<typeof startApp>>['app'], row: Row): Promise<void> {
  const { url, method = 'GET', status, headers = {}, cacheControl = 'private, no-store' } = row
  const response = await app.inject({ url, method, headers })
  const title = `${method} ${url} ${JSON.stringify(headers)}`
  t.equal(response.statusCode, status, title)
  t.equal(response.headers['cache-control'], cacheControl, title)
  for (const cache of caches) t.equal(lifetimeIn(cache, response.headers), undefined, `${cache}: ${title}`)
}

t.test('no cache stores a response that the edge has not stored', async (t) => {
  const { app } = await startApp(t, { upstream: { sellers: makeSellers(1) }, environment: { PURGE_TOKEN: token } })
  for (const row of rows) await check(t, app, row)
})

t.test('no cache stores that a client has sent too many requests, or that the marketplace has failed', async (t) => {
  const { app, upstream } = await startApp(t, { environment: { RATE_LIMIT_MAX: '2' } })
  upstream.fail({ status: 500 })
  for (const status of [502, 502, 429]) {
    const { statusCode, headers } = await app.inject('/api/v1/sellers')
    t.equal(statusCode, status)
    for (const cache of caches) t.equal(lifetimeIn(cache, headers), undefined, `${cache}: ${status}`)
  }
})

t.test('no cache stores that a request is invalid', async (t) => {
  const { app } = await startApp(t)
  const client = await connectRaw(t, await listen(app))
  client.write('GET / HTTP/9\r\n\r\n')
  const { status, fields } = await client.response()
  t.strictSame([status, fields['cache-control']], [400, 'private, no-store'])
})
