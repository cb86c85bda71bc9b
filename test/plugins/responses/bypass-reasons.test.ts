import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import edge from 'fastify-vitrine/edge'
import proxyCache from 'fastify-vitrine/proxy-cache'
import t from 'tap'

// The `detail` of `Cache-Status` says why a request bypasses the cache.

const bypass = (request: FastifyRequest) => request.headers['x-member'] !== undefined
const options = { ttlSeconds: 60, bypass }

/** What a hook sets on the reply for a client that asks for it. */
const acts: Record<string, (reply: FastifyReply) => unknown> = {
  'no-store': (reply) => reply.header('cache-control', 'no-store'),
  created: (reply) => reply.code(201),
  serializer: (reply) => reply.serializer(String),
  trailer: (reply) => reply.trailer('x-sum', async () => 'a'),
  nonce: (reply) => reply.header('content-security-policy', "script-src 'nonce-a'"),
}

const reasons: readonly (readonly [headers: Record<string, string>, edge: string, proxyCache: string])[] = [
  [{ cookie: 'a=b' }, 'credentials', 'stored'],
  [{ authorization: 'Bearer a' }, 'credentials', 'stored'],
  [{ 'content-length': '2' }, 'content', 'stored'],
  [{ connection: 'upgrade', upgrade: 'websocket' }, 'content', 'stored'],
  [{ 'x-member': 'anna' }, 'option', 'option'],
  [{ 'x-rewrite-url': '/y' }, 'stored', 'override'],
  [{ 'x-act': 'no-store' }, 'hook-cache-control', 'hook-cache-control'],
  [{ 'x-act': 'created' }, 'hook-status', 'hook-status'],
  [{ 'x-act': 'serializer' }, 'hook-serializer', 'hook-serializer'],
  [{ 'x-act': 'trailer' }, 'hook-trailers', 'hook-trailers'],
  [{ 'x-act': 'nonce' }, 'nonce', 'nonce'],
]

for (const [index, name] of (['edge', 'proxyCache'] as const).entries()) {
  t.test(`Cache-Status of ${name} says why a request bypasses the cache`, async (t) => {
    for (const [headers, ...expected] of reasons) {
      const app = Fastify()
      t.teardown(() => app.close())
      await app.register(edge)
      await app.register(proxyCache)
      app.addHook('onRequest', async ({ headers }, reply) => void acts[String(headers['x-act'])]?.(reply))
      app.get('/x', { config: { [name]: options } }, async (_request, reply) =>
        reply.header('cache-control', 'public, max-age=60').send('page'),
      )
      const status = String((await app.inject({ url: '/x', headers })).headers['cache-status'])
      const reason = expected[index] ?? ''
      const pattern = reason === 'stored' ? '; fwd=uri-miss;.*; stored$' : `; fwd=bypass; .*; detail=${reason}$`
      t.match(status, new RegExp(pattern), JSON.stringify(headers))
    }
  })
}
