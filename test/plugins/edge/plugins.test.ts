import { randomBytes } from 'node:crypto'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import bearerAuth from '@fastify/bearer-auth'
import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import csrf from '@fastify/csrf-protection'
import etag from '@fastify/etag'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import secureSession from '@fastify/secure-session'
import session from '@fastify/session'
import Fastify, { type FastifyInstance, type InjectOptions, type RouteShorthandOptions } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createLogBook } from '../../harness/log.js'

// Plugins that people combine with the caches, registered before and after them: the second client gets what it gets without a cache.

type Headers = Readonly<Record<string, string>>
type Register = (app: FastifyInstance) => PromiseLike<unknown>

const secret = 'a secret of at least thirty-two characters'
const routes: Record<string, RouteShorthandOptions> = {
  edge: { config: { edge: { ttlSeconds: 60, ignoreCredentials: true } } },
  'edge, credentials bypass': { config: { edge: { ttlSeconds: 60 } } },
  'proxy cache': { config: { proxyCache: { ttlSeconds: 60 } } },
}

interface Case {
  readonly register: Register
  /** Headers of the requests of one client after the other. */
  readonly clients: readonly Headers[]
  /** What the answers are compared by, in addition to the status. */
  readonly fields?: readonly string[]
  /** Cache-Status of the last request of a client that the guard lets pass, with the route `edge`. */
  readonly last?: RegExp
}

/** A cookie that the application itself sealed. */
const tokenOf = (app: FastifyInstance, name: string) => app.jwt.sign({ name })
const keyed = randomBytes(32)

const sessions: Register = async (app) => {
  await app.register(cookie)
  await app.register(session, { secret, cookie: { secure: false }, saveUninitialized: false })
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers['x-client'] === 'new') request.session.set('name' as never, 'b' as never) // untyped here
    if (request.headers['x-client'] === 'blocked') return reply.code(403).send('blocked')
    return undefined
  })
}

const guards: Record<string, Case> = {
  'rate-limit': {
    register: (app) => app.register(rateLimit, { max: 2, keyGenerator: ({ headers }) => String(headers['x-client']) }),
    clients: [{ 'x-client': 'a' }, { 'x-client': 'a' }, { 'x-client': 'a' }, { 'x-client': 'b' }],
    fields: ['x-ratelimit-remaining'],
    last: /hit/,
  },
  'rate-limit in preHandler': {
    register: (app) => app.register(rateLimit, { max: 1, hook: 'preHandler' }),
    clients: [{}, {}, {}],
    fields: ['x-ratelimit-remaining'],
  },
  'bearer-auth': {
    register: (app) => app.register(bearerAuth, { keys: ['good'] }),
    clients: [{ authorization: 'Bearer good' }, { authorization: 'Bearer bad' }, {}, { authorization: 'Bearer good' }],
    last: /hit/,
  },
  'bearer-auth in preHandler': {
    register: async (app) => {
      await app.register(bearerAuth, { keys: ['good'], addHook: false })
      app.addHook('onRoute', (route) => {
        const verify = app.verifyBearerAuth
        if (verify !== undefined) route.preHandler = [route.preHandler ?? [], verify].flat()
      })
    },
    clients: [{ authorization: 'Bearer good' }, { authorization: 'Bearer bad' }, {}, { authorization: 'Bearer good' }],
    last: /hit/,
  },
  jwt: {
    register: async (app) => {
      await app.register(jwt, { secret })
      app.addHook('onRequest', (request) => request.jwtVerify())
    },
    clients: [{ 'x-token': 'anna' }, {}, { authorization: 'Bearer no' }, { 'x-token': 'bob' }],
    last: /hit/,
  },
  'jwt in a cookie, in preHandler': {
    register: async (app) => {
      await app.register(cookie)
      await app.register(jwt, { secret, cookie: { cookieName: 'token', signed: false } })
      app.addHook('preHandler', (request) => request.jwtVerify())
    },
    clients: [{ 'x-token': 'anna' }, {}, { cookie: 'token=no' }, { 'x-token': 'bob' }],
    last: /hit/,
  },
  session: {
    register: sessions,
    clients: [{}, { 'x-client': 'blocked' }, {}],
    last: /hit/,
  },
  'secure-session': {
    register: async (app) => {
      await app.register(secureSession, { key: keyed })
      app.addHook('preHandler', async (request, reply) => {
        if (request.headers['x-client'] === 'blocked') return reply.code(403).send('blocked')
        return undefined
      })
    },
    clients: [{}, { 'x-client': 'blocked' }, {}],
    last: /hit/,
  },
  'csrf-protection': {
    register: async (app) => {
      await app.register(cookie)
      await app.register(csrf)
      app.addHook('preHandler', (request, reply, done) => app.csrfProtection(request, reply, done))
    },
    clients: [{}, { 'x-csrf-token': 'x' }, { cookie: '_csrf=x' }],
  },
  cors: {
    register: (app) => app.register(cors, { origin: ['https://a.example', 'https://b.example'] }),
    clients: [{ origin: 'https://a.example' }, { origin: 'https://b.example' }, { origin: 'https://c.example' }, {}],
    fields: ['access-control-allow-origin'],
    last: /hit/,
  },
  'cors, strict preflight': {
    register: (app) => app.register(cors, { origin: true, credentials: true, hook: 'preHandler' }),
    clients: [{ origin: 'https://a.example' }, { origin: 'https://b.example' }, {}],
    fields: ['access-control-allow-origin', 'access-control-allow-credentials'],
    last: /hit/,
  },
  helmet: {
    register: (app) => app.register(helmet),
    clients: [{}, {}],
    fields: ['content-security-policy', 'x-frame-options', 'strict-transport-security'],
    last: /hit/,
  },
}

