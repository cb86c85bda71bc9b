import cookie from '@fastify/cookie'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import secureSession from '@fastify/secure-session'
import session from '@fastify/session'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import cache from '../../../plugins/cache/index.js'
import edge, { type EdgeOptions, type EdgeRouteOptions } from '../../../plugins/edge/index.js'
import proxyCache, { type ProxyCacheRouteOptions } from '../../../plugins/proxy-cache/index.js'
import { createLogBook } from '../../harness/log.js'

// One client asks, then another one: the second gets what it would have got from an empty cache.

async function start(t: Test, options: EdgeOptions | undefined, build: (app: FastifyInstance) => unknown) {
  const book = createLogBook()
  const app = Fastify({ logger: { level: 'warn', stream: book.stream } })
  t.teardown(() => app.close())
  if (options !== undefined) await app.register(edge, options)
  await app.register(proxyCache, { maxVariants: options?.maxVariants ?? 16 })
  await build(app)
  const ask = async (headers: Record<string, string> = {}, url = '/x') => {
    const response = await app.inject({ url, headers })
    const { 'cache-status': cacheStatus = '', ...others } = response.headers
    return { status: response.statusCode, body: response.body, cacheStatus: String(cacheStatus), headers: others }
  }
  return { app, book, ask }
}

t.test('a request bypasses the cache when the option bypass returns any truthy value', async (t) => {
  for (const [name, value] of Object.entries({ object: { id: 1 }, text: 'alice', number: 1, true: true })) {
    const { ask } = await start(t, { ttlSeconds: 60 }, (app) => {
      app.decorateRequest('member', null)
      app.addHook('onRequest', async (request) => {
        if (request.headers['x-user'] !== undefined) Object.assign(request, { member: value })
      })
      const bypass = (request: FastifyRequest) => Reflect.get(request, 'member')
      app.get('/x', { config: { edge: { bypass } } }, async (request) => {
        return Reflect.get(request, 'member') === null ? 'hello guest' : 'hello alice'
      })
    })
    t.match(await ask({ 'x-user': 'alice' }), { body: 'hello alice', cacheStatus: /fwd=bypass/ }, name)
    t.match(await ask(), { body: 'hello guest', cacheStatus: /fwd=uri-miss/ }, `${name}: the next client`)
    const again = await ask({ 'x-user': 'alice' })
    t.match(again, { body: 'hello alice', cacheStatus: /fwd=bypass/ }, `${name}: again`)
    t.equal(again.headers['cache-control'], 'private, no-store', 'no cache in front stores it for others')
  }
})

t.test(
  'an asynchronous function among the options is refused, at registration or when it returns a promise',
  async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(edge, { ttlSeconds: 60 })
    const later = async () => 'later'
    for (const [name, options] of Object.entries({
      bypass: { bypass: later },
      tags: { tags: later },
      normalise: { vary: [{ name: 'x-tenant', normalise: later }] },
    })) {
      const wrong = options as unknown as EdgeRouteOptions // as in a program without types
      t.throws(() => app.get('/x', { config: { edge: wrong } }, async () => 'x'), {
        code: 'VITRINE_EDGE_OPTION',
        message: new RegExp(`${name} must be synchronous`),
      })
    }
    const reject = () => Promise.reject(new Error('no'))
    const { ask: askTagged, book } = await start(t, { ttlSeconds: 60 }, (app) => {
      app.get('/x', { config: { edge: { tags: reject as unknown as () => string[] } } }, async () => 'x') // as above
    })
    t.match(await askTagged(), { status: 200, cacheStatus: /detail=tags/ })
    t.match(book.at(40), [{ msg: /tags must be synchronous/ }])
    const { ask: askVaried } = await start(t, { ttlSeconds: 60 }, (app) => {
      const vary = [{ name: 'x-tenant', normalise: reject as unknown as () => string }] // as above
      app.get('/x', { config: { edge: { vary } } }, async () => 'x')
    })
    t.match(await askVaried(), { status: 500, body: /VITRINE_EDGE_ASYNC_OPTION/ })
    for (const bypass of [() => Promise.resolve(false), () => Promise.reject(new Error('no'))]) {
      const { ask } = await start(t, { ttlSeconds: 60 }, (app) => {
        app.get('/x', { config: { edge: { bypass } } }, async () => 'x')
      })
      const { status, body } = await ask()
      t.equal(status, 500)
      t.match(JSON.parse(body), { code: 'VITRINE_EDGE_ASYNC_OPTION', message: /bypass .* returned a promise/ })
    }
  },
)

