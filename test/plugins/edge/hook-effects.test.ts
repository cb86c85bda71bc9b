import { once } from 'node:events'
import { request as ask } from 'node:http'
import { Readable } from 'node:stream'
import cookie from '@fastify/cookie'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createLogBook } from '../../harness/log.js'

// What hooks before the cache have set on a reply counts for hits too.

const cached = {
  edge: { edge: { ttlSeconds: 60 } },
  'proxy cache': { proxyCache: { ttlSeconds: 60 } },
} as const

async function start(t: Test, build: (app: FastifyInstance) => unknown) {
  const book = createLogBook()
  const app = Fastify({ logger: { level: 'warn', stream: book.stream } })
  t.teardown(() => app.close())
  await app.register(edge)
  await app.register(proxyCache)
  await build(app)
  const get = async (client: string, method: 'GET' | 'HEAD' = 'GET') => {
    const {
      statusCode: status,
      headers,
      body,
    } = await app.inject({ method, url: '/x', headers: { 'x-client': client } })
    return { status, headers, body, cacheStatus: String(headers['cache-status']) }
  }
  return { app, book, get }
}

type Act = (reply: FastifyReply, request: FastifyRequest) => void

/** A hook that does something for the client `b` alone. */
const forClient = (act: Act) => async (request: FastifyRequest, reply: FastifyReply) => {
  if (request.headers['x-client'] === 'b') act(reply, request)
}

t.test('cookies that hooks set are sent with hits to their client alone', async (t) => {
  const acts: Record<string, Act> = {
    'with @fastify/cookie': (reply) => reply.setCookie('visitor', 'b'),
    'with @fastify/cookie, several': (reply) => reply.setCookie('a', '1').setCookie('visitor', 'b'),
    'as a field': (reply) => reply.header('set-cookie', 'visitor=b'),
    'as a field of Node': (reply) => reply.raw.setHeader('set-cookie', 'visitor=b'),
  }
  for (const [name, act] of Object.entries(acts)) {
    for (const [kind, config] of Object.entries(cached)) {
      for (const hook of ['onRequest', 'preHandler'] as const) {
        const { get } = await start(t, async (app) => {
          await app.register(cookie)
          app.addHook(hook, forClient(act))
          app.get('/x', { config }, async (_request, reply) => reply.header('x-own', '1').send('page'))
        })
        const of = `${name}, ${hook}, ${kind}`
        t.match(await get('a'), { cacheStatus: /stored/ }, of)
        for (const method of ['GET', 'HEAD'] as const) {
          const { headers, body, cacheStatus } = await get('b', method)
          t.match(cacheStatus, /hit/, of)
          t.match(String(headers['set-cookie']), /visitor=b/, of)
          t.match(headers, { 'content-length': '4', 'x-own': '1', 'content-type': /text\/plain/ }, of)
          t.equal(body, method === 'GET' ? 'page' : '', of)
        }
        t.match(await get('a'), { cacheStatus: /hit/, headers: { 'set-cookie': undefined } }, of)
      }
    }
  }
})

t.test('a hit that has a cookie says what the response says that is not stored because of it', async (t) => {
  const handlers: Record<string, object> = {
    'states nothing': {},
    'states a lifetime': { 'cache-control': 'public, max-age=60' },
    'states a lifetime for CDNs': { 'cdn-cache-control': 'max-age=60' },
    'states both': {
      'cache-control': 'max-age=60',
      'cdn-cache-control': 'max-age=60',
      'surrogate-control': 'max-age=60',
    },
  }
  const acts: Record<string, Act> = {
    'with @fastify/cookie': (reply) => reply.setCookie('visitor', 'b'),
    'as a field': (reply) => reply.header('set-cookie', 'visitor=b'),
  }
  for (const [kind, config] of Object.entries(cached)) {
    for (const [name, fields] of Object.entries(handlers)) {
      for (const [how, act] of Object.entries(acts)) {
        const build = async (app: FastifyInstance) => {
          await app.register(cookie)
          app.addHook('onRequest', forClient(act))
          app.get('/x', { config }, async (_request, reply) => reply.headers(fields).send('page'))
        }
        const { get } = await start(t, build)
        const fresh = (await (await start(t, build)).get('b')).headers
        await get('a')
        const { headers, cacheStatus } = await get('b')
        t.match(cacheStatus, /hit/)
        for (const field of ['cache-control', 'cdn-cache-control', 'surrogate-control', 'surrogate-key', 'set-cookie'])
          t.same(headers[field], fresh[field], `${kind} ${name}, cookie ${how}: ${field}`)
        if (kind === 'edge')
          t.match(JSON.stringify([headers['cache-control'], headers['cdn-cache-control']]), /no-store/)
      }
    }
  }
})

