import { request } from 'node:http'
import { mock } from 'node:test'
import { promisify } from 'node:util'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify'
import t, { type Test } from 'tap'
import cache from '../../../plugins/cache/index.js'
import edge, { type EdgeOptions } from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { detachedTimeoutMs } from '../../../plugins/responses/handler-dependencies.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { createLogBook } from '../../harness/log.js'
import { until } from '../../harness/until.js'

// Routes with hooks after `onRequest`: hits wait for them, and the response depends on what they read.

async function start(t: Test, options: EdgeOptions, build: (app: FastifyInstance) => unknown) {
  const book = createLogBook()
  const app = Fastify({ logger: { level: 'warn', stream: book.stream } })
  t.teardown(() => app.close())
  await app.register(cache)
  await app.register(edge, options)
  await app.register(proxyCache)
  await build(app)
  const ask = async (headers: Record<string, string> = {}, url = '/x', method: 'GET' | 'HEAD' = 'GET') => {
    const response = await app.inject({ method, url, headers })
    return {
      status: response.statusCode,
      body: response.body,
      cacheStatus: String(response.headers['cache-status'] ?? ''),
    }
  }
  return { app, book, ask }
}

const own = { ttlSeconds: 60 }
const connectionsOf = ({ server }: FastifyInstance) => promisify(server.getConnections.bind(server))()
const pass = async () => undefined
const ipGuard = async ({ headers }: FastifyRequest, reply: FastifyReply) => {
  if (headers['x-office'] === undefined) return reply.code(403).send('no')
  return undefined
}

t.test('validated request fields are masked', async (t) => {
  const headers = Type.Object({ 'x-user': Type.Optional(Type.String()) })
  const { ask } = await start(t, own, (app) => {
    app.setValidatorCompiler(TypeBoxValidatorCompiler)
    app.addHook('preHandler', pass)
    app.get('/x', { schema: { headers }, config: { edge: {} } }, async (request) => `for ${request.headers['x-user']}`)
  })
  t.match(await ask({ 'x-user': 'anna' }), { body: 'for undefined', cacheStatus: /stored/ })
  t.match(await ask({ 'x-user': 'bob' }), { body: 'for undefined', cacheStatus: /hit/ })
})

t.test('request fields that a hook has assigned are masked', async (t) => {
  for (const hook of ['onRequest', 'preHandler'] as const) {
    const { ask } = await start(t, own, (app) => {
      app.addHook(hook, async (request: FastifyRequest) => {
        request.headers = { 'x-user': request.headers['x-api-key'] }
      })
      app.get('/x', { config: { edge: {} } }, async ({ headers }) => `for ${headers['x-user']} ${headers['x-api-key']}`)
    })
    t.match(await ask({ 'x-api-key': 'anna' }), { body: 'for undefined undefined', cacheStatus: /stored/ }, hook)
    t.match(await ask({ 'x-api-key': 'bob' }), { body: 'for undefined undefined', cacheStatus: /hit/ }, hook)
  }
})

t.test('request fields that validation converts to numbers are compared and forwarded as text', async (t) => {
  const headers = { type: 'object', properties: { 'x-page': { type: 'integer' } } }
  for (const config of [
    { edge: { ttlSeconds: 60, vary: ['x-page'] } },
    { proxyCache: { staleWhileRevalidateSeconds: 60 } },
  ]) {
    const { ask } = await start(t, {}, (app) => {
      app.addHook('preHandler', pass)
      app.get('/x', { schema: { headers }, config }, async (request, reply) =>
        reply.headers({ 'cache-control': 'max-age=60', vary: 'x-page' }).send(`page ${request.headers['x-page']}`),
      )
    })
    for (const cacheStatus of [/stored/, /hit/]) {
      for (const page of ['1', '2'])
        t.match(await ask({ 'x-page': page }), { status: 200, body: `page ${page}`, cacheStatus })
    }
  }
})