t.test('hooks that a plugin adds to routes run for hits, registered before the edge or after it', async (t) => {
  for (const order of ['before', 'after']) {
    for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
      let calls = 0
      const { ask, book } = await start(t, undefined, async (app) => {
        const limit = () => app.register(rateLimit, { max: 2, hook })
        if (order === 'before') await limit()
        await app.register(edge, { ttlSeconds: 60 })
        if (order === 'after') await limit()
        app.get('/x', { config: { edge: {} } }, async () => `call ${++calls}`)
      })
      const statuses = []
      for (let count = 0; count < 4; count += 1) statuses.push((await ask()).status)
      t.strictSame(statuses, [200, 200, 429, 429], `${hook}, registered ${order} the edge`)
      t.equal(calls, 1, 'the second answer was a hit')
      const warnings = book.at(40).map(({ hooks }) => String(hooks))
      if (hook === 'onRequest') t.strictSame(warnings, [], 'no warning, because no hook is skipped')
      else t.match(warnings, [new RegExp(`^${hook}`)], 'one warning names the hook')
    }
  }
})

t.test('hooks of the instance run for hits, added before the route or after it', async (t) => {
  for (const order of ['before', 'after']) {
    for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
      let calls = 0
      const { ask } = await start(t, { ttlSeconds: 60 }, (app) => {
        const guard = (request: FastifyRequest, reply: FastifyReply, ...rest: unknown[]) => {
          const done = rest.at(-1) as (error?: Error, payload?: unknown) => void // as for every hook with callbacks
          if (request.headers['x-office'] === undefined) reply.code(403).send('no')
          else done()
        }
        const add = () => Reflect.apply(app.addHook, app, [hook, guard])
        if (order === 'before') add()
        app.get('/x', { config: { edge: {} } }, async () => `secret ${++calls}`)
        if (order === 'after') add()
      })
      const office = { 'x-office': 'yes' }
      t.match(await ask(office), { status: 200, body: 'secret 1' }, `${hook}, added ${order} the route`)
      t.match(await ask(office), { status: 200, body: 'secret 1', cacheStatus: /hit/ })
      t.match(await ask(), { status: 403, body: 'no' })
    }
  }
})

t.test('a route that acknowledges skipped hooks sends hits before them, without a warning', async (t) => {
  let runs = 0
  const { ask, book } = await start(t, { ttlSeconds: 60 }, (app) => {
    const preHandler = async () => {
      runs += 1
    }
    app.get('/x', { preHandler, config: { edge: { acknowledgeSkippedHooks: true } } }, async () => 'x')
  })
  t.match(await ask(), { cacheStatus: /fwd=uri-miss/ })
  t.match(await ask(), { cacheStatus: /hit/ })
  t.equal(runs, 1)
  t.strictSame(book.at(40), [])
})

t.test('a hit after validation is selected by the validated query, and an invalid query is refused', async (t) => {
  const querystring = { type: 'object', properties: { page: { type: 'integer', minimum: 1, default: 1 } } }
  let calls = 0
  const { ask } = await start(t, { ttlSeconds: 60 }, (app) => {
    const preHandler = async () => undefined
    app.get('/x', { preHandler, schema: { querystring }, config: { edge: {} } }, async ({ query, url }) => {
      calls += 1
      return { query, url }
    })
  })
  t.match(JSON.parse((await ask({}, '/x?other=1')).body), { query: { page: 1 }, url: '/x?page=1' })
  t.match(await ask({}, '/x?page=1'), { cacheStatus: /hit/ })
  t.match(await ask({}, '/x?page=0'), { status: 400 })
  t.equal(calls, 1)
})