async function start(
  t: Test,
  { register, order, route }: { register: Register; order: 'before' | 'after'; route: RouteShorthandOptions },
  body: (app: FastifyInstance) => unknown = () => 'page',
) {
  const app = Fastify()
  t.teardown(() => app.close())
  const caches = async () => {
    await app.register(edge)
    await app.register(proxyCache)
  }
  if (order === 'after') await caches()
  await register(app)
  if (order === 'before') await caches()
  app.get('/x', route, async () => body(app))
  return app
}

const get = (app: FastifyInstance, headers: Headers, method: 'GET' | 'HEAD' = 'GET') => {
  const token = headers['x-token']
  const given: Record<string, string> = { ...headers }
  if (token !== undefined) {
    const isInCookie = app.hasRequestDecorator('cookies')
    given[isInCookie ? 'cookie' : 'authorization'] = `${isInCookie ? 'token=' : 'Bearer '}${tokenOf(app, token)}`
  }
  return app.inject({ method, url: '/x', headers: given } satisfies InjectOptions)
}

for (const [name, { register, clients, fields = [], last }] of Object.entries(guards)) {
  for (const order of ['before', 'after'] as const) {
    for (const [kind, route] of Object.entries(routes)) {
      t.test(`${name}, registered ${order} the cache, decides for each client of a route with ${kind}`, async (t) => {
        const cached = await start(t, { register, order, route })
        const uncached = await start(t, { register, order, route: {} })
        let status = ''
        for (const headers of clients) {
          const [answer, expected] = [await get(cached, headers), await get(uncached, headers)]
          const of = JSON.stringify(headers)
          t.equal(answer.statusCode, expected.statusCode, of)
          t.equal(answer.body, expected.body, of)
          for (const field of fields) t.equal(answer.headers[field], expected.headers[field], `${of}: ${field}`)
          status = String(answer.headers['cache-status'])
        }
        if (kind === 'edge' && last !== undefined) t.match(status, last)
      })
    }
  }
}

for (const order of ['before', 'after'] as const) {
  t.test(`nonces of helmet, registered ${order} the cache, are those of the page`, async (t) => {
    for (const [kind, route] of Object.entries(routes)) {
      const app = await start(t, { register: (app) => app.register(helmet, { enableCSPNonces: true }), order, route })
      app.get('/nonce', route, async (_request, reply) => reply.cspNonce.script)
      const seen = new Set<string>()
      for (let count = 0; count < 3; count += 1) {
        const { body, headers } = await app.inject('/nonce')
        t.match(headers['content-security-policy'], `'nonce-${body}'`, kind)
        seen.add(body)
      }
      t.equal(seen.size, 3, kind)
    }
  })

  t.test(`a session, registered ${order} the cache, is saved and renewed for its client`, async (t) => {
    const sealed: Register = async (app) => {
      await app.register(secureSession, { key: keyed })
      app.addHook('onRequest', async (request) => {
        if (request.headers['x-client'] === 'new') request.session.set('name' as never, 'b' as never) // untyped here
      })
    }
    for (const [name, register] of Object.entries({ session: sessions, 'secure-session': sealed })) {
      const route = routes.edge ?? {}
      const app = await start(t, { register, order, route })
      t.match((await get(app, {})).headers, { 'cache-status': /stored/ }, name)
      const fresh = (await get(await start(t, { register, order, route }), { 'x-client': 'new' })).headers
      const { headers, body } = await get(app, { 'x-client': 'new' })
      t.equal(body, 'page', name)
      t.match(headers, { 'cache-status': /hit/, 'set-cookie': /^session(Id)?=/, 'cache-control': /no-store/ }, name)
      for (const field of ['cache-control', 'cdn-cache-control', 'surrogate-control'])
        t.equal(headers[field], fresh[field], `${name}: ${field}`)
      const [sent = ''] = String(headers['set-cookie']).split(';')
      const again = await get(app, { cookie: sent })
      t.match(again.headers['cache-status'], /hit/, name)
      t.equal(
        again.headers['set-cookie'] !== undefined,
        name === 'session',
        `${name}: renewed where the plugin does so`,
      )
      const visitor = (await get(app, {})).headers
      t.match(visitor, { 'cache-status': /hit/, 'set-cookie': undefined, 'cache-control': /max-age/ }, name)
    }
  })
}

