// The Node servers that bench/edge.js compares, one in each process: `node bench/edge-server.js KIND`. The parent sends the answers
// over IPC and receives the port; it may also request a CPU profile.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Session } from 'node:inspector/promises'
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import edge from 'fastify-vitrine/edge'
import { LRUCache } from 'lru-cache'
import { sellers } from './cache-kit.js'

const loopback = { host: '127.0.0.1', port: 0 }
const kinds = { edge: startEdge, constant, hooked, http: bareHttp, origin, lru: byHand, app: application }
const [, , kind] = process.argv
const [{ answers }] = await once(process, 'message')
process.send({ port: await kinds[kind](answers) })
process.on('disconnect', () => process.exit())
profileOnDemand()

/** The edge under test: pages and JSON of about 20 kB, whose handlers do not run while it is measured. */
async function startEdge() {
  const app = Fastify()
  await app.register(cache)
  await app.register(edge)
  const config = { edge: { ttlSeconds: 86_400 } }
  const rows = sellers(90).map(({ name, city, rating, sales }) => {
    const id = createHash('sha256').update(name).digest('base64url').slice(0, 16) // random ids, which Brotli cannot compress away
    const cells = [name, city, rating, sales].map((text) => `<td class="cell">${text}</td>`)
    return `<tr id="${id}"><th scope="row"><a href="/panels/sellers/${id}">${id}</a></th>${cells.join('')}</tr>\n`
  })
  const page = `<!doctype html>\n<title>Sellers</title>\n<table>\n${rows.join('')}</table>\n`
  for (const path of ['/html', '/html-304', '/html-br']) {
    app.get(path, { config }, async (_request, reply) => reply.type('text/html; charset=utf-8').send(page))
  }
  app.get('/json', { config }, async () => ({ items: sellers(175), page: 1, page_size: 175, total: 1_240 }))
  return listening(app)
}

/** The reference: a route that sends constant bytes and header fields. */
async function constant(answers) {
  const app = Fastify()
  for (const { path, status, headers, body } of answers) addConstant(app, path, status, headers, body)
  return listening(app)
}

/** The same with the security headers, request ids and hooks of the application. */
async function hooked(answers) {
  const { default: proxies } = await import('../dist/http/proxies.js')
  const { default: security } = await import('../dist/http/security.js')
  const { decodableUrl, resolveRequestId } = await import('../dist/http/request-id.js')
  const app = Fastify({ genReqId: resolveRequestId, rewriteUrl: decodableUrl })
  await app.register(proxies, { isTrusted: () => false })
  await app.register(security, { rateLimitMax: 0 })
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.addHook('onSend', async () => undefined)
  await app.register(async (routes) => {
    for (const { path, status, headers, body } of answers) {
      const { 'x-request-id': _id, ...others } = headers
      addConstant(routes, path, status, others, body)
    }
  })
  return listening(app)
}

function addConstant(app, path, status, headers, body) {
  app.get(path.split('?', 1)[0], (_request, reply) => {
    reply.code(status).headers(headers)
    reply.send(status === 304 ? undefined : body)
  })
}

/** Node without a framework. */
async function bareHttp(answers) {
  const byPath = new Map(
    answers.map(({ path, status, headers, body }) => [path, { status, fields: Object.entries(headers).flat(), body }]),
  )
  return served((request, response) => {
    const { status, fields, body } = byPath.get(request.url)
    response.writeHead(status, fields)
    response.end(status === 304 ? undefined : body)
  })
}

/** A hand-written cache. */
async function byHand(answers) {
  const app = Fastify()
  const lru = new LRUCache({ max: 1_000 })
  for (const { path, whole } of answers) {
    const encoding = whole.headers['content-encoding'] ?? 'identity'
    lru.set(`${path} ${encoding}`, { ...whole, until: Date.now() + 86_400_000 })
  }
  app.get('/*', (request, reply) => {
    const encoding = request.headers['accept-encoding']?.includes('br') ? 'br' : 'identity'
    const entry = lru.get(`${request.url} ${encoding}`)
    if (entry === undefined || entry.until < Date.now()) return reply.code(404).send()
    reply.headers(entry.headers)
    if (request.headers['if-none-match'] !== entry.headers.etag) return reply.send(entry.body)
    return reply.code(304).removeHeader('content-length').removeHeader('content-type').send()
  })
  return listening(app)
}

/** The origin of nginx and Varnish, which both store its answers. */
async function origin(answers) {
  const byPath = new Map(answers.map(({ path, whole }) => [path, whole]))
  return served((request, response) => {
    const { status, headers, body } = byPath.get(request.url)
    response.writeHead(status, headers)
    response.end(body)
  })
}

/** The application with its bundled demo marketplace. */
async function application() {
  await import('../dist/server.js')
  return Number(process.env.PORT)
}

async function listening(app) {
  await app.listen(loopback)
  return app.server.address().port
}

async function served(handler) {
  const server = createServer(handler).listen(loopback)
  await once(server, 'listening')
  return server.address().port
}

/** Answers `{ profileMs }` of the parent with a `{ profile }` in the format of Chrome's developer tools. */
function profileOnDemand() {
  process.on('message', async ({ profileMs }) => {
    const session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: 200 })
    await session.post('Profiler.start')
    await new Promise((resolve) => setTimeout(resolve, profileMs))
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    process.send({ profile })
  })
}