t.test('a cookie that is set for one client is never sent to another', async (t) => {
  const own = { edge: { ttlSeconds: 60 } }
  const forwarding = { proxyCache: {} }
  for (const [name, config, control] of [
    ['forwarding, max-age', forwarding, 'max-age=60'],
    ['forwarding, public', forwarding, 'public, s-maxage=60'],
    ['own', own, undefined],
    ['own, public', own, 'public, max-age=60'],
    ['own, s-maxage', own, 's-maxage=60'],
  ] as const) {
    let visits = 0
    const { ask } = await start(t, {}, (app) => {
      app.get('/x', { config }, async (_request, reply) => {
        if (control !== undefined) reply.header('cache-control', control)
        return reply.header('set-cookie', `sid=${++visits}`).send('x')
      })
    })
    for (const visit of [1, 2]) {
      t.match(await ask(), { cacheStatus: /detail=set-cookie/, headers: { 'set-cookie': `sid=${visit}` } }, name)
    }
  }
})

t.test('a cookie that the response withholds from caches goes to its client, and the rest is stored', async (t) => {
  for (const config of [{ edge: { ttlSeconds: 60 } }, { proxyCache: {} }]) {
    let visits = 0
    const { ask } = await start(t, {}, (app) => {
      app.get('/x', { config }, async (_request, reply) =>
        reply
          .headers({ 'cache-control': 'max-age=60, private="set-cookie"', 'set-cookie': `sid=${++visits}` })
          .send('x'),
      )
    })
    t.match(await ask(), { cacheStatus: /stored/, headers: { 'set-cookie': 'sid=1' } })
    const second = await ask()
    t.match(second, { body: 'x', cacheStatus: /hit/ })
    t.notOk('set-cookie' in second.headers)
  }
})

t.test('the handler sees request fields exactly as they are in the key', async (t) => {
  const spellings = ['acme', 'acme,', 'acme, ', ', acme', 'acme,,', 'ACME', '"acme"', 'acme;q=1', '']
  const upper = { name: 'X-Tenant', normalise: (value: string | undefined) => value?.toUpperCase() }
  for (const [field, config] of [
    ['x-tenant', { edge: { ttlSeconds: 60, vary: ['x-tenant'] } }],
    ['x-tenant', { edge: { ttlSeconds: 60, vary: [upper] } }],
    ['accept', { edge: { ttlSeconds: 60 } }],
    ['accept', { edge: { ttlSeconds: 60, vary: ['accept'] } }],
    ['accept-language', { edge: { ttlSeconds: 60 } }],
    ['host', { edge: { ttlSeconds: 60 } }],
    ['x-tenant', { proxyCache: {} }],
    ['x-tenant', { proxyCache: { vary: [upper] } }],
    ['accept', { proxyCache: {} }],
    ['accept-encoding', { proxyCache: {} }],
    ['host', { proxyCache: {} }],
  ] as [string, { edge?: EdgeRouteOptions; proxyCache?: ProxyCacheRouteOptions }][]) {
    const build = (app: FastifyInstance) => {
      app.get('/x', { config }, async ({ headers, raw }, reply) => {
        if (config.proxyCache !== undefined) reply.headers({ 'cache-control': 'max-age=60', vary: field })
        return reply.send({ seen: headers[field], raw: raw.headersDistinct[field] })
      })
    }
    const shared = await start(t, { maxVariants: 100 }, build)
    for (const value of [...spellings, ...spellings].filter((text) => field !== 'host' || /^\w+$/.test(text))) {
      const fresh = await start(t, {}, build)
      const expected = (await fresh.ask({ [field]: value })).body
      t.equal((await shared.ask({ [field]: value })).body, expected, `${JSON.stringify(config)} ${field}: ${value}`)
    }
  }
})

t.test('the handler sees the URL as it is in the key, not as the client wrote it', async (t) => {
  const querystring = { type: 'object', properties: { page: { type: 'integer' } } }
  const { ask } = await start(t, { ttlSeconds: 60 }, (app) => {
    app.get('/x', { schema: { querystring }, config: { edge: {} } }, async ({ url, query }) => ({ url, query }))
  })
  for (const spelling of ['0x1', '1', '%31', '1.0']) {
    const { status, body } = await ask({}, `/x?page=${spelling}`)
    if (status === 200) t.strictSame(JSON.parse(body), { url: '/x?page=1', query: { page: 1 } }, spelling)
  }
})

