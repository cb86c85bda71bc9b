import t from 'tap'
import { startApp } from '../../harness/app.js'

const environment = { PURGE_TOKEN: 'correct-horse-battery', RATE_LIMIT_MAX: '600' }

t.test('the rate limit counts every request to an operator route, also one that is refused', async (t) => {
  const { app } = await startApp(t, { environment })
  const requests = [
    ['GET', '/ops/cache', 401],
    ['GET', '/ops/cache/live', 303],
    ['GET', '/ops/cache/purge?kind=tag&name=sellers', 303],
    ['GET', '/ops/cache/purge/confirmed', 303],
    ['POST', '/ops/cache/purge', 401],
    ['POST', '/ops/cache/purge/confirmed', 401],
    ['POST', '/ops/cache/session/end', 401],
    ['GET', '/ops/nothing', 404],
  ] as const
  for (const [n, [method, url, status]] of requests.entries()) {
    const { statusCode, headers } = await app.inject({ method, url })
    t.strictSame([statusCode, headers['x-ratelimit-remaining']], [status, String(599 - n)], `${method} ${url}`)
  }
})

t.test('a form is refused before its body is read', async (t) => {
  const { app } = await startApp(t, { environment })
  for (const url of ['/ops/cache/purge/confirmed', '/ops/cache/session/end']) {
    const headers = { 'content-type': 'application/json' }
    t.equal((await app.inject({ method: 'POST', url, headers, payload: '{' })).statusCode, 401, url)
  }
})

t.test('monitors may send any token: it is not compared, and does not count as a guess', async (t) => {
  const { app } = await startApp(t, { environment })
  for (const url of ['/healthz', '/readyz', '/metrics']) {
    for (let n = 0; n < 10; n += 1) {
      const { statusCode } = await app.inject({ url, headers: { authorization: `Bearer ${url}${n}` } })
      t.equal(statusCode, 200, url)
    }
  }
  const { statusCode } = await app.inject({
    url: '/ops/cache',
    headers: { authorization: `Bearer ${environment.PURGE_TOKEN}` },
  })
  t.equal(statusCode, 200)
})