t.test('a background refresh repeats a request whose fields validation has converted to numbers', async (t) => {
  const headers = { type: 'object', properties: { 'x-page': { type: 'integer' } } }
  const clock = createClock()
  const options = { now: clock.now, ttlSeconds: 1, staleWhileRevalidateSeconds: 60 }
  const seen: unknown[] = []
  const { ask } = await start(t, options, (app) => {
    app.addHook('preHandler', async (request: FastifyRequest) => void seen.push(request.headers['x-page']))
    app.get('/x', { schema: { headers }, config: { edge: {} } }, async () => 'x')
  })
  t.match(await ask({ 'x-page': '2' }), { status: 200, cacheStatus: /stored/ })
  clock.step(2)
  t.match(await ask({ 'x-page': '2' }), { status: 200, cacheStatus: /stale-while-revalidate/ })
  t.ok(await until(() => seen.length === 3))
  t.strictSame(seen, [2, 2, 2])
})

t.test('a response depends on what hooks read from the data cache', async (t) => {
  let version = 1
  const { app, ask } = await start(t, own, (app) => {
    app.decorateRequest('item', '')
    app.addHook('preHandler', async (request) => {
      const read = app.cache.fetch('item', () => `v${version}`, { tags: ['item'] })
      Object.assign(request, { item: await read.catch(() => 'none') })
    })
    app.get('/x', { config: { edge: {} } }, async (request) => Reflect.get(request, 'item'))
  })
  t.match(await ask(), { body: 'v1', cacheStatus: /stored/ })
  t.match(await ask(), { body: 'v1', cacheStatus: /hit/ })
  version = 2
  await app.cache.purge({ tags: ['item'] })
  t.match(await ask(), { body: 'v2', cacheStatus: /fwd=stale/ })
})

t.test('reads of the handler are tracked after a hook continued in another asynchronous context', async (t) => {
  let version = 1
  const waiting: (() => void)[] = []
  const pool = setInterval(() => waiting.shift()?.(), 1) // as a pooled connection calls back
  t.teardown(() => clearInterval(pool))
  const { app, ask } = await start(t, own, (app) => {
    app.addHook('preHandler', (_request, _reply, done) => void waiting.push(done))
    app.get('/x', { config: { edge: {} } }, () => app.cache.fetch('item', () => `v${version}`, { tags: ['item'] }))
  })
  t.match(await ask(), { body: 'v1', cacheStatus: /stored/ })
  version = 2
  await app.cache.purge({ tags: ['item'] })
  t.match(await ask(), { body: 'v2' })
})

t.test('tracking ends when a client leaves during an onRequest hook', async (t) => {
  const { setTimeout } = globalThis
  const shortened = mock.method(globalThis, 'setTimeout', (run: () => void, ms: number) =>
    setTimeout(run, ms === detachedTimeoutMs ? 10 : ms),
  )
  t.teardown(() => shortened.mock.restore())
  const seen = createDeferred<void>()
  const left = createDeferred<void>()
  const { app } = await start(t, own, (app) => {
    app.addHook('onRequest', async (request) => {
      if (request.headers['x-leaves'] === undefined) return
      seen.resolve()
      await left.promise
    })
    app.addHook('preHandler', ipGuard)
    app.get('/x', { config: { edge: {} } }, async () => 'secret')
  })
  let [begun, collecting] = [0, 0]
  const { track } = app.cache
  app.cache.track = async function (make) {
    begun += 1
    collecting += 1
    try {
      return await Reflect.apply(track, this, [make])
    } finally {
      collecting -= 1
    }
  }
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const leaving = request(`${url}/x`, { headers: { 'x-leaves': '1' } })
  leaving.on('error', () => undefined)
  leaving.end()
  await seen.promise
  leaving.destroy()
  await until(async () => (await connectionsOf(app)) === 0)
  left.resolve()
  await until(() => begun > 0 && collecting === 0)
  t.equal(begun, 2)
})

