import { once } from 'node:events'
import { get } from 'node:http'
import { mock } from 'node:test'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { startApp, type TestAppOptions } from '../../../harness/app.js'
import { createClock, stopMonotonicClock } from '../../../harness/clock.js'
import { startRedis } from '../../../harness/redis-server.js'
import { until } from '../../../harness/until.js'
import { makeSellers } from '../../../harness/upstream.js'

// The operator page: access, statistics, inspecting keys, purging.

const token = 'open-sesame'
const html = { accept: 'text/html' }
const bearer = { authorization: `Bearer ${token}` }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

async function operate(t: Test, { environment, ...options }: TestAppOptions = {}) {
  const upstream = { sellers: makeSellers(3) }
  return startApp(t, { upstream, ...options, environment: { PURGE_TOKEN: token, ...environment } })
}

/** A browser that stores cookies. */
function browserOf(app: FastifyInstance) {
  const cookies = new Map<string, string>()
  const storeCookies = (answer: Awaited<ReturnType<typeof send>>) => {
    for (const { name, value } of answer.cookies) {
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }
  const headers = () => ({ ...html, cookie: [...cookies].map((pair) => pair.join('=')).join('; ') })
  const send = (url: string, fields?: Record<string, string>, more: Record<string, string> = {}) =>
    app.inject({
      url,
      headers: { ...headers(), ...(fields === undefined ? {} : form), ...more },
      ...(fields === undefined ? {} : { method: 'POST', payload: new URLSearchParams(fields).toString() }),
    })
  return {
    cookies,
    open: async (url: string, more?: Record<string, string>) => storeCookies(await send(url, undefined, more)),
    send: async (url: string, fields: Record<string, string>, more?: Record<string, string>) =>
      storeCookies(await send(url, fields, more)),
    signIn: async (given = token) => storeCookies(await send('/ops/cache/session', { token: given })),
  }
}

/** With a Redis server, and signed in. */
async function operateWithRedis(t: Test) {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const { app } = await operate(t, { environment: { REDIS_URL: redis.url } })
  const browser = browserOf(app)
  await browser.signIn()
  return { app, browser, redis }
}

function cookieHeader({ cookies }: { readonly cookies: ReadonlyMap<string, string> }): string {
  return [...cookies].map((pair) => pair.join('=')).join('; ')
}

function csrfIn(body: string): string {
  return /name="_csrf" value="([^"]+)"/.exec(body)?.[1] ?? ''
}

t.test('without PURGE_TOKEN there is no operator page', async (t) => {
  const { app } = await startApp(t)
  for (const url of ['/ops/cache', '/ops/cache/live', '/ops/cache/purge']) {
    for (const headers of [{}, html, bearer]) t.equal((await app.inject({ url, headers })).statusCode, 404, url)
  }
})

t.test('without a session only the sign-in form is shown', async (t) => {
  const { app } = await operate(t)
  const { statusCode, body, headers } = await app.inject({ url: '/ops/cache?key=sellers_all', headers: html })
  t.equal(statusCode, 200)
  t.match(body, /<form[^>]*action="\/ops\/cache\/session" method="post"/)
  t.notMatch(body, /id="explanation"|p99/)
  t.equal(headers['cache-control'], 'private, no-store')
  for (const url of ['/ops/cache/live', '/ops/cache/purge?kind=tag&name=sellers']) {
    const answer = await app.inject({ url, headers: html })
    t.strictSame([answer.statusCode, answer.headers.location], [303, '/ops/cache'])
  }
})

t.test('the token opens a session in a cookie that scripts cannot read and other sites cannot send', async (t) => {
  const { app, book } = await operate(t)
  const browser = browserOf(app)
  const answer = await browser.signIn()
  t.strictSame([answer.statusCode, answer.headers.location], [303, '/ops/cache'])
  const cookie = String(answer.headers['set-cookie'])
  for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/ops', 'Max-Age=28800']) t.match(cookie, part)
  t.notMatch(cookie, token)
  t.notMatch(cookie, 'Secure')
  t.match((await browser.open('/ops/cache')).body, /p99/)
  t.notOk(JSON.stringify(book.lines).includes(token), 'the token is not logged')
})