t.test('a hit that passes the onSend hooks has the stored bytes, which these hooks have changed already', async (t) => {
  const changes: Record<string, (reply: FastifyReply, payload: unknown) => unknown> = {
    'a longer text': (_reply, payload) => `${payload}, edited`,
    'another type': (reply, payload) => [reply.type('text/html'), `<p>${payload}`].at(1),
    'a stream': (_reply, payload) => Readable.from([`${payload}`, ' as a stream']),
    'another status': (reply, payload) => [reply.code(203), payload].at(1),
    'a coding': (reply, payload) => [reply.header('content-encoding', 'x-none'), payload].at(1),
    'an entity-tag': (reply, payload) => [reply.header('etag', `"${String(payload).length}"`), payload].at(1),
  }
  for (const [name, change] of Object.entries(changes)) {
    for (const [kind, config] of Object.entries(cached)) {
      const { get } = await start(t, async (app) => {
        await app.register(cookie)
        app.addHook(
          'onRequest',
          forClient((reply) => reply.setCookie('visitor', 'b')),
        )
        app.addHook('onSend', async (_request, reply, payload) => change(reply, payload))
        app.get('/x', { config }, async () => 'page')
      })
      const of = `${name}, ${kind}`
      t.match(await get('a'), { cacheStatus: /stored/ }, of)
      const stored = await get('a')
      t.match(stored, { cacheStatus: /hit/ }, of)
      const hit = await get('b')
      t.match(hit, { status: stored.status, body: stored.body, cacheStatus: /hit/ }, of)
      for (const field of ['content-type', 'content-encoding', 'content-length', 'etag']) {
        t.equal(hit.headers[field], stored.headers[field], `${field}, ${of}`)
      }
      t.match(hit.headers['set-cookie'], /visitor=b/, of)
      const head = await get('b', 'HEAD')
      t.match(head, { status: stored.status, body: '', cacheStatus: /hit/ }, of)
      t.equal(head.headers['content-type'], stored.headers['content-type'], of)
    }
  }
})

t.test('a field that the handler has removed is not sent with a hit that has cookies', async (t) => {
  const { get } = await start(t, async (app) => {
    await app.register(cookie)
    app.addHook('onRequest', async (_request, reply) => void reply.header('x-frame-options', 'DENY'))
    app.addHook(
      'onRequest',
      forClient((reply) => reply.setCookie('visitor', 'b')),
    )
    app.get('/x', { config: cached.edge }, async (_request, reply) =>
      reply.removeHeader('x-frame-options').send('page'),
    )
  })
  for (const client of ['a', 'b', 'a']) t.match(await get(client), { headers: { 'x-frame-options': undefined } })
})

