import { createServer, type IncomingHttpHeaders } from 'node:http'
import replyFrom from '@fastify/reply-from'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { BackgroundRefreshes } from '../../../plugins/responses/background-refresh.js'
import { createClock } from '../../harness/clock.js'
import { connectRaw, listen } from '../../harness/raw-http.js'
import { until } from '../../harness/until.js'

// Background refreshes of responses that are served stale (RFC 5861 §3).

interface World {
  readonly app: FastifyInstance
  readonly step: (seconds: number) => void
  /** The requests of the handler, in order. */
  readonly asked: { readonly url: string; readonly headers: IncomingHttpHeaders }[]
  /** Sends the exact target over a socket. */
  write(target: string, fields?: string): Promise<{ body: string; status: string }>
}

async function startWorld(t: Test, routes: (app: FastifyInstance) => void = () => undefined): Promise<World> {
  const clock = createClock()
  const app = Fastify()
  await app.register(edge, { now: clock.now })
  await app.register(proxyCache, { now: clock.now })
  const asked: World['asked'] = []
  app.get(
    '/own/*',
    { config: { edge: { ttlSeconds: 1, staleWhileRevalidateSeconds: 60 } } },
    async ({ url, headers }) => {
      asked.push({ url, headers: { ...headers } })
      return `${asked.length}`
    },
  )
  app.get('/fwd/*', { config: { proxyCache: {} } }, async ({ url, headers, raw }, reply) => {
    asked.push({ url, headers: { ...headers } })
    reply.headers({ 'cache-control': 'max-age=1, stale-while-revalidate=60', vary: 'user-agent' })
    if (raw.headers.range !== undefined) reply.code(206).header('content-range', 'bytes 0-0/1')
    return `${asked.length}`
  })
  routes(app)
  await app.ready()
  t.teardown(() => app.close())
  const connection = await connectRaw(t, await listen(app))
  return {
    app,
    step: clock.step,
    asked,
    async write(target, fields = 'Host: a.example\r\n') {
      connection.write(`GET ${target} HTTP/1.1\r\n${fields}\r\n`)
      const { body, fields: answered } = await connection.response()
      return { body: body.toString(), status: answered['cache-status'] ?? '' }
    },
  }
}

t.test('a stale response is served at once and refreshed once for all clients', async (t) => {
  const { app, step, asked } = await startWorld(t)
  t.equal((await app.inject('/own/a')).body, '1')
  step(2)
  const several = await Promise.all(Array.from({ length: 8 }, () => app.inject('/own/a')))
  for (const { body, headers } of several) {
    t.equal(body, '1')
    t.match(headers['cache-status'], /hit; ttl=-1; detail=stale-while-revalidate/)
  }
  t.ok(await until(() => asked.length === 2))
  t.ok(await until(async () => (await app.inject('/own/a')).body === '2'))
  t.equal(asked.length, 2)
})

t.test('unusual targets and clients are refreshed, too', async (t) => {
  const { step, asked, write } = await startWorld(t)
  const targets = [
    '/own/a?',
    '/own/./a',
    '/own/x/../a',
    '/own/a#b',
    "/own/a?q='",
    'http://b.example/own/a',
    '/own/%7e',
    '/own/"',
  ]
  for (const target of [...targets, ...targets.map((one) => one.replace('own', 'fwd'))]) {
    const before = asked.length
    t.equal((await write(target)).body, `${before + 1}`, target)
    step(2)
    await write(target)
    t.ok(await until(() => asked.length === before + 2), 'the handler is called a second time')
    t.equal(asked.at(-1)?.url, asked.at(-2)?.url, 'with the same URL')
    t.ok(await until(async () => (await write(target)).body === `${before + 2}`))
    t.match((await write(target)).status, /hit; ttl=[01]$/)
  }
})