t.test('after signing in the requested key is shown, and GETs of form URLs redirect to the page', async (t) => {
  const { app } = await operate(t)
  const browser = browserOf(app)
  const signInPage = await browser.open('/ops/cache?key=a%26b')
  const key = /name="key" value="([^"]+)"/.exec(signInPage.body)?.[1]
  t.equal(key, 'a&amp;b')
  const wrong = await browser.send('/ops/cache/session', { token: 'wrong', key: 'a&b' })
  t.match(wrong.body, 'name="key" value="a&amp;b"', 'also after a wrong token')
  const answer = await browser.send('/ops/cache/session', { token, key: 'a&b' })
  t.strictSame([answer.statusCode, answer.headers.location], [303, '/ops/cache?key=a%26b'])
  for (const path of ['session', 'session/end', 'purge/confirmed']) {
    const { statusCode, headers } = await browser.open(`/ops/cache/${path}`)
    t.strictSame([statusCode, headers.location], [303, '/ops/cache'], path)
  }
})

t.test('a wrong token is rejected, opens no session, and is logged with the client address', async (t) => {
  const { app, book } = await operate(t)
  for (const given of ['', 'open-sesame ', 'Open-Sesame', 'x'.repeat(4_000)]) {
    const browser = browserOf(app)
    const answer = await browser.signIn(given)
    t.equal(answer.statusCode, 401)
    t.match(answer.body, /Invalid token\./)
    t.equal(browser.cookies.has('vitrine_operator'), false)
    t.notMatch((await browser.open('/ops/cache')).body, /p99/)
  }
  t.match(await book.until(({ msg }) => /wrong token/.test(String(msg))), { level: 30, address: '127.0.0.1' })
})

t.test('a token shorter than 16 characters is warned about', async (t) => {
  for (const [given, isWarned] of [
    ['open-sesame', true],
    ['f3c1b8a27d954e60', false],
  ] as const) {
    const { app, book } = await operate(t, { environment: { PURGE_TOKEN: given } })
    await app.ready()
    t.equal(
      book.lines.some(({ level, msg }) => level === 40 && /PURGE_TOKEN should have/.test(String(msg))),
      isWarned,
    )
  }
})

/** Sends tokens from an address: in the form, or as bearer tokens. */
const attempts = {
  'the sign-in form': (app: FastifyInstance, given: string, remoteAddress: string) =>
    app.inject({
      method: 'POST',
      url: '/ops/cache/session',
      headers: form,
      remoteAddress,
      payload: new URLSearchParams({ token: given }).toString(),
    }),
  'the purge endpoint': (app: FastifyInstance, given: string, remoteAddress: string) =>
    app.inject({
      method: 'POST',
      url: '/ops/cache/purge',
      headers: { authorization: `Bearer ${given}` },
      remoteAddress,
      payload: { tags: ['sellers'] },
    }),
  'the operator page': (app: FastifyInstance, given: string, remoteAddress: string) =>
    app.inject({ url: '/ops/cache', headers: { authorization: `Bearer ${given}` }, remoteAddress }),
}

t.test('one address can guess the token only slowly, and keeps no other from using it', async (t) => {
  for (const [place, attempt] of Object.entries(attempts)) {
    await t.test(place, async (t) => {
      const clock = stopMonotonicClock(t)
      const { app, book } = await operate(t) // without a rate limit
      for (let count = 0; count < 5; count += 1) {
        t.equal((await attempt(app, `guess-${count}`, '203.0.113.7')).statusCode, 401)
      }
      for (const given of ['guess-5', token]) {
        const { statusCode, headers } = await attempt(app, given, '203.0.113.7')
        t.strictSame([statusCode, headers['retry-after']], [429, '1'], 'whether it is right or wrong')
      }
      for (const remoteAddress of ['203.0.113.8', '2001:db8::1']) {
        t.ok((await attempt(app, token, remoteAddress)).statusCode < 400, remoteAddress)
      }
      clock.step(1_000)
      t.equal((await attempt(app, 'guess-6', '203.0.113.7')).statusCode, 401)
      clock.step(1_000)
      t.equal((await attempt(app, token, '203.0.113.7')).statusCode, 429)
      clock.step(1_000)
      t.ok((await attempt(app, token, '203.0.113.7')).statusCode < 400)
      t.equal((await attempt(app, 'guess-7', '203.0.113.7')).statusCode, 401, 'the right token resets the limit')
      t.notOk(JSON.stringify(book.lines).includes('guess-'), 'tokens are not logged')
      clock.release()
    })
  }
})