t.test('a response is not stored if a read in a hook failed', async (t) => {
  const { ask } = await start(t, own, (app) => {
    app.addHook('preHandler', async () => {
      await app.cache.fetch('item', () => Promise.reject(new Error('down'))).catch(() => undefined)
    })
    app.get('/x', { config: { edge: {} } }, async () => 'x')
  })
  for (let count = 0; count < 2; count += 1) t.match(await ask(), { body: 'x', cacheStatus: /detail=derived/ })
})

t.test('a response varies by the field that a hook negotiates by', async (t) => {
  const { app, ask } = await start(t, own, (app) => {
    app.decorateRequest('lang', '')
    app.addHook('preHandler', async (request) => {
      Object.assign(request, { lang: request.headers['accept-language'] })
    })
    app.get('/x', { config: { edge: {} } }, async (request) => `in ${Reflect.get(request, 'lang')}`)
  })
  for (const cacheStatus of [/stored/, /hit/]) {
    for (const lang of ['fr', 'en'])
      t.match(await ask({ 'accept-language': lang }), { body: `in ${lang}`, cacheStatus })
  }
  t.match((await app.inject({ url: '/x' })).headers.vary, /accept-language/i)
})

t.test('a query with values that JSON cannot represent is not answered from the cache', async (t) => {
  const querystring = { type: 'object', properties: { a: { type: 'string' } } }
  for (const make of [
    (text: string) => new Set([text]),
    (text: string) => new Map([[text, 1]]),
    (text: string) => new URLSearchParams({ text }),
    (text: string) => (text === '1' ? Number.NaN : null),
    (text: string) => BigInt(text),
  ]) {
    const { ask } = await start(t, own, (app) => {
      app.addHook('preHandler', async ({ query }) => {
        const given = query as { a: unknown } // as the schema says
        given.a = [given.a, make(String(given.a))]
      })
      app.get('/x', { schema: { querystring }, config: { edge: {} } }, async ({ query }) => {
        return `page of ${(query as { a: unknown[] }).a[0]}`
      })
    })
    for (const page of ['1', '2', '1'])
      t.match(await ask({}, `/x?a=${page}`), { body: `page of ${page}` }, String(make))
  }
})

t.test('a hook that is added before the start runs for hits', async (t) => {
  type Add = (app: FastifyInstance, route: RouteOptions) => unknown
  const additions: Record<string, Add> = {
    'after an awaited step': async (app, route) => {
      await app.after()
      route.preHandler = [ipGuard]
    },
    'in another turn of the event loop': (_app, route) => {
      setImmediate(() => {
        route.preHandler = [ipGuard]
      })
      return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    },
    'as an onRequest hook of the route': async (app, route) => {
      await app.after()
      route.onRequest = [route.onRequest ?? [], ipGuard].flat()
    },
    'by a plugin that wraps hooks': async (app, route) => {
      await app.after()
      const wrapped = [route.onRequest ?? []].flat().map(
        (hook) =>
          (...given: unknown[]) =>
            Reflect.apply(hook, app, given),
      )
      route.onRequest = [...wrapped, ipGuard] as typeof wrapped & (typeof ipGuard)[]
    },
  }
  for (const [name, add] of Object.entries(additions)) {
    const { ask, book } = await start(t, own, async (app) => {
      let route: RouteOptions | undefined
      app.addHook('onRoute', (options) => {
        if (options.method === 'GET') route ??= options
      })
      app.get('/x', { config: { edge: {} } }, async () => 'secret')
      if (route !== undefined) await add(app, route)
    })
    const office = { 'x-office': 'yes' }
    for (const cacheStatus of [/stored/, /hit/]) t.match(await ask(office), { body: 'secret', cacheStatus }, name)
    t.match(await ask(), { status: 403, body: 'no' }, name)
    t.match(book.at(40), [{ kind: 'edge', routes: ['GET /x'], msg: /served after their hooks/ }], name)
  }
})