t.test('a request whose reply hooks have made personal bypasses the cache', async (t) => {
  const acts: Record<string, Act> = {
    'no-store': (reply) => reply.header('cache-control', 'private, no-store'),
    'private as a field of Node': (reply) => reply.raw.setHeader('Cache-Control', 'private'),
    'no-store for CDNs': (reply) => reply.header('CDN-Cache-Control', 'no-store'),
    'no-store for surrogates': (reply) => reply.header('Surrogate-Control', 'no-store'),
    'a status': (reply) => reply.code(202),
    'a serializer': (reply) => reply.serializer((payload: unknown) => JSON.stringify({ for: 'b', payload })),
    'a nonce': (reply) => reply.header('content-security-policy', "script-src 'nonce-b'"),
  }
  for (const [name, act] of Object.entries(acts)) {
    for (const [kind, config] of Object.entries(cached)) {
      for (const hook of ['onRequest', 'preHandler'] as const) {
        const build = (options: object) => async (app: FastifyInstance) => {
          app.addHook(hook, forClient(act))
          app.get('/x', options, async () => ({ page: 1 }))
        }
        const { get } = await start(t, build({ config }))
        const uncached = await start(t, build({}))
        const of = `${name}, ${hook}, ${kind}`
        const expected = await uncached.get('b')
        for (const client of ['b', 'a', 'b']) {
          const answer = await get(client)
          if (client === 'a') {
            t.match(answer, { status: 200, body: '{"page":1}', cacheStatus: /stored/ }, of)
            continue
          }
          t.match(answer, { status: expected.status, body: expected.body, cacheStatus: /fwd=bypass/ }, of)
          for (const field of ['cache-control', 'cdn-cache-control', 'surrogate-control', 'content-security-policy']) {
            const given = expected.headers[field]
            if (given !== undefined) t.ok(String(answer.headers[field]).includes(String(given)), `${of}: ${field}`)
          }
        }
        t.match(await get('a'), { status: 200, body: '{"page":1}', cacheStatus: /hit/ }, of)
      }
    }
  }
})

t.test('a page with a nonce in its policy is not stored, with one warning', async (t) => {
  let nonces = 0
  const policy = () => {
    nonces += 1
    return `script-src 'nonce-${nonces}'`
  }
  const builds: Record<string, (app: FastifyInstance) => unknown> = {
    'by the handler': (app) =>
      app.get('/x', { config: cached.edge }, async (_request, reply) => {
        const value = policy()
        return reply.header('content-security-policy', value).send(value)
      }),
    'by a late onSend hook': (app) => {
      app.addHook('onSend', async (_request, reply) => {
        const value = policy()
        reply.header('content-security-policy', value)
        return value
      })
      app.get('/x', { config: cached.edge }, async () => 'page')
    },
    'by an onRequest hook': (app) => {
      app.addHook('onRequest', async (_request, reply) => {
        reply.header('content-security-policy', policy())
      })
      app.get('/x', { config: cached.edge }, async (_request, reply) =>
        String(reply.getHeader('content-security-policy')),
      )
    },
  }
  for (const [name, build] of Object.entries(builds)) {
    const { get, book } = await start(t, build)
    const seen = new Set<unknown>()
    for (const client of ['a', 'b', 'c']) {
      const { headers, body, cacheStatus } = await get(client)
      t.equal(headers['content-security-policy'], body, name)
      t.notMatch(cacheStatus, /stored|hit/, name)
      seen.add(body)
    }
    t.equal(seen.size, 3, name)
    t.match(book.at(40), [{ kind: 'edge', url: '/x', msg: /nonce/ }], name)
  }
})

t.test('a response with trailers is not stored, and never has a length and chunks', async (t) => {
  const trailer = (reply: FastifyReply) => reply.trailer('x-checksum', async () => 'abc')
  for (const [kind, config] of Object.entries(cached)) {
    for (const by of ['a hook', 'the handler', 'the handler, of a stream'] as const) {
      const { app } = await start(t, (app) => {
        if (by === 'a hook') app.addHook('onRequest', async (_request, reply) => void trailer(reply))
        app.get('/x', { config }, async (_request, reply) => {
          if (by !== 'a hook') trailer(reply)
          return reply.type('text/plain').send(by === 'the handler, of a stream' ? Readable.from(['page']) : 'page')
        })
      })
      const url = await app.listen({ port: 0, host: '127.0.0.1' })
      for (let count = 0; count < 2; count += 1) {
        const sent = ask(`${url}/x`, { agent: false }).end()
        const [response] = await once(sent, 'response')
        let body = ''
        for await (const chunk of response) body += chunk
        t.equal(body, 'page', `${by}, ${kind}`)
        t.match(response.trailers, { 'x-checksum': 'abc' }, `${by}, ${kind}`)
        t.match(response.headers, { 'transfer-encoding': 'chunked', 'content-length': undefined }, `${by}, ${kind}`)
        t.notMatch(response.headers['cache-status'], /stored|hit/, `${by}, ${kind}`)
      }
    }
  }
})