t.test('the form and bearer tokens share one limit, also for the addresses of an IPv6 /64', async (t) => {
  stopMonotonicClock(t)
  const { app } = await operate(t)
  const ways = Object.values(attempts)
  for (let count = 0; count < 6; count += 1) {
    const { statusCode } = await (ways[count % 3] ?? attempts['the sign-in form'])(
      app,
      `${count}`,
      `2001:db8::${count}`,
    )
    t.equal(statusCode, count < 5 ? 401 : 429)
  }
  t.ok((await attempts['the operator page'](app, token, '2001:db8:0:1::')).statusCode < 400)
})

t.test('a script with an old token does not lock out the others of its address', async (t) => {
  const { app } = await operate(t)
  for (let count = 0; count < 20; count += 1) {
    t.equal((await attempts['the operator page'](app, 'old-token', '203.0.113.7')).statusCode, 401)
  }
  t.equal((await attempts['the operator page'](app, token, '203.0.113.7')).statusCode, 200)
})

t.test('guesses from many addresses are reported, and refuse no other client', async (t) => {
  const { app, book } = await operate(t)
  for (let n = 0; n < 150; n += 1) await attempts['the sign-in form'](app, `guess-${n}`, `198.51.100.${n}`)
  const warnings = book.at(40).filter(({ msg }) => /many wrong operator tokens/.test(msg))
  t.equal(warnings.length, 1)
  t.equal((await attempts['the sign-in form'](app, token, '203.0.113.7')).statusCode, 303)
})

t.test(
  'a session ends after eight hours whatever the browser sends, when the token changes, and by signing out',
  async (t) => {
    const clock = createClock()
    const { app } = await operate(t, { now: clock.now })
    const browser = browserOf(app)
    await browser.signIn()
    clock.step(8 * 3_600 - 1)
    t.match((await browser.open('/ops/cache')).body, /p99/)
    clock.step(1)
    t.notMatch((await browser.open('/ops/cache')).body, /p99/)

    await browser.signIn()
    const { app: restarted } = await operate(t, { now: clock.now })
    const { app: changed } = await operate(t, { now: clock.now, environment: { PURGE_TOKEN: 'another' } })
    const cookie = cookieHeader(browser)
    t.match((await restarted.inject({ url: '/ops/cache', headers: { ...html, cookie } })).body, /p99/, 'any process')
    t.notMatch((await changed.inject({ url: '/ops/cache', headers: { ...html, cookie } })).body, /p99/)

    const { body } = await browser.open('/ops/cache')
    t.equal((await browser.send('/ops/cache/session/end', { _csrf: csrfIn(body) })).statusCode, 303)
    t.notMatch((await browser.open('/ops/cache')).body, /p99/)
  },
)

t.test('a cookie that was changed, or has another name, opens no session', async (t) => {
  const { app } = await operate(t)
  const browser = browserOf(app)
  await browser.signIn()
  const session = browser.cookies.get('vitrine_operator') ?? ''
  const { body } = await browser.open('/ops/cache')
  await browser.send('/ops/cache/purge/confirmed', { kind: 'key', name: '99999999999999:x', _csrf: csrfIn(body) })
  await browser.send('/ops/cache/purge/confirmed', { kind: 'tag', name: 'sellers', _csrf: csrfIn(body) })
  const notice = browser.cookies.get('vitrine_notice') ?? ''
  t.ok(notice)
  const later = session.replace(/^\d+/, String(Date.now() + 1e12))
  for (const cookie of [
    later,
    session.slice(0, -2),
    '99999999999999',
    notice,
    browser.cookies.get('vitrine_csrf') ?? '',
  ]) {
    const headers = { ...html, cookie: `vitrine_operator=${cookie}` }
    t.notMatch((await app.inject({ url: '/ops/cache', headers })).body, /p99/, cookie)
  }
})

