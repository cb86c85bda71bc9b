import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { startApp } from '../../harness/app.js'
import type { LogLine } from '../../harness/log.js'
import { startRedis } from '../../harness/redis-server.js'
import { until } from '../../harness/until.js'
import { makeCatalogs, makeSellers } from '../../harness/upstream.js'

const token = 'open-sesame'
const environment = { PURGE_TOKEN: token }
const data = () => ({ sellers: makeSellers(3), catalogs: makeCatalogs({ sellerId: 1, count: 3 }) })
const sellersApi = '/api/v1/sellers'
const catalogsApi = '/api/v1/sellers/1/catalogs'

function purge(app: FastifyInstance, payload: object | string, authorization = `Bearer ${token}`) {
  const headers = { authorization, 'content-type': 'application/json' }
  return app.inject({ method: 'POST', url: '/ops/cache/purge', headers, payload })
}

t.test('after a purge the next read of the purged entries loads again, and no other read does', async (t) => {
  const { app, upstream, book } = await startApp(t, { environment, upstream: data() })
  for (const [request, url, other] of [
    [{ tags: ['sellers'] }, sellersApi, catalogsApi],
    [{ keys: ['sellers_all'] }, sellersApi, catalogsApi],
    [{ tags: ['catalogs'] }, catalogsApi, sellersApi],
    [{ tags: ['seller:1'] }, catalogsApi, sellersApi],
  ] as const) {
    for (const path of [url, other]) t.equal((await app.inject(path)).statusCode, 200)
    upstream.reset()
    const answer = await purge(app, request)
    t.equal(answer.statusCode, 200)
    const purged = { tags: [], keys: [], ...request }
    t.strictSame(answer.json(), { purged, queued: { tags: [], keys: [] }, hard: false })
    await app.inject(other)
    t.equal(upstream.requests.length, 0)
    await app.inject(url)
    t.equal(upstream.requests.length, 1, JSON.stringify(request))
    const isLogged = ({ msg, tags, keys }: LogLine) =>
      msg === 'cache purged' && isDeepStrictEqual({ tags, keys }, purged)
    t.match(await book.until(isLogged), { level: 30, hard: false })
    t.notOk(JSON.stringify(book.lines).includes(token))
  }
})

t.test('while the upstream fails, the stale list is served after a soft purge and not after a hard one', async (t) => {
  for (const hard of [false, true]) {
    const { app, upstream } = await startApp(t, { environment, upstream: data() })
    await app.inject(sellersApi)
    upstream.fail({ status: 500 })
    t.equal((await purge(app, { tags: ['sellers'], hard })).statusCode, 200)
    const answer = await app.inject(sellersApi)
    t.equal(answer.statusCode, hard ? 502 : 200)
    if (!hard) t.equal(answer.json().stale, true)
  }
})

t.test('a purge while Redis is down is a 202, and reaches other processes when Redis is back', async (t) => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const shared = { ...environment, REDIS_URL: redis.url }
  const { app, upstream } = await startApp(t, { environment: shared, upstream: data() })
  const another = await startApp(t, { environment: { ...shared, UPSTREAM_URL: upstream.url }, upstream })
  for (const one of [app, another.app]) await one.inject(sellersApi)
  await redis.kill()
  const answer = await purge(app, { tags: ['sellers'] })
  t.equal(answer.statusCode, 202)
  t.strictSame(answer.json().queued, { tags: ['sellers'], keys: [] })
  upstream.reset()
  await redis.start()
  const isLoadedAgain = async () => {
    await another.app.inject(sellersApi)
    return upstream.requests.length > 0
  }
  t.ok(await until(isLoadedAgain))
})

t.test('a missing or wrong token is a 401 before the body is read', async (t) => {
  const { app } = await startApp(t, { environment })
  for (const authorization of ['', 'Bearer', 'Bearer ', 'Bearer open', `Basic ${token}`, token, `Bearer ${token}x`]) {
    const answer = await purge(app, '{not json', authorization)
    t.equal(answer.statusCode, 401, authorization)
    t.equal(answer.headers['www-authenticate'], 'Bearer')
    t.match(answer.headers['content-type'], /^application\/problem\+json/)
  }
  t.equal((await purge(app, { tags: ['a'] }, `bEARER ${token}`)).statusCode, 200, 'the scheme is case-insensitive')
})

t.test('an invalid request is a 400 that names the field', async (t) => {
  const { app } = await startApp(t, { environment })
  for (const [request, field] of [
    [{}, 'body'],
    [{ tags: [], keys: [] }, 'body'],
    [{ tag: ['sellers'] }, 'tag'],
    [{ tags: 'sellers' }, 'tags'],
    [{ tags: [1] }, 'tags.0'],
    [{ tags: [''] }, 'tags.0'],
    [{ tags: ['*'] }, 'tags.0'],
    [{ tags: ['a b'] }, 'tags.0'],
    [{ tags: ['x'.repeat(129)] }, 'tags.0'],
    [{ tags: ['🙂'.repeat(65)] }, 'tags.0'],
    [{ tags: Array(257).fill('a') }, 'tags'],
    [{ keys: [''] }, 'keys.0'],
    [{ keys: ['x'.repeat(513)] }, 'keys.0'],
    [{ keys: Array(257).fill('a') }, 'keys'],
    [{ tags: ['a'], hard: 'yes' }, 'hard'],
    [[], 'body'],
  ] as const) {
    const answer = await purge(app, request)
    t.equal(answer.statusCode, 400, JSON.stringify(request).slice(0, 60))
    t.equal(answer.json().errors[0].field, field)
  }
  t.equal((await purge(app, '{not json')).statusCode, 400)
  t.equal((await purge(app, { keys: ['x'.repeat(70_000)] })).statusCode, 413)
})

t.test('the detail of a 400 says what the request must have', async (t) => {
  const { app } = await startApp(t, { environment })
  const tagRule = 'must be 1 to 128 characters without white space, and not *'
  for (const [request, detail] of [
    [{}, 'must have at least one tag or key'],
    [{ tags: ['a b'] }, tagRule],
    [{ tags: ['*'] }, tagRule],
    [{ keys: [''] }, 'must be 1 to 512 characters'],
    [{ tags: [1] }, 'must be string'],
  ] as const) {
    t.equal((await purge(app, request)).json().errors[0].detail, detail)
  }
})

t.test('without PURGE_TOKEN the route does not exist', async (t) => {
  const { app } = await startApp(t)
  t.equal((await purge(app, { tags: ['sellers'] })).statusCode, 404)
})
