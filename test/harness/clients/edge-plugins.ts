import bearerAuth from '@fastify/bearer-auth'
import compress from '@fastify/compress'
import cookie, { Signer } from '@fastify/cookie'
import cors from '@fastify/cors'
import etag from '@fastify/etag'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import secureSession from '@fastify/secure-session'
import session from '@fastify/session'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'

// Plugins and hooks of an application with an edge, each in a form that gives the same answer to the same request.

const secret = 'a secret of at least thirty-two characters'
const sealingKey = Buffer.alloc(32, 7)
/** Sessions by id: the store gives the same ones to every application. */
const sessions: Readonly<Record<string, string>> = { s1: 'alice', s2: 'bob' }

const sessionStore = {
  get: (id: string, done: (error: unknown, session?: object) => void) => {
    const user = sessions[id]
    done(null, user === undefined ? undefined : { user, cookie: { maxAge: null } })
  },
  set: (_id: string, _session: unknown, done: () => void) => done(),
  destroy: (_id: string, done: () => void) => done(),
}

function guard(request: FastifyRequest, reply: FastifyReply, ...rest: unknown[]): void {
  const done = rest.at(-1) as () => void // as for every hook with callbacks
  if (request.headers['x-office'] === 'no') reply.code(403).send('not from there')
  else done()
}

async function withCookies(app: FastifyInstance): Promise<void> {
  if (!app.hasReplyDecorator('setCookie')) await app.register(cookie, { secret })
}

const guardHook = (kind: 'onRequest' | 'preParsing' | 'preValidation' | 'preHandler') => (app: FastifyInstance) =>
  Reflect.apply(app.addHook, app, [kind, guard])

/** How each is registered. */
export const edgePlugins = {
  cookie: withCookies,
  session: async (app) => {
    await withCookies(app)
    await app.register(session, {
      secret,
      store: sessionStore as never, // without the methods of event emitters, which the plugin does not call
      saveUninitialized: false,
      idGenerator: () => 'new',
      cookie: { secure: false },
    })
  },
  'secure-session': async (app) => {
    await withCookies(app)
    await app.register(secureSession, { key: sealingKey })
  },
  jwt: async (app) => {
    await withCookies(app)
    await app.register(jwt, { secret, cookie: { cookieName: 'token', signed: false } })
    app.addHook('onRequest', async (request) => {
      await request.jwtVerify({ onlyCookie: true }).catch(() => undefined)
    })
  },
  'bearer-auth': (app) => app.register(bearerAuth, { keys: new Set(['key-alice', 'key-bob']) }),
  cors: (app) => app.register(cors, { origin: ['https://a.example', 'https://b.example'], credentials: true }),
  helmet: (app) => app.register(helmet),
  compress: (app) => app.register(compress, { threshold: 64 }),
  etag: (app) => app.register(etag),
  'rate-limit': (app) => app.register(rateLimit, { max: 1e9 }),
  'guard in onRequest': guardHook('onRequest'),
  'guard in preParsing': guardHook('preParsing'),
  'guard in preValidation': guardHook('preValidation'),
  'guard in preHandler': guardHook('preHandler'),
  'guard pushed to routes': async (app) => {
    app.addHook('onRoute', (route) => {
      route.preHandler = [route.preHandler ?? [], guard].flat()
    })
  },
  'cookie for visitors': async (app) => {
    await withCookies(app)
    app.addHook('onRequest', async (request, reply) => {
      const { 'x-client': client } = request.headers
      if (client !== undefined) reply.setCookie('visitor', String(client))
    })
  },
  'no-store for clients': async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers['x-client'] !== undefined) reply.header('cache-control', 'private, no-store')
    })
  },
  'nonce in the security policy': async (app) => {
    app.decorateRequest('nonce', '')
    app.addHook('onRequest', async (request, reply) => {
      const nonce = `nonce-${request.headers['x-client']}`
      Object.assign(request, { nonce })
      reply.header('content-security-policy', `script-src '${nonce}'`)
    })
  },
} satisfies Record<string, (app: FastifyInstance) => unknown>

export type EdgePlugin = keyof typeof edgePlugins

/** Plugins that decorate requests with a property of the same name, of which an application has one. */
export const exclusivePlugins: readonly EdgePlugin[] = ['session', 'secure-session']

/** Guards that a route with `acknowledgeSkippedHooks` skips. */
export const laterGuards: readonly EdgePlugin[] = [
  'guard in preParsing',
  'guard in preValidation',
  'guard in preHandler',
  'guard pushed to routes',
]

/** Values of `Cookie` with which these plugins know alice and bob. */
export async function credentialCookies(): Promise<string[]> {
  const app = Fastify()
  await edgePlugins.jwt(app)
  await app.register(secureSession, { key: sealingKey })
  const sealed = (user: string) => {
    const one = app.createSecureSession({})
    Reflect.apply(one.set, one, ['user', user]) // its type knows no property
    return app.encodeSecureSession(one)
  }
  const signer = new Signer(secret)
  const cookies = ['alice', 'bob'].flatMap((user, at) => [
    `token=${app.jwt.sign({ user })}`,
    `session=${encodeURIComponent(sealed(user))}`,
    `sessionId=${encodeURIComponent(signer.sign(`s${at + 1}`))}`,
  ])
  await app.close()
  return cookies
}
