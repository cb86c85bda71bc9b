import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import t from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { connectRaw, listen } from '../../harness/raw-http.js'

// Cache deception: a client is led to an address of its account that looks like a file, so that a cache stores the page for others.

const targets = [
  '/account',
  '/account/x.css',
  '/account/x.js?v=1',
  '/account/..%2fx.png',
  '/account/%2e%2e/x.jpg',
  '/account;x.css',
  '/account/;/x.css',
  '/account%3Bx.css',
  '/account%2Fx.css',
  '/account%00.css',
  '/account%0A.css',
  '/account%23.css',
  '/account%3F.css',
  '/account//x.css',
  '//account/x.css',
  '/account/x.css/',
  '/account/x.css.',
  '/account/static/../x.css',
  '/account\\x.css',
  'http://a.example/account/x.css',
]

const kinds = ['edge', 'proxyCache'] as const

t.test('a page of an account is for its owner alone, however its address ends', async (t) => {
  for (const kind of kinds) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(edge, { ttlSeconds: 60 })
    await app.register(proxyCache)
    const handler = async ({ headers }: FastifyRequest, reply: FastifyReply) => {
      // As an origin that obeys HTTP says; a handler of the edge need not say it.
      if (kind === 'proxyCache') reply.headers({ 'cache-control': 'max-age=60', vary: 'Cookie' })
      return `account of ${headers.cookie ?? 'a visitor'}`
    }
    for (const url of ['/account', '/account/*', '/*']) app.get(url, { config: { [kind]: {} } }, handler)
    const connection = await connectRaw(t, await listen(app))
    const ask = async (target: string, cookie?: string) => {
      const field = cookie === undefined ? '' : `Cookie: ${cookie}\r\n`
      connection.write(`GET ${target} HTTP/1.1\r\nHost: a.example\r\n${field}\r\n`)
      return connection.response()
    }
    for (const target of targets) {
      const title = `${kind}: ${target}`
      const first = await ask(target, 'anna')
      t.match(String(first.body), /^account of anna$|"statusCode":40\d/, title)
      t.match(String((await ask(target)).body), /^account of a visitor$|"statusCode":40\d/, title)
      const again = await ask(target, 'anna')
      t.equal(String(again.body), String(first.body), title)
    }
  }
})

t.test('whether and how long a response is stored does not depend on what its path looks like', async (t) => {
  for (const kind of kinds) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(edge, { ttlSeconds: 60 })
    await app.register(proxyCache)
    const fields = kind === 'edge' ? {} : { 'cache-control': 'max-age=60' }
    const handler = async (_request: FastifyRequest, reply: FastifyReply) => reply.headers(fields).send('x')
    app.get('/stored/*', { config: { [kind]: {} } }, handler)
    app.get('/private/*', { config: { [kind]: {} } }, async (_request, reply) =>
      reply.header('cache-control', 'private').send('x'),
    )
    for (const path of ['page', 'page.css', 'page.js', 'page;x.png', 'page%2Fx.woff2', 'a/b.jpg']) {
      const [first, second] = [await app.inject(`/stored/${path}`), await app.inject(`/stored/${path}`)]
      t.match(first.headers['cache-status'], /ttl=60; stored/, path)
      t.match(second.headers['cache-status'], /; hit/, path)
      t.match((await app.inject(`/private/${path}`)).headers['cache-status'], /detail=private/, path)
    }
  }
})