t.test('a script with the bearer token gets JSON, with a wrong token a 401', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] }) // the test takes the only sample
  t.teardown(() => mock.timers.reset())
  const { app } = await operate(t)
  await app.inject('/api/v1/sellers')
  const answer = await app.inject({ url: '/ops/cache?key=sellers_all', headers: bearer })
  t.match(answer.json(), {
    cache: { loads: { succeeded: 1 }, coherence: 'memory-only' },
    edge: { requests: { 'uri-miss': 1 } },
    upstream: { isFailing: false },
    changes: [],
    explanation: { key: 'sellers_all', state: 'fresh', memory: { tags: ['sellers'] } },
  })
  app.liveStats.tick()
  const { lastMinute } = (await app.inject({ url: '/ops/cache', headers: bearer })).json()
  t.equal(lastMinute.requestsPerSecond, 1)
  t.ok(lastMinute.p50Ms > 0 && lastMinute.p99Ms >= lastMinute.p50Ms)
  for (const url of ['/ops/cache', '/ops/cache/live', '/ops/cache/purge?kind=tag&name=x']) {
    const refused = await app.inject({ url, headers: { authorization: 'Bearer wrong' } })
    t.equal(refused.statusCode, 401, url)
    t.equal(refused.headers['www-authenticate'], 'Bearer')
    t.match(refused.json(), { code: 'VITRINE_UNAUTHORIZED' })
  }
})

t.test('a key is explained: tiers, age, tags, and what a read would do', async (t) => {
  const { app, browser } = await operateWithRedis(t)
  t.ok(await until(() => app.cache.stats().coherence === 'tracking'), 'memory is trusted')
  await app.inject('/api/v1/sellers')
  const isSettled = async () => {
    await app.cache.get('sellers_all') // the invalidation of our own write may require a check of Redis
    const { state, redis } = await app.cache.explain('sellers_all')
    return state === 'fresh' && typeof redis === 'object'
  }
  t.ok(await until(isSettled))
  const known = (await browser.open('/ops/cache?key=sellers_all')).body
  t.match(known, /Fresh: reads are served at once\./)
  t.match(known, /In memory<\/dt><dd>Loaded (now|\d+ seconds? ago)<\/dd><dd>fresh until/)
  t.match(known, /In Redis<\/dt><dd>Loaded/)
  t.match(known, /tags sellers/)
  const unknown = (await browser.open('/ops/cache?key=nothing')).body
  t.match(unknown, /Not in memory: reads look in Redis/)
  t.match(unknown, /In Redis<\/dt><dd>Not stored\./)
  const hostile = (await browser.open(`/ops/cache?key=${encodeURIComponent('"><script>alert(1)</script>')}`)).body
  t.notMatch(hostile, '<script>alert')
  t.equal((await browser.open(`/ops/cache?key=${'x'.repeat(513)}`)).statusCode, 400)
})

t.test('while Redis is down the page works and says so, and a purge is queued until Redis is back', async (t) => {
  const { app, browser, redis } = await operateWithRedis(t)
  const shows = (words: RegExp) => until(async () => words.test((await browser.open('/ops/cache')).body))
  await app.inject('/api/v1/sellers')
  t.ok(await shows(/Redis is in use\./))
  await redis.kill()
  t.ok(await until(() => app.cache.stats().coherence === 'disconnected'))
  t.ok(await shows(/The circuit breaker is open/))
  const { body } = await browser.open('/ops/cache?key=sellers_all')
  t.match(body, /Redis is unavailable\./)
  t.match(body, /Redis disconnected\./, 'the change is listed')
  const confirm = await browser.open('/ops/cache/purge?kind=key&name=sellers_all')
  const order = { kind: 'key', name: 'sellers_all', _csrf: csrfIn(confirm.body) }
  t.equal((await browser.send('/ops/cache/purge/confirmed', order)).statusCode, 303)
  const after = (await browser.open('/ops/cache')).body
  t.match(after, /sellers_all was purged in this process\. Other processes are notified when Redis is back/)
  t.match(after, /Purges queued for Redis: 1/)
  await redis.start()
  t.ok(await until(() => app.cache.stats().coherence === 'tracking'))
  t.ok(await shows(/Queued purges were sent to all processes/))
  t.ok(await shows(/Circuit breaker closed\./))
})

