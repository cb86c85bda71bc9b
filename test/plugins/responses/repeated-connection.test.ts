import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { Agent, request as ask } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { type Certificate, createAuthority } from '../../harness/certificates.js'
import { createClock } from '../../harness/clock.js'
import { until } from '../../harness/until.js'

// A background refresh sees the connection of the request that it repeats.

const config = { edge: { ttlSeconds: 1, staleWhileRevalidateSeconds: 60 } }

/** What a page shows of its connection. */
function describe(request: FastifyRequest) {
  const socket = request.raw.socket as TLSSocket // of a TLS server
  return {
    protocol: request.protocol,
    isEncrypted: socket.encrypted,
    address: request.ip,
    port: socket.remotePort,
    localPort: socket.localPort,
    isAuthorized: socket.authorized,
    subject: socket.getPeerCertificate().subject?.CN,
    issuer: socket.getPeerCertificate(true).issuerCertificate?.subject?.CN,
    version: socket.getProtocol(),
  }
}

async function start(t: Test, options: object, routes: (app: FastifyInstance) => void) {
  const clock = createClock()
  const app = Fastify(options)
  t.teardown(() => app.close())
  await app.register(edge, { now: clock.now })
  await app.register(proxyCache, { now: clock.now })
  routes(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo // a TCP server that listens has no other kind of address
  return { app, clock, port }
}

const read = ({ certFile, keyFile, caFile }: Certificate) => ({
  cert: readFileSync(certFile),
  key: readFileSync(keyFile),
  ca: readFileSync(caFile),
})

t.test('over TLS it sees the protocol, the addresses and the client certificate', async (t) => {
  const authority = createAuthority(t.testdir(), 'authority')
  const tls = { ...read(authority.issue('IP:127.0.0.1')), requestCert: true, rejectUnauthorized: true }
  const seen: object[] = []
  const { clock, port } = await start(t, { https: tls }, (app) => {
    app.addHook('onRequest', async (request, reply) => {
      if (request.protocol !== 'https') return reply.redirect(`https://${request.host}${request.url}`, 308)
      return undefined
    })
    app.get('/x', { config }, async (request) => {
      seen.push(describe(request))
      return describe(request)
    })
  })
  const agent = new Agent({ ...read(authority.issue('DNS:client')), keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const get = async () => {
    const [response] = await once(ask({ port, host: '127.0.0.1', path: '/x', agent }).end(), 'response')
    let body = ''
    for await (const chunk of response.setEncoding('utf8')) body += chunk
    return { body, status: response.statusCode, cacheStatus: response.headers['cache-status'] }
  }
  const first = await get()
  t.match(first, { status: 200, cacheStatus: /stored/ })
  clock.step(2)
  t.match(await get(), { status: 200, cacheStatus: /detail=stale-while-revalidate/ })
  t.ok(await until(() => seen.length === 2))
  t.same(seen[1], seen[0])
  t.match(seen[1], { protocol: 'https', isAuthorized: true, address: '127.0.0.1', subject: /.+/, issuer: /.+/ })
  t.ok(
    await until(async () => /hit; ttl=/.test((await get()).cacheStatus) && !/detail/.test((await get()).cacheStatus)),
  )
  t.equal((await get()).body, first.body)
})

t.test('over HTTP/2 it sees the scheme and the authority', async (t) => {
  const authority = createAuthority(t.testdir(), 'authority')
  const tls = read(authority.issue('IP:127.0.0.1'))
  const seen: unknown[] = []
  const { clock, port } = await start(t, { http2: true, https: tls }, (app) => {
    app.addHook('onRequest', async ({ protocol, host, ip, raw }) => {
      seen.push([protocol, host, ip, Reflect.get(raw, 'scheme'), Reflect.get(raw, 'authority'), raw.socket.remotePort])
    })
    app.get('/x', { config }, async () => 'page')
  })
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: tls.ca })
  t.teardown(() => session.close())
  const get = async () => {
    const stream = session.request({ ':path': '/x' })
    const [head] = await once(stream, 'response')
    stream.resume()
    await once(stream, 'end')
    return head['cache-status']
  }
  t.match(await get(), /stored/)
  clock.step(2)
  t.match(await get(), /detail=stale-while-revalidate/)
  t.ok(await until(() => seen.length === 3))
  t.same(seen[2], seen[0])
  t.match(seen[2], ['https', `127.0.0.1:${port}`, '127.0.0.1', 'https', `127.0.0.1:${port}`])
})

t.test('a connection that has ended is not repeated', async (t) => {
  let calls = 0
  const { clock, port } = await start(t, {}, (app) => {
    app.addHook('onRequest', async (request) => {
      if (request.headers['x-leaves'] !== undefined) request.raw.socket.destroy()
    })
    app.get('/x', { config }, async () => {
      calls += 1
      return 'page'
    })
  })
  const url = `http://127.0.0.1:${port}/x`
  const get = (headers = {}) => fetch(url, { headers }).then((response) => response.headers.get('cache-status'))
  await get()
  clock.step(2)
  for (let count = 0; count < 3; count += 1) await t.rejects(get({ 'x-leaves': '1' }))
  t.equal(calls, 1)
  t.match(await get(), /detail=stale-while-revalidate/)
  t.ok(await until(() => calls === 2))
})

t.test('a refresh that a hook answers is not stored, and retried after a delay', async (t) => {
  const routes: Record<string, object> = {
    edge: config,
    'proxy cache': { proxyCache: { ttlSeconds: 1, staleWhileRevalidateSeconds: 60 } },
  }
  for (const [kind, cached] of Object.entries(routes)) {
    let [isRefused, refused, pages] = [true, 0, 0]
    const { clock, port } = await start(t, {}, (app) => {
      app.addHook('onRequest', async (request, reply) => {
        const isRefresh = typeof request.raw.socket.write !== 'function'
        if (!isRefresh || !isRefused) return undefined
        refused += 1
        return refused === 1 ? reply.redirect('https://a.example/x', 301) : reply.code(429).send('later')
      })
      app.get('/x', { config: cached }, async () => {
        pages += 1
        return `page ${pages}`
      })
    })
    const url = `http://127.0.0.1:${port}/x`
    const get = async () => {
      const response = await fetch(url, { redirect: 'manual' })
      return `${await response.text()}, ${response.headers.get('cache-status')}`
    }
    t.match(await get(), /^page 1, .*stored/, kind)
    clock.step(2)
    for (const count of [1, 2]) {
      t.match(await get(), /^page 1, .*detail=stale-while-revalidate/, kind)
      t.ok(await until(() => refused === count))
      for (let asked = 0; asked < 5; asked += 1) t.match(await get(), /^page 1, .*detail=stale-while-revalidate/, kind)
      t.equal(refused, count, kind)
      clock.step(5)
    }
    isRefused = false
    t.match(await get(), /^page 1, .*detail=stale-while-revalidate/, kind)
    t.ok(await until(async () => /^page 2, Vitrine; hit; ttl=\d+$/.test(await get())), kind)
  }
})

t.test('over TLS the proxy cache finds a refreshed response under its scheme', async (t) => {
  const authority = createAuthority(t.testdir(), 'authority')
  let visits = 0
  const { clock, port } = await start(t, { https: read(authority.issue('IP:127.0.0.1')) }, (app) => {
    app.get('/x', { config: { proxyCache: {} } }, async ({ protocol }, reply) => {
      visits += 1
      return reply.header('cache-control', 'max-age=60, stale-while-revalidate=600').send(`${protocol} ${visits}`)
    })
  })
  const agent = new Agent({ ...read(authority.issue('DNS:client')), keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const get = async () => {
    const [response] = await once(ask({ port, host: '127.0.0.1', path: '/x', agent }).end(), 'response')
    let body = ''
    for await (const chunk of response.setEncoding('utf8')) body += chunk
    return body
  }
  t.equal(await get(), 'https 1')
  clock.step(100)
  t.equal(await get(), 'https 1', 'stale, refreshed in the background')
  t.ok(await until(async () => (await get()) === 'https 2'))
  t.equal(visits, 2)
})