t.test('the handler receives the request of the client', async (t) => {
  const { step, asked, write } = await startWorld(t)
  for (const fields of ['Host: a.example\r\n', 'Host: \r\n', 'Host: b.example\r\nUser-Agent: x\r\nX-A: \xe9\r\n']) {
    const before = asked.length
    await write('/fwd/a', fields)
    step(2)
    await write('/fwd/a', fields)
    t.ok(await until(() => asked.length === before + 2))
    const [first, second] = asked.slice(before).map(({ headers }) => JSON.stringify(Object.entries(headers).sort()))
    t.equal(second, first)
    t.ok(await until(async () => /hit; ttl=1$/.test((await write('/fwd/a', fields)).status)))
  }
})

t.test('a range or no-store request does not remove the stored response', async (t) => {
  const { step, asked, write } = await startWorld(t)
  for (const more of ['Range: bytes=0-0', 'Cache-Control: no-store']) {
    await write('/fwd/a')
    step(2)
    const before = asked.length
    await write('/fwd/a', `Host: a.example\r\n${more}\r\n`)
    t.ok(await until(() => asked.length === before + 1), more)
    t.ok(await until(async () => (await write('/fwd/a')).body === `${before + 1}`), 'refreshed and stored')
    t.equal(asked.length, before + 1)
    step(100)
  }
})

t.test('a refreshed response has no hop-by-hop fields', async (t) => {
  // RFC 9110 §7.6.1
  let visits = 0
  const origin = createServer((_request, response) => {
    visits += 1
    response.sendDate = false // it would be that of another clock
    response.writeHead(200, {
      'cache-control': 'max-age=1, stale-while-revalidate=60',
      connection: 'x-hop',
      'x-hop': visits,
    })
    response.end(`${visits}`)
  })
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    origin.close()
    origin.closeAllConnections()
  })
  const address = origin.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  const { app, step, write } = await startWorld(t, (app) => {
    app.register(replyFrom, { base: `http://127.0.0.1:${address.port}`, disableRequestLogging: true })
    app.get('/other', { config: { proxyCache: {} } }, (request, reply) => reply.from(request.raw.url))
  })
  await write('/other')
  step(2)
  await write('/other')
  t.ok(await until(async () => (await write('/other')).body === '2'))
  const { headers } = await app.inject({ url: '/other', headers: { host: 'a.example' } })
  t.match(headers['cache-status'], /hit/)
  t.notOk('x-hop' in headers)
})

t.test('a refresh that never ends delays neither closing nor later requests', async (t) => {
  const clock = createClock()
  const app = Fastify()
  await app.register(edge, { now: clock.now })
  let calls = 0
  const config = { edge: { ttlSeconds: 1, staleWhileRevalidateSeconds: 60 } }
  app.get('/x', { config }, () => (calls++ === 0 ? Promise.resolve('x') : new Promise(() => undefined)))
  await app.inject('/x')
  clock.step(2)
  t.match((await app.inject('/x')).headers['cache-status'], /stale-while-revalidate/)
  t.ok(await until(() => calls === 2))
  let isClosed = false
  app.close().then(() => {
    isClosed = true
  })
  t.ok(await until(() => isClosed))
})

/** An application whose refreshes never end, with their number. */
function startHanging(t: Test, timeoutMs: number) {
  const app = Fastify()
  t.teardown(() => app.close())
  const refreshes = new BackgroundRefreshes(app, timeoutMs)
  let hung = 0
  app.get('/x', async (request) => {
    if (request.headers['x-client'] === undefined) {
      hung += 1
      await new Promise(() => undefined)
    }
    refreshes.begin('k', request, {}, () => undefined)
    return 'x'
  })
  return { ask: () => app.inject({ url: '/x', headers: { 'x-client': '1' } }), hung: () => hung }
}

t.test('one refresh per response is in flight', async (t) => {
  const { ask, hung } = startHanging(t, 600_000)
  await Promise.all([ask(), ask()])
  t.ok(await until(() => hung() === 1))
  await ask()
  t.equal(hung(), 1)
})

t.test('a refresh that does not end is abandoned after a timeout, and another one starts', async (t) => {
  const { ask, hung } = startHanging(t, 1)
  const isAnotherBegun = async () => {
    await ask()
    return hung() > 1
  }
  t.ok(await until(isAnotherBegun))
})