t.test('a purged entry is not shown as fresh before its lifetime ends', async (t) => {
  const { app, browser } = await operateWithRedis(t)
  await app.inject('/api/v1/sellers')
  const isStored = async () => typeof (await app.cache.explain('sellers_all')).redis === 'object'
  t.ok(await until(isStored))
  await app.cache.purge({ tags: ['sellers'] })
  const { body } = await browser.open('/ops/cache?key=sellers_all')
  t.match(body, /Purged, or changed by another process/)
  t.equal(body.match(/<dd>no longer fresh<\/dd>/g)?.length, 2)
  t.notMatch(body, /fresh until/)
})

t.test('the confirmation warns when no entry is stored under the key', async (t) => {
  const { app } = await operate(t)
  const browser = browserOf(app)
  await browser.signIn()
  await app.inject('/api/v1/sellers')
  for (const [query, isWarned] of [
    ['kind=key&name=seller_all', true],
    ['kind=key&name=sellers_all', false],
    ['kind=tag&name=nothing', false],
  ] as const) {
    const { body } = await browser.open(`/ops/cache/purge?${query}`)
    t.equal(/No entry is stored under this key/.test(body), isWarned, query)
  }
})

t.test('a purge is confirmed first, then made, shown once, and logged', async (t) => {
  for (const [kind, name, hard] of [
    ['tag', 'sellers', undefined],
    ['key', 'sellers_all', 'on'],
  ] as const) {
    const { app, upstream, book } = await operate(t)
    const browser = browserOf(app)
    await browser.signIn()
    await app.inject('/api/v1/sellers')
    const confirm = await browser.open(`/ops/cache/purge?kind=${kind}&name=${name}${hard ? '&hard=on' : ''}`)
    t.equal(confirm.statusCode, 200)
    t.match(confirm.body, hard ? /visitors get an error/ : /the stale copy is served/)
    t.equal((await app.cache.explain('sellers_all')).state, 'fresh', 'nothing is purged yet')

    const order = { kind, name, _csrf: csrfIn(confirm.body), ...(hard ? { hard } : {}) }
    const done = await browser.send('/ops/cache/purge/confirmed', order)
    t.strictSame([done.statusCode, done.headers.location], [303, '/ops/cache'])
    t.equal((await app.cache.explain('sellers_all')).state, hard ? 'expired' : 'purged')
    const page = (await browser.open('/ops/cache')).body
    t.match(page, `${name} was purged in this process. Without Redis, other processes are not notified.`)
    t.match(page, `Purged${hard ? ' (hard)' : ''}: ${name}`)
    t.notMatch((await browser.open('/ops/cache')).body, /was purged in this process/, 'once')
    t.match(await book.until(({ msg }) => msg === 'cache purged'), { level: 30, hard: hard === 'on' })
    upstream.reset()
    await app.inject('/api/v1/sellers')
    t.equal(upstream.requests.length, 1)
  }
})

t.test('forms of other sites are a 403: a purge and signing out require the CSRF token', async (t) => {
  const { app } = await operate(t)
  const browser = browserOf(app)
  await browser.signIn()
  await app.inject('/api/v1/sellers')
  const { body } = await browser.open('/ops/cache')
  const other = browserOf(app)
  await other.signIn()
  const foreign = csrfIn((await other.open('/ops/cache')).body)
  for (const _csrf of ['', 'invalid', foreign]) {
    for (const [url, fields] of [
      ['/ops/cache/purge/confirmed', { kind: 'tag', name: 'sellers' }],
      ['/ops/cache/session/end', {}],
    ] as const) {
      t.equal((await browser.send(url, { ...fields, _csrf })).statusCode, 403, `${url} with ${_csrf}`)
    }
  }
  t.equal((await app.cache.explain('sellers_all')).state, 'fresh')
  t.equal((await browser.send('/ops/cache/session/end', { _csrf: csrfIn(body) })).statusCode, 303)
})