t.test('a list of hooks that is extended after the route is complete, or refused at the start', async (t) => {
  const complete: (typeof ipGuard)[] = []
  const { ask } = await start(t, own, (app) => {
    app.get('/x', { onRequest: complete, config: { edge: {} } }, async () => 'secret')
    complete.push(ipGuard)
  })
  t.match(await ask({ 'x-office': 'yes' }), { body: 'secret', cacheStatus: /stored/ })
  t.match(await ask(), { status: 403 })

  const late: (typeof ipGuard)[] = []
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge, own)
  app.get('/x', { onRequest: late, config: { edge: {} } }, async () => 'secret')
  await app.after()
  late.push(ipGuard)
  await t.rejects(async () => app.ready(), { code: 'VITRINE_EDGE_LATE_HOOKS', message: /GET \/x/ })
})

t.test('acknowledging skipped hooks does not skip onRequest hooks', async (t) => {
  const { ask } = await start(t, own, async (app) => {
    let route: RouteOptions | undefined
    app.addHook('onRoute', (options) => {
      if (options.method === 'GET') route ??= options
    })
    app.get('/x', { preHandler: pass, config: { edge: { acknowledgeSkippedHooks: true } } }, async () => 'secret')
    await app.after()
    if (route !== undefined) route.onRequest = [route.onRequest ?? [], ipGuard].flat()
  })
  t.match(await ask({ 'x-office': 'yes' }), { body: 'secret', cacheStatus: /stored/ })
  t.match(await ask(), { status: 403 })
})

t.test('with attachValidation the handler answers invalid requests', async (t) => {
  const headers = { type: 'object', required: ['x-a'], properties: { 'x-a': { type: 'string' } } }
  const { ask } = await start(t, own, (app) => {
    const options = {
      preHandler: pass,
      attachValidation: true,
      schema: { headers },
      config: { edge: { unkeyedHeaders: ['x-a'] } },
    }
    app.get('/x', options, async ({ validationError }) => (validationError ? 'please send x-a' : 'welcome'))
  })
  t.match(await ask({ 'x-a': '1' }), { body: 'welcome', cacheStatus: /stored/ })
  t.match(await ask(), { body: 'please send x-a' })
  t.match(await ask({ 'x-a': '1' }), { body: 'welcome', cacheStatus: /hit/ })
})

t.test('a response to a request that has no key is for its client alone', async (t) => {
  const querystring = { type: 'object', properties: { n: { type: 'number' } } }
  for (const preHandler of [undefined, pass]) {
    for (const [url, attachValidation] of [
      ['/x?n=-0', false],
      ['/x?n=two', true],
    ] as const) {
      const { app } = await start(t, own, (app) => {
        const options = {
          ...(preHandler && { preHandler }),
          attachValidation,
          schema: { querystring },
          config: { edge: { ttlSeconds: 60 } },
        }
        app.get('/x', options, async ({ headers }) => `page of ${headers.cookie}`)
      })
      for (const client of ['a', 'b']) {
        const response = await app.inject({ url, headers: { cookie: client } })
        t.equal(response.body, `page of ${client}`)
        t.equal(response.headers['cache-control'], 'private, no-store', url)
        t.match(response.headers, { vary: /Authorization, Cookie/ }, url)
      }
    }
  }
})

t.test('the handler sees the headers by which a hook has replaced those of Node', async (t) => {
  const { ask } = await start(t, own, (app) => {
    app.addHook('preHandler', async ({ raw }) => {
      const { 'x-role': _role, ...others } = raw.headers
      raw.headers = others
    })
    app.get('/x', { config: { edge: { vary: ['x-role'] } } }, async ({ headers }) => `role: ${headers['x-role']}`)
  })
  t.match(await ask({ 'x-role': 'admin' }), { body: 'role: undefined' })
})