t.test('a cache decorator of another plugin is ignored', async (t) => {
  for (const decorator of [new Map(), null, { collect: () => 'not ours' }, 'text', () => undefined]) {
    const { ask } = await start(t, { ttlSeconds: 60 }, (app) => {
      app.decorate('cache', decorator as never) // of another plugin, which has its own type
      app.get('/x', { config: { edge: {} } }, async () => 'x')
    })
    t.match(await ask(), { status: 200, body: 'x' })
    t.match(await ask(), { status: 200, cacheStatus: /hit/ })
  }
})

const identities = {
  '@fastify/session': async (app: FastifyInstance) => {
    await app.register(cookie)
    await app.register(session, {
      secret: 'a secret of at least thirty-two characters',
      saveUninitialized: false,
      cookie: { secure: false },
    })
    app.get('/login', async (request) => void Object.assign(request.session, { user: 'anna' }))
    return (request: FastifyRequest) => Reflect.get(request.session, 'user')
  },
  '@fastify/secure-session': async (app: FastifyInstance) => {
    await app.register(secureSession, { key: Buffer.alloc(32, 7) })
    type Session = { set(name: string, value: unknown): void; get(name: string): unknown }
    const sessionOf = (request: FastifyRequest) => request.session as unknown as Session // both plugins declare the type
    app.get('/login', async (request) => sessionOf(request).set('user', 'anna'))
    return (request: FastifyRequest) => sessionOf(request).get('user')
  },
  'a JWT in a cookie': async (app: FastifyInstance) => {
    await app.register(cookie)
    await app.register(jwt, { secret: 'secret', cookie: { cookieName: 'token', signed: false } })
    app.addHook('onRequest', (request) => request.jwtVerify().catch(() => undefined))
    app.get('/login', async (_request, reply) => {
      return reply.setCookie('token', await reply.jwtSign({ name: 'anna' })).send('welcome')
    })
    return ({ user }: FastifyRequest) => (user as { name?: string } | null)?.name // as it was signed
  },
  'a bearer token': async (app: FastifyInstance) => {
    await app.register(jwt, { secret: 'secret' })
    app.addHook('onRequest', (request) => request.jwtVerify().catch(() => undefined))
    app.get('/login', async (_request, reply) => ({ token: await reply.jwtSign({ name: 'anna' }) }))
    return ({ user }: FastifyRequest) => (user as { name?: string } | null)?.name
  },
}

for (const [name, install] of Object.entries(identities)) {
  t.test(`a page for all clients cannot have the user that ${name} identifies, and the login goes on`, async (t) => {
    const { app, ask } = await start(t, undefined, async (app) => {
      const userOf = await install(app)
      await app.register(edge, { ttlSeconds: 60 })
      app.get('/who', async (request) => `${userOf(request)}`)
      app.get('/x', { config: { edge: { ignoreCredentials: true } } }, async () => 'news')
      app.get('/me', { config: { edge: { ignoreCredentials: true } } }, async (request) => `${userOf(request)}`)
    })
    const login = await app.inject('/login')
    const set = login.cookies.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join('; ')
    const anna: Record<string, string> =
      set === '' ? { authorization: `Bearer ${login.json().token}` } : { cookie: set }
    for (const headers of [anna, {}]) t.match(await ask(headers, '/me'), { status: 500, body: /VITRINE_EDGE_MASKED/ })
    const first = await ask(anna)
    t.equal(first.body, 'news')
    const second = await ask()
    t.match(second, { body: 'news', cacheStatus: /hit/ })
    t.notOk('set-cookie' in second.headers, 'a session that is renewed with each response is not stored')
    t.match(await ask(anna, '/who'), { body: 'anna' })
  })

  t.test(`a page for the user that ${name} identifies is not stored for others`, async (t) => {
    const { app, ask } = await start(t, undefined, async (app) => {
      const userOf = await install(app)
      await app.register(edge, { ttlSeconds: 60 })
      app.get('/x', { config: { edge: {} } }, async (request) => `account of ${userOf(request) ?? 'a visitor'}`)
    })
    const login = await app.inject('/login')
    const set = login.cookies.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join('; ')
    const anna: Record<string, string> =
      set === '' ? { authorization: `Bearer ${login.json().token}` } : { cookie: set }
    t.match(await ask(anna), { body: 'account of anna', cacheStatus: /fwd=bypass/ })
    const visitor = await ask()
    t.match(visitor, { body: 'account of a visitor', cacheStatus: /fwd=uri-miss/, headers: { vary: /cookie/i } })
    t.match(await ask(), { body: 'account of a visitor', cacheStatus: /hit/ })
    const again = await ask(anna)
    t.match(again, { body: 'account of anna', cacheStatus: /fwd=bypass/ })
    t.match(again.headers, { 'cache-control': 'private, no-store', vary: /authorization, cookie/i })
  })
}