t.test('an invalid form purges nothing, and the page with the form says so', async (t) => {
  const { app, book } = await operate(t)
  const browser = browserOf(app)
  await browser.signIn()
  for (const query of ['', 'kind=tag', 'kind=tag&name=', 'kind=tag&name=*', 'kind=all&name=x', 'kind=tag&name=a%20b']) {
    const { statusCode, body } = await browser.open(`/ops/cache/purge?${query}`)
    t.equal(statusCode, 400, query)
    t.match(body, /Nothing was purged\. A tag must have 1 to 128 characters/)
    t.match(body, /action="\/ops\/cache\/purge"/)
  }
  const { body: french } = await browser.open('/ops/cache/purge?kind=tag', { 'accept-language': 'fr' })
  t.match(french, /Rien n’a été purgé/)
  t.match(await book.until(({ status }) => status === 400), { level: 30, code: 'VITRINE_INVALID_REQUEST' })
  const script = await app.inject({ url: '/ops/cache/purge?kind=tag', headers: bearer })
  t.strictSame([script.statusCode, script.json().code], [400, 'VITRINE_INVALID_REQUEST'])
  const _csrf = csrfIn((await browser.open('/ops/cache')).body)
  const confirmed = await browser.send('/ops/cache/purge/confirmed', { kind: 'tag', name: '*', _csrf })
  t.strictSame([confirmed.statusCode, /Nothing was purged/.test(confirmed.body)], [400, true])
  t.equal((await browser.send('/ops/cache/purge/confirmed', { name: 'x'.repeat(20_000), _csrf })).statusCode, 413)
  t.equal(app.cache.stats().purges.requested, 0)
})

t.test('a purge confirmed after the session expired is not made, and the page says so', async (t) => {
  const clock = createClock()
  const { app } = await operate(t, { now: clock.now })
  const browser = browserOf(app)
  await browser.signIn()
  const _csrf = csrfIn((await browser.open('/ops/cache/purge?kind=tag&name=sellers')).body)
  clock.step(8 * 3_600)
  const answer = await browser.send('/ops/cache/purge/confirmed', { kind: 'tag', name: 'sellers', _csrf })
  t.equal(answer.statusCode, 401)
  t.match(answer.body, /The session has expired\. Nothing was changed/)
  t.equal(app.cache.stats().purges.requested, 0)
})

t.test('the page and the metrics show whether the marketplace fails', async (t) => {
  const { app, upstream } = await operate(t)
  const browser = browserOf(app)
  await browser.signIn()
  const shows = async (text: RegExp, metric: RegExp | undefined) => {
    t.match((await browser.open('/ops/cache')).body, text)
    const { body } = await app.inject('/metrics')
    if (metric === undefined) t.notMatch(body, /^vitrine_upstream_up/m)
    else t.match(body, metric)
  }
  await shows(/class="is-healthy">No request to the marketplace yet/, undefined)
  await app.inject('/api/v1/sellers?name=1')
  await shows(/class="is-healthy">The marketplace responds/, /^vitrine_upstream_up 1$/m)
  upstream.fail({ status: 500 })
  await app.inject('/api/v1/sellers?name=2')
  await shows(/class="is-failing">The marketplace has been failing since [^<]*500/, /^vitrine_upstream_up 0$/m)
  upstream.heal()
  await app.inject('/api/v1/sellers?name=3')
  await shows(/class="is-healthy">The marketplace responds/, /^vitrine_upstream_up 1$/m)
})

t.test('the page is in French if the client prefers it', async (t) => {
  const { app } = await operate(t)
  const browser = browserOf(app)
  const french = { 'accept-language': 'fr' }
  t.match((await browser.open('/ops/cache', french)).body, /Jeton d’exploitant/)
  await browser.signIn()
  const { body, headers } = await browser.open('/ops/cache', french)
  t.equal(headers['content-language'], 'fr')
  t.match(body, /Temps de réponse/)
  t.notMatch(body, /\b(Confirm the purge|Inspect a key|Requests|Sign out)\b/)
})