t.test('a request bypasses the cache if a hook has removed its credentials', async (t) => {
  const { ask } = await start(t, own, (app) => {
    app.decorateRequest('member', '')
    app.addHook('onRequest', async (request) => {
      Object.assign(request, { member: request.headers.authorization ?? 'a visitor' })
      delete request.headers.authorization
    })
    app.get('/x', { config: { edge: {} } }, async (request) => `for ${Reflect.get(request, 'member')}`)
  })
  t.match(await ask({ authorization: 'anna' }), { body: 'for anna', cacheStatus: /fwd=bypass/ })
  t.match(await ask(), { body: 'for a visitor', cacheStatus: /stored/ })
  t.match(
    await ask({ authorization: 'anna' }),
    { body: 'for anna', cacheStatus: /fwd=bypass/ },
    'also when a response is stored',
  )
})

t.test('handlers of every kind answer and fail as without a cache', async (t) => {
  const { ask } = await start(t, own, (app) => {
    app.addHook('preHandler', pass)
    app.get('/async', { config: { edge: {} } }, async () => 'async')
    app.get('/callback', { config: { edge: {} } }, (_request, reply) => {
      setImmediate(() => reply.send('callback'))
    })
    app.get('/reply', { config: { edge: {} } }, (_request, reply) => reply.send('reply'))
    app.get('/value', { config: { edge: {} } }, () => 'value')
    app.get('/null', { config: { edge: {} } }, () => null)
    app.get('/object', { config: { edge: {} } }, () => ({ a: 1 }))
    app.get('/bypassed', { config: { edge: { bypass: () => true } } }, () => 'bypassed')
    app.get('/throws', { config: { edge: {} } }, () => {
      throw Object.assign(new Error('no'), { statusCode: 418 })
    })
    app.get('/rejects', { config: { edge: {} } }, async () => {
      throw Object.assign(new Error('no'), { statusCode: 418 })
    })
  })
  for (const [name, body] of [
    ['async', 'async'],
    ['callback', 'callback'],
    ['reply', 'reply'],
    ['value', 'value'],
    ['null', 'null'],
    ['object', '{"a":1}'],
  ] as const) {
    for (const cacheStatus of [/stored/, /hit/])
      t.match(await ask({}, `/${name}`), { status: 200, body, cacheStatus }, name)
    t.match(await ask({}, `/${name}`, 'HEAD'), { status: 200, body: '', cacheStatus: /hit/ }, name)
  }
  t.match(await ask({}, '/bypassed'), { status: 200, body: 'bypassed', cacheStatus: /fwd=bypass/ })
  for (const name of ['throws', 'rejects']) t.match(await ask({}, `/${name}`), { status: 418 }, name)
})

t.test('a Host field cannot collide with the key of a route with constraints', async (t) => {
  const { ask } = await start(t, own, (app) => {
    app.get('/x', { config: { edge: {} } }, async () => 'any version')
    app.get('/x', { constraints: { version: '1.0.0' }, config: { edge: {} } }, async () => 'version 1')
  })
  await ask({ host: '["/x",{"version":"1.0.0"}] a.example' })
  t.match(await ask({ host: 'a.example', 'accept-version': '1.0.0' }), {
    body: 'version 1',
    cacheStatus: /fwd=uri-miss/,
  })
})

t.test('a response to a request with cookies does not replace the stored response', async (t) => {
  let isDown = false
  const { ask } = await start(t, {}, (app) => {
    const options = { ttlSeconds: 0, staleIfErrorSeconds: 600 }
    app.get('/x', { config: { proxyCache: options } }, async (_request, reply) => {
      return isDown ? reply.code(503).send('down') : reply.send('page')
    })
  })
  t.match(await ask(), { body: 'page', cacheStatus: /stored/ })
  t.match(await ask({ cookie: 'a=b' }), { body: 'page', cacheStatus: /detail=cookie/ })
  isDown = true
  t.match(await ask(), { body: 'page', cacheStatus: /stale-if-error/ })
})
