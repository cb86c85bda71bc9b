import { connect, type Http2ServerRequest, type OutgoingHttpHeaders } from 'node:http2'
import { brotliDecompressSync } from 'node:zlib'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'
import { until } from '../../harness/until.js'

// HTTP/2, where requests have a pseudo-header instead of Host, and Node uses other objects.

const text = 'sellers and their catalogs\n'.repeat(200)

async function startWorld(t: Test) {
  const clock = createClock()
  const app = Fastify({ http2: true })
  const options = { now: clock.now, collapseTimeoutMs: 300_000 }
  await app.register(edge, options)
  await app.register(proxyCache, options)
  let calls = 0
  const counted = { acknowledgeSkippedHooks: true }
  app.addHook('preHandler', async () => {
    calls += 1
  })
  const own = { ...counted, ttlSeconds: 60, ignoreCredentials: true, vary: ['X-Lang'] }
  app.get('/own', { config: { edge: own } }, async ({ headers, raw, host }) => {
    const hidden = [headers.cookie, raw.headers.cookie, raw.rawHeaders.includes('cookie')]
    return `${host} ${headers['x-lang']} ${hidden} ${text}`
  })
  app.get('/fwd', { config: { proxyCache: counted } }, async ({ headers, host }, reply) =>
    reply.headers({ 'cache-control': 'max-age=60', vary: 'X-Lang' }).send(`${host} ${headers['x-lang']} ${calls}`),
  )
  app.get(
    '/behind',
    { config: { edge: { ...counted, ttlSeconds: 1, staleWhileRevalidateSeconds: 60 } } },
    async () => `${calls}`,
  )
  app.post('/own', { config: { edge: {} } }, async () => 'changed')
  app.get('/fwd/other', { config: { proxyCache: counted } }, async ({ host }, reply) =>
    reply.header('cache-control', 'max-age=60').send(`${host} ${calls}`),
  )
  app.post('/fwd', { config: { proxyCache: {} } }, async (_request, reply) =>
    reply.header('location', '/fwd/other').send('changed'),
  )
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const session = connect(url)
  t.teardown(() => session.destroy())
  const ask = async (path: string, fields: OutgoingHttpHeaders = {}) => {
    const stream = session.request({ ':path': path, ':authority': 'a.example', ...fields })
    const head = new Promise<Record<string, unknown>>((resolve) => {
      stream.once('response', (headers) => resolve({ ...headers }))
    })
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    const { ':status': status, ...answered } = await head
    return { status, fields: answered, told: String(answered['cache-status']), body: Buffer.concat(chunks) }
  }
  return { ask, step: clock.step, calls: () => calls }
}

t.test('hosts and Vary fields are distinguished, and masked fields are masked', async (t) => {
  const { ask } = await startWorld(t)
  for (const path of ['/own', '/fwd']) {
    for (const round of ['miss', 'hit']) {
      for (const [fields, expected] of [
        [{}, /^a\.example undefined/],
        [{ ':authority': 'b.example' }, /^b\.example undefined/],
        [{ 'x-lang': 'fr', cookie: 'secret' }, /^a\.example fr/],
        [{ ':authority': 'b.example', 'x-lang': 'fr' }, /^b\.example fr/],
        [{ host: 'c.example' }, /^c\.example undefined/],
      ] as const) {
        const { status, told, body } = await ask(path, fields)
        t.equal(status, 200)
        t.match(body.toString(), expected)
        t.notMatch(body.toString(), 'secret')
        t.match(told, round === 'hit' ? /hit/ : /miss/, `${path} ${JSON.stringify(fields)}`)
      }
    }
  }
})

t.test('HEAD, conditions, ranges and codings are served from the stored response', async (t) => {
  const { ask, calls } = await startWorld(t)
  const whole = await ask('/own')
  const { etag, 'content-length': length } = whole.fields
  t.match(await ask('/own', { ':method': 'HEAD' }), {
    status: 200,
    fields: { etag, 'content-length': length },
    body: Buffer.alloc(0),
  })
  t.match(await ask('/own', { 'if-none-match': String(etag) }), {
    status: 304,
    fields: { etag },
    body: Buffer.alloc(0),
  })
  t.match(await ask('/own', { range: 'bytes=0-8' }), { status: 206, body: Buffer.from('a.example') })
  t.ok(await until(async () => (await ask('/own', { 'accept-encoding': 'br' })).fields['content-encoding'] === 'br'))
  t.strictSame(brotliDecompressSync((await ask('/own', { 'accept-encoding': 'br' })).body), whole.body)
  t.equal(calls(), 1)
})

t.test('concurrent requests cause one handler call', async (t) => {
  const { ask, calls } = await startWorld(t)
  const answers = await Promise.all(Array.from({ length: 32 }, () => ask('/fwd')))
  t.ok(answers.every(({ body }) => body.toString() === 'a.example undefined 1'))
  t.equal(calls(), 1)
})

t.test('an unsafe request invalidates the response of the same host, and a stale response is refreshed', async (t) => {
  const { ask, step, calls } = await startWorld(t)
  for (const authority of ['a.example', 'b.example']) {
    for (const path of ['/own', '/fwd', '/fwd/other']) await ask(path, { ':authority': authority })
  }
  for (const path of ['/own', '/fwd']) {
    t.equal((await ask(path, { ':method': 'POST' })).body.toString(), 'changed')
  }
  for (const path of ['/own', '/fwd', '/fwd/other']) {
    t.match((await ask(path, { ':authority': 'b.example' })).told, /hit/)
    t.match((await ask(path)).told, /miss/, path)
  }
  const first = await ask('/behind')
  step(2)
  const before = calls()
  const stale = await ask('/behind')
  t.match(stale.told, /stale-while-revalidate/)
  t.strictSame(stale.body, first.body)
  t.ok(await until(async () => /hit; ttl=[01]$/.test((await ask('/behind')).told)))
  t.equal(calls(), before + 1)
})

t.test('over HTTP/2 the handler sees the authority of the key only, and a request with content bypasses', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(() => app.close())
  await app.register(edge, { ttlSeconds: 60 })
  const handler = async ({ raw }: { readonly raw: Http2ServerRequest }) => {
    const { authority, scheme } = raw
    return { authority, scheme }
  }
  const querystring = { type: 'object', properties: {} }
  app.get('/keyed', { schema: { querystring }, config: { edge: {} } }, handler)
  app.get('/plain', { config: { edge: {} } }, handler)
  const session = connect(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(() => session.destroy())
  const ask = async (path: string, content?: string) => {
    const fields = { ':path': path, ':authority': 'Evil.example', ':scheme': 'evil' }
    const stream = session.request(fields, { endStream: content === undefined })
    let status = ''
    stream.once('response', (headers) => {
      status = String(headers['cache-status'])
    })
    if (content !== undefined) stream.end(content)
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return { ...JSON.parse(String(Buffer.concat(chunks))), status }
  }
  t.match(await ask('/keyed', 'text'), { authority: 'Evil.example', scheme: 'evil', status: /fwd=bypass/ })
  t.match(await ask('/keyed'), { authority: '', scheme: 'http', status: /stored/ })
  t.match(await ask('/plain'), { authority: 'evil.example', scheme: 'http', status: /stored/ })
  t.match(await ask('/plain', 'text'), { status: /fwd=bypass/ })
})