/** Events of a stream, each as its lines of data. */
async function listen(t: Test, app: FastifyInstance, headers: Record<string, string> = bearer) {
  if (app.server.address() === null) await app.listen({ port: 0, host: '127.0.0.1' })
  const request = get(`${app.listeningOrigin}/ops/cache/live`, { headers })
  t.teardown(() => request.destroy())
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage] // what Node emits
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return {
    response,
    events: () =>
      text
        .split('\n\n')
        .filter((event) => event !== '')
        .map((event) => event.replace(/^data: ?/gm, '')),
  }
}

t.test('the stream sends the statistics that the page shows', async (t) => {
  const { app } = await operate(t)
  const { response, events } = await listen(t, app)
  t.match(response.headers, { 'content-type': 'text/event-stream', 'cache-control': 'private, no-store' })
  t.ok(await until(() => events().length >= 1), 'the first event is sent at once')
  await app.inject('/api/v1/sellers')
  app.liveStats.tick()
  const keyGroup = 'sellers_<wbr>all' // with a line break for phones
  t.ok(await until(() => events().some((event) => event.includes(keyGroup))))
  const page = (await app.inject({ url: '/ops/cache', headers: { ...bearer, ...html } })).body
  t.ok(page.includes(keyGroup))
  for (const heading of ['requests-heading', 'latency-heading', 'hits-heading', 'changes-heading']) {
    t.ok(events().at(-1)?.includes(`id="${heading}"`) && page.includes(`id="${heading}"`), heading)
  }
})

t.test('streams end with the application and do not delay its close', async (t) => {
  const { app } = await operate(t)
  const { response, events } = await listen(t, app)
  t.ok(await until(() => events().length >= 1))
  const ended = once(response, 'end')
  await app.close()
  await ended
  t.pass('the stream has ended')
})

t.test('a stream ends with its session', async (t) => {
  const clock = createClock()
  const { app } = await operate(t, { now: clock.now })
  const browser = browserOf(app)
  await browser.signIn()
  const cookie = cookieHeader(browser)
  const { response, events } = await listen(t, app, { cookie })
  t.ok(await until(() => events().length >= 1))
  const ended = once(response, 'end')
  clock.step(8 * 3_600)
  app.liveStats.tick()
  await ended
  t.pass('the stream has ended')
})

t.test('one session cannot take all streams, and a new page always gets one', async (t) => {
  const { app } = await operate(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const streams = await Promise.all(Array.from({ length: 40 }, () => listen(t, app)))
  t.ok(streams.every(({ response }) => response.statusCode === 200))
  const browser = browserOf(app)
  await browser.signIn()
  const { response, events } = await listen(t, app, { cookie: cookieHeader(browser) })
  t.equal(response.statusCode, 200)
  t.ok(await until(() => events().length >= 1))
})

t.test('signing out ends the streams of the session, and copies of its cookie, in this process', async (t) => {
  const { app } = await operate(t)
  const [browser, other] = [browserOf(app), browserOf(app)]
  await browser.signIn()
  await other.signIn()
  const { body } = await browser.open('/ops/cache')
  const cookie = cookieHeader(browser)
  const stream = await listen(t, app, { cookie })
  const otherStream = await listen(t, app, { cookie: cookieHeader(other) })
  t.ok(await until(() => stream.events().length >= 1 && otherStream.events().length >= 1))
  const ended = once(stream.response, 'end')
  await browser.send('/ops/cache/session/end', { _csrf: csrfIn(body) })
  app.liveStats.tick()
  await ended
  t.notMatch((await app.inject({ url: '/ops/cache', headers: { ...html, cookie } })).body, /p99/)
  t.match((await other.open('/ops/cache')).body, /p99/)
  t.ok(await until(() => otherStream.events().length >= 2))
})

t.test('the stream has no HEAD route', async (t) => {
  const { app } = await operate(t)
  const heads = Array.from({ length: 40 }, () =>
    app.inject({ method: 'HEAD', url: '/ops/cache/live', headers: bearer }),
  )
  t.strictSame(new Set((await Promise.all(heads)).map(({ statusCode }) => statusCode)), new Set([404]))
  t.equal((await listen(t, app)).response.statusCode, 200)
})
