import { Readable } from 'node:stream'
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import { createClock } from '../../harness/clock.js'

// A stored response that goes out with a cookie of one client: no cache in front may store it.

type SetCookie = (request: FastifyRequest, reply: FastifyReply) => void

const ways: Readonly<Record<string, SetCookie>> = {
  'a field': ({ headers }, reply) => void reply.header('set-cookie', `visitor=${headers['x-client']}`),
  'a cookie of @fastify/cookie': ({ headers }, reply) => void reply.setCookie('visitor', String(headers['x-client'])),
}

async function start(t: Test, setCookie: SetCookie) {
  const clock = createClock()
  const state = { isDown: false }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cookie)
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers['x-client'] !== undefined) setCookie(request, reply)
  })
  await app.register(edge, { ttlSeconds: 30, staleIfErrorSeconds: 600, now: clock.now })
  app.get('/x', { config: { edge: {} } }, async ({ headers }, reply) => {
    if (state.isDown) throw new Error('down')
    if (headers['if-none-match'] === '"one"') return reply.code(304).send()
    return reply.header('etag', '"one"').send('for all')
  })
  await app.ready()
  return { app, clock, state }
}

const ask = async (app: FastifyInstance, headers: Record<string, string>, method: 'GET' | 'HEAD' = 'GET') => {
  const { statusCode, headers: fields, body } = await app.inject({ method, url: '/x', headers })
  return { status: statusCode, fields, body, cacheStatus: String(fields['cache-status']) }
}

for (const [name, setCookie] of Object.entries(ways)) {
  t.test(`a stored response with ${name} of this client is for no cache in front`, async (t) => {
    const { app, clock, state } = await start(t, setCookie)
    const check = async (title: string, expected: RegExp, headers: Record<string, string> = {}) => {
      const { status, fields, body, cacheStatus } = await ask(app, { 'x-client': 'b', ...headers })
      t.match(cacheStatus, expected, `${title}: ${cacheStatus}`)
      t.match(fields['set-cookie'], /visitor=b/, `${title}: its cookie`)
      t.equal(fields['cache-control'], 'private, no-store', title)
      for (const other of ['cdn-cache-control', 'surrogate-control']) {
        t.notMatch(fields[other] ?? '', /max-age=[1-9]/, `${title}: ${other}`)
      }
      t.equal(body, status === 304 ? '' : 'for all', title)
    }
    await ask(app, {})
    await check('a hit', /; hit/)
    await check('a hit that is not modified', /; hit/, { 'if-none-match': '*' })
    clock.step(40)
    await check('a validated response', /fwd=stale; fwd-status=304/)
    clock.step(40)
    await check('a validated response that is not modified', /fwd=stale; fwd-status=304/, { 'if-none-match': '"one"' })
    clock.step(40)
    state.isDown = true
    const stale = await ask(app, { 'x-client': 'b' })
    t.match(stale.cacheStatus, /detail=stale-if-error/)
    t.notMatch(JSON.stringify(stale.fields), /max-age=[1-9]/)
  })

  t.test(`collapsed requests get ${name} of their own client only`, async (t) => {
    const { app } = await start(t, setCookie)
    const answers = await Promise.all([ask(app, {}), ask(app, { 'x-client': 'b' }), ask(app, { 'x-client': 'c' })])
    t.strictSame(
      answers.map(({ fields }) => String(fields['set-cookie'] ?? '').slice(0, 9)),
      ['', 'visitor=b', 'visitor=c'],
    )
    for (const { fields, cacheStatus } of answers.slice(1)) {
      t.match(cacheStatus, /collapsed/)
      t.equal(fields['cache-control'], 'private, no-store')
      t.notOk('cdn-cache-control' in fields)
    }
  })

  t.test(`a 304 for HEAD with ${name} of this client describes no other content`, async (t) => {
    const { app } = await start(t, setCookie)
    await ask(app, {})
    const { status, fields, body } = await ask(app, { 'x-client': 'b', 'if-none-match': '"one"' }, 'HEAD')
    t.equal(status, 304)
    t.equal(body, '')
    t.notOk('content-type' in fields)
    t.equal(fields['cache-control'], 'private, no-store')
  })
}

t.test('a session that is renewed by every response does not keep the response from being stored', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cookie)
  await app.register(session, {
    secret: 'a secret of at least thirty-two characters',
    cookie: { secure: false },
    saveUninitialized: false,
  })
  await app.register(edge, { ttlSeconds: 30 })
  app.post('/in', async (request) => {
    Object.assign(request.session, { user: 'a' })
    return 'in'
  })
  app.get('/x', { config: { edge: { ignoreCredentials: true } } }, async () => 'for all')
  app.get('/stream', { config: { edge: { ignoreCredentials: true } } }, async (_request, reply) =>
    reply.header('cache-control', 'max-age=60').send(Readable.from(['for ', 'all'])),
  )
  const cookieOf = async () => {
    const [signedIn] = (await app.inject({ method: 'POST', url: '/in' })).cookies
    return `${signedIn?.name}=${encodeURIComponent(signedIn?.value ?? '')}`
  }
  const [a, b] = [await cookieOf(), await cookieOf()]
  for (const url of ['/x', '/stream']) {
    for (const [client, expected] of [
      [a, /fwd=uri-miss.*stored/],
      [b, /; hit/],
    ] as const) {
      const { headers, body } = await app.inject({ url, headers: { cookie: client } })
      t.match(headers['cache-status'], expected)
      t.ok(String(headers['set-cookie']).startsWith(`${client};`), 'each client has its own cookie renewed')
      const caches = ['cache-control', 'cdn-cache-control', 'surrogate-control'].map((name) => headers[name])
      t.ok(
        caches.some((value) => String(value).includes('no-store')),
        `${url} is for no cache in front`,
      )
      t.equal(body, 'for all')
    }
    const { headers } = await app.inject({ url })
    t.match(headers['cache-status'], /; hit/)
    t.notOk('set-cookie' in headers, 'a visitor gets no cookie of others')
  }
})