t.test('the trailers of a handler that failed are not sent with the stored response', async (t) => {
  let isDown = false
  const { get } = await start(t, (app) => {
    const config = { edge: { ttlSeconds: 0, staleIfErrorSeconds: 60 } }
    app.get('/x', { config }, async (_request, reply) => {
      if (!isDown) return 'page'
      return reply
        .code(503)
        .trailer('x-checksum', async () => 'abc')
        .send('down')
    })
  })
  await get('a')
  isDown = true
  const { body, headers } = await get('a')
  t.equal(body, 'page')
  t.match(headers, { 'content-length': '4', 'transfer-encoding': undefined, trailer: undefined })
})

t.test('early hints of a hook are sent before a hit', async (t) => {
  const { app } = await start(t, (app) => {
    app.addHook('onRequest', (_request, reply, done) => {
      reply.writeEarlyHints({ link: '</a.css>; rel=preload' }, done)
    })
    app.get('/x', { config: cached.edge }, async () => 'page')
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  for (const cacheStatus of [/stored/, /hit/]) {
    const hints: unknown[] = []
    const sent = ask(`${url}/x`, { agent: false })
      .on('information', ({ headers }) => hints.push(headers.link))
      .end()
    const [response] = await once(sent, 'response')
    response.resume()
    await once(response, 'end')
    t.match(response.headers['cache-status'], cacheStatus)
    t.same(hints, ['</a.css>; rel=preload'])
  }
})

t.test('an error response has nothing of the lifetime and the tags that its handler set before', async (t) => {
  const said = {
    'cache-control': 'max-age=600',
    'cdn-cache-control': 'max-age=600',
    'surrogate-control': 'max-age=600',
    'surrogate-key': 'sellers',
    'cache-tag': 'sellers',
    'edge-cache-tag': 'sellers',
    expires: 'Fri, 01 Jan 2100 00:00:00 GMT',
    etag: '"a"',
    'last-modified': 'Fri, 01 Jan 2010 00:00:00 GMT',
    age: '1',
  }
  const broken = () =>
    new Readable({
      read() {
        this.destroy(new Error('broken'))
      },
    })
  const handlers: Record<string, (reply: FastifyReply) => unknown> = {
    throws: () => {
      throw new Error('broken')
    },
    rejects: async () => Promise.reject(new Error('broken')),
    'sends an error': (reply) => reply.send(new Error('broken')),
    'sends a stream that fails': (reply) => reply.type('text/plain').send(broken()),
    'sends what cannot be serialized': (reply) => reply.type('application/json').send({ a: 1n }),
  }
  for (const [name, handle] of Object.entries(handlers)) {
    for (const [kind, config] of Object.entries(cached)) {
      for (const isAsync of [false, true]) {
        const { get } = await start(t, (app) => {
          app.addHook(
            'onRequest',
            async (_request, reply) => void reply.header('expires', '0').header('vary', 'origin'),
          )
          const handler = (_request: unknown, reply: FastifyReply) => {
            reply.headers({ ...said, vary: 'x-a', 'x-other': '1' })
            return handle(reply)
          }
          app.get('/x', { config }, isAsync ? async (request, reply) => handler(request, reply) : handler)
        })
        const of = `${name}, ${kind}, ${isAsync}`
        const { status, headers } = await get('a')
        t.equal(status, 500, of)
        for (const field of Object.keys(said)) {
          const value = headers[field]
          if (field === 'expires') t.equal(value, '0', of)
          else if (value !== undefined) t.notMatch(value, said[field as keyof typeof said], `${of}: ${field}`)
        }
        t.equal(headers['x-other'], '1', of)
        t.match(headers.vary, /x-a/, of)
      }
    }
  }
})

t.test('an error handler may state the lifetime of its response', async (t) => {
  const { get } = await start(t, (app) => {
    app.setErrorHandler((_error, _request, reply) => reply.code(503).header('cache-control', 'max-age=1').send('down'))
    app.get('/x', { config: cached.edge }, async (_request, reply) => {
      reply.header('cache-control', 'max-age=600')
      throw new Error('broken')
    })
  })
  t.match(await get('a'), { status: 503, headers: { 'cache-control': 'max-age=1' } })
})