t.test(
  'a route that ignores credentials gives all clients one response, and its handler sees no credentials',
  async (t) => {
    const { ask } = await start(t, { ttlSeconds: 60 }, async (app) => {
      await app.register(cookie)
      app.get('/x', { config: { edge: { ignoreCredentials: true } } }, async ({ headers, raw }) => ({
        seen: [headers.cookie, headers.authorization, ...raw.rawHeaders],
      }))
    })
    const first = await ask({ cookie: 'user=alice', authorization: 'Bearer alice' })
    t.match(first, { body: '{"seen":[null,null]}', cacheStatus: /stored/ })
    t.notMatch(String(first.headers.vary ?? ''), /cookie|authorization/i)
    for (const headers of [{}, { cookie: 'user=bob' }, { authorization: 'Bearer bob' }]) {
      t.match(await ask(headers), { body: first.body, cacheStatus: /hit/ })
    }
  },
)

t.test('options that would let credentials into responses are refused with what to write instead', async (t) => {
  const wrong: readonly (readonly [EdgeRouteOptions, RegExp])[] = [
    [{ ttlSeconds: 60, vary: ['Cookie'] }, /ignoreCredentials: true and vary: \[\{ name: 'Cookie', normalise \}\]/],
    [{ ttlSeconds: 60, vary: [{ name: 'cookie', normalise: () => 'a' }] }, /ignoreCredentials: true/],
    [{ ttlSeconds: 60, ignoreCredentials: true, vary: ['authorization'] }, /normalise/],
    [{ ttlSeconds: 60, ignoreCredentials: true, unkeyedHeaders: ['Cookie'] }, /unkeyedHeaders must not name Cookie/],
    [{ ttlSeconds: 60, unkeyedHeaders: ['authorization'] }, /unkeyedHeaders must not name authorization/],
  ]
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge)
  for (const [options, message] of wrong) {
    t.throws(() => app.get('/x', { config: { edge: options } }, async () => 'x'), {
      code: 'VITRINE_EDGE_OPTION',
      message,
    })
  }
})

t.test('a response is not stored if a read of the data cache failed, was stale or had not ended', async (t) => {
  const { app, ask } = await start(t, { ttlSeconds: 60 }, async (app) => {
    await app.register(cache, { ttlSeconds: 60 })
    let finish: (value: string) => void = () => undefined
    const slow = () =>
      new Promise<string>((resolve) => {
        finish = resolve
      })
    app.get('/failed', { config: { edge: {} } }, async () => {
      const down = () => Promise.reject(new Error('down'))
      return app.cache.fetch('failed', down, { tags: ['failed'] }).catch(() => 'not available')
    })
    app.get('/unfinished', { config: { edge: {} } }, async () => {
      const value = await Promise.race([app.cache.fetch('slow', slow, { tags: ['slow'] }), Promise.resolve('late')])
      setImmediate(() => finish('there'))
      return value
    })
    app.get('/good', { config: { edge: {} } }, () => app.cache.fetch('good', () => 'fine', { tags: ['good'] }))
  })
  t.match(await ask({}, '/failed'), { body: 'not available', cacheStatus: /detail=derived/ })
  t.match(await ask({}, '/failed'), { body: 'not available', cacheStatus: /detail=derived/ })
  t.match(await ask({}, '/unfinished'), { body: 'late', cacheStatus: /detail=derived/ })
  t.equal(await app.cache.fetch('slow', () => 'loaded again'), 'there')
  t.match(await ask({}, '/unfinished'), { body: 'there', cacheStatus: /stored/ })
  t.match(await ask({}, '/good'), { body: 'fine', cacheStatus: /stored/ })
})