t.test('the warning of later hooks names their kind, their function and their plugin', async (t) => {
  const check = async () => undefined
  const page = (app: FastifyInstance) => app.get('/x', routes.edge ?? {}, async () => 'page')
  for (const [name, build, hooks] of [
    ['of the application', async (app) => page(app.addHook('preHandler', check)), ['preHandler check']],
    [
      'of a plugin that encapsulates',
      async (app) => {
        app.addHook('preValidation', async () => undefined)
        await app.register(async function members(child) {
          child.addHook('preHandler', check)
          await child.register(async (grandchild) => page(grandchild))
        })
      },
      ['preValidation', 'preHandler check of members'],
    ],
    [
      'of a plugin without a name',
      async (app) => app.register(async (child) => page(child.addHook('preHandler', check))),
      ['preHandler check'],
    ],
    [
      'of a package',
      async (app) => {
        await app.register(bearerAuth, { keys: ['good'], addHook: 'preParsing' })
        await app.register(cors, { hook: 'preValidation' })
        page(app)
      },
      [/^preParsing .*of @fastify\/bearer-auth$/, /^preValidation .*of @fastify\/cors$/],
    ],
    [
      'of a package that adds it to the route',
      async (app) => {
        await app.register(rateLimit, { hook: 'preHandler' })
        page(app)
      },
      [/^preHandler .*of @fastify\/rate-limit$/],
    ],
  ] satisfies readonly (readonly [
    string,
    (app: FastifyInstance) => Promise<unknown>,
    readonly (string | RegExp)[],
  ])[]) {
    const book = createLogBook()
    const app = Fastify({ logger: { level: 'warn', stream: book.stream } })
    t.teardown(() => app.close())
    await app.register(edge)
    await app.register(proxyCache)
    await build(app)
    await app.ready()
    t.match(book.at(40), [{ kind: 'edge', routes: ['GET /x'], hooks }], name)
  }
})

// --- codings and entity-tags --------------------------------------------------------------------------------------------------

const text = 'a page with some text. '.repeat(400)
const coders: Record<string, Register> = {
  compress: (app) => app.register(compress),
  etag: (app) => app.register(etag),
  'etag and compress': async (app) => {
    await app.register(etag)
    await app.register(compress)
  },
  'compress and etag': async (app) => {
    await app.register(compress)
    await app.register(etag)
  },
}

function decode(body: Buffer, coding: unknown): string {
  if (coding === 'gzip') return gunzipSync(body).toString()
  return coding === 'br' ? brotliDecompressSync(body).toString() : body.toString()
}

for (const [name, register] of Object.entries(coders)) {
  for (const order of ['before', 'after'] as const) {
    for (const [kind, route] of Object.entries(routes)) {
      t.test(
        `${name}, registered ${order} a cache (${kind}): one strong tag names one sequence of bytes`,
        async (t) => {
          const app = await start(t, { register, order, route }, () => text)
          app.get('/own', route, async (_request, reply) => reply.header('etag', '"own"').type('text/plain').send(text))
          for (const url of ['/x', '/own']) {
            const bytesOf = new Map<string, string>()
            const ask = async (headers: Headers) => {
              const response = await app.inject({ url, headers })
              const tag = String(response.headers.etag ?? '')
              const bytes = response.rawPayload.toString('base64')
              if (response.statusCode === 200) {
                const of = `${JSON.stringify(headers)} ${response.headers['cache-status']}`
                t.equal(decode(response.rawPayload, response.headers['content-encoding']), text, of)
                if (tag.startsWith('"')) {
                  t.equal(bytesOf.get(tag) ?? bytes, bytes, `${tag}: ${of}`)
                  bytesOf.set(tag, bytes)
                }
              }
              return { response, tag }
            }
            for (let round = 0; round < 3; round += 1) {
              for (const coding of ['gzip', 'br', 'identity', 'gzip, br']) {
                for (const more of [{}, { cookie: 'a=b' }] as readonly Headers[]) {
                  const { tag } = await ask({ 'accept-encoding': coding, ...more })
                  if (tag === '') continue
                  const again = await ask({ 'accept-encoding': coding, 'if-none-match': tag, ...more })
                  t.ok([200, 304].includes(again.response.statusCode))
                  if (again.response.statusCode === 304) t.equal(again.response.body, '')
                  const part = await ask({ 'accept-encoding': coding, range: 'bytes=1-5', 'if-range': tag, ...more })
                  if (part.response.statusCode !== 206) continue
                  const whole = Buffer.from(bytesOf.get(tag) ?? '', 'base64')
                  t.equal(part.response.body, whole.subarray(1, 6).toString('latin1'), 'a part of the bytes of the tag')
                }
              }
              await new Promise((resolve) => setTimeout(resolve, 20)) // codings are computed in the background
            }
          }
        },
      )
    }
  }
}
