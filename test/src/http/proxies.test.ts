import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { startApp } from '../../harness/app.js'

const page = '/healthz'
const list = '/api/v1/sellers'

/** The answer to a request that a peer sends. */
function request(app: FastifyInstance, remoteAddress: string, forwardedFor?: string, url = list) {
  return app.inject({
    url,
    remoteAddress,
    headers: forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor },
  })
}

t.test('behind a trusted proxy each client has its own rate limit', async (t) => {
  const { app, book } = await startApp(t, { environment: { TRUST_PROXY: '10.0.0.0/8', RATE_LIMIT_MAX: '2' } })
  const statusFor = async (forwardedFor: string) => (await request(app, '10.0.0.1', forwardedFor)).statusCode
  t.strictSame([await statusFor('203.0.113.7'), await statusFor('203.0.113.7')], [200, 200])
  t.equal(await statusFor('203.0.113.7'), 429)
  t.equal(await statusFor('198.51.100.1, 203.0.113.7'), 429, 'whatever the client writes before its address')
  t.equal(await statusFor('203.0.113.7:4711'), 429, 'from any port')
  t.equal(await statusFor('203.0.113.8'), 200)
  t.match(await book.until(({ msg }) => msg === 'request rejected'), { status: 429, address: '203.0.113.7' })
})

t.test('a client that is not a trusted proxy cannot choose its address', async (t) => {
  const { app } = await startApp(t, { environment: { TRUST_PROXY: '10.0.0.0/8', RATE_LIMIT_MAX: '2' } })
  for (const [forwardedFor, status] of [
    ['198.51.100.1', 200],
    ['198.51.100.2', 200],
    ['198.51.100.3', 429],
    ['10.0.0.1', 429],
  ] as const) {
    t.equal((await request(app, '203.0.113.7', forwardedFor)).statusCode, status, forwardedFor)
  }
})

t.test('the addresses of one IPv6 /64 share a rate limit', async (t) => {
  const { app } = await startApp(t, { environment: { RATE_LIMIT_MAX: '2' } })
  for (const [address, status] of [
    ['2001:db8:1:2::1', 200],
    ['2001:db8:1:2::2', 200],
    ['2001:db8:1:2:ffff::1', 429],
    ['2001:db8:1:3::1', 200],
    ['203.0.113.7', 200],
    ['::ffff:203.0.113.7', 200],
    ['::ffff:203.0.113.7', 429],
  ] as const) {
    t.equal((await request(app, address)).statusCode, status, address)
  }
})

t.test('a proxy that is not trusted is reported once, with its address', async (t) => {
  const cases: [environment: Record<string, string>, header: string, peer: string][] = [
    [{}, 'x-forwarded-for', '10.0.0.1'],
    [{}, 'forwarded', '10.0.0.1'],
    [{}, 'x-forwarded-proto', '10.0.0.1'],
    [{ TRUST_PROXY: '172.16.0.0/12' }, 'x-forwarded-for', '10.0.0.1'],
  ]
  for (const [environment, header, remoteAddress] of cases) {
    const { app, book } = await startApp(t, { environment })
    await app.inject({ url: page, remoteAddress })
    t.strictSame(book.at(40), [], 'without the header')
    for (let count = 0; count < 3; count += 1) {
      await app.inject({ url: page, remoteAddress, headers: { [header]: 'https' } })
    }
    const warnings = book.at(40)
    t.equal(warnings.length, 1, header)
    t.match(warnings[0], { header, address: remoteAddress, msg: /TRUST_PROXY/ })
  }
  const { app, book } = await startApp(t, { environment: { TRUST_PROXY: '10.0.0.1' } })
  await request(app, '10.0.0.1', '203.0.113.7')
  t.strictSame(book.at(40), [], 'a trusted one is not')
})

t.test('only a trusted proxy says that a request came over TLS', async (t) => {
  const PURGE_TOKEN = 'correct-horse-battery'
  const { app } = await startApp(t, { environment: { TRUST_PROXY: '10.0.0.1', PURGE_TOKEN } })
  const signIn = async (remoteAddress: string) => {
    const { headers } = await app.inject({
      method: 'POST',
      url: '/ops/cache/session',
      remoteAddress,
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-proto': 'https' },
      payload: `token=${PURGE_TOKEN}`,
    })
    const session = String(headers['set-cookie'])
    const page = await app.inject({
      url: '/ops/cache',
      remoteAddress,
      headers: { accept: 'text/html', cookie: session.split(';')[0], 'x-forwarded-proto': 'https' },
    })
    return [session, String(page.headers['set-cookie'])]
  }
  for (const cookie of await signIn('10.0.0.1')) t.match(cookie, /^vitrine_\w+=.*; Secure/)
  for (const cookie of await signIn('10.0.0.2')) t.notMatch(cookie, /; Secure/)
})
