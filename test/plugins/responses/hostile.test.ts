import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import replyFrom from '@fastify/reply-from'
import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import cache from '../../../plugins/cache/index.js'
import edge from '../../../plugins/edge/index.js'
import { normaliseAcceptEncoding } from '../../../plugins/http/encoding.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { type Clock, createClock } from '../../harness/clock.js'
import { type HostileRequest, hostileBatch, requestsInBatch } from '../../harness/hostile-requests.js'
import { connectRaw, listen, type RawConnection, type RawHead, type RawResponse } from '../../harness/raw-http.js'

// Requests of scanners and attackers, to routes of both caches. The model is the same application without a cache: it is
// sent the same request before, and the caches have to answer like it.

/** HOSTILE_REQUESTS=100000 sends more, with another seed each time; HOSTILE_SEED=… repeats a run. */
const { HOSTILE_REQUESTS, HOSTILE_SEED } = process.env
const wanted = Number(HOSTILE_REQUESTS ?? 3_000)
const seed = Number(HOSTILE_SEED ?? (HOSTILE_REQUESTS === undefined ? 2_026 : Date.now() % 2 ** 31))

interface Answer extends RawHead {
  readonly body: Buffer
}

/** Sends a batch, concurrently or in sequence; gives the answers in the order of the requests. */
type Transport = (app: 'model' | 'edge', shapes: readonly HostileRequest[]) => Promise<Answer[]>

const secretPattern = /zq\d+qz/g
const secretOf = (number: number) => `zq${number}qz`

// --- the application -------------------------------------------------------------------------------------------------

const ownQuery = Type.Object({
  page: Type.Integer({ minimum: 1, maximum: 100, default: 1 }),
  name: Type.Optional(Type.String({ maxLength: 60 })),
  sort: Type.Optional(Type.Array(Type.String(), { maxItems: 4 })),
})
const ownParameters = Object.keys(ownQuery.properties)
const isGold = (tier: string | undefined) => (tier?.toLowerCase().includes('gold') ? 'gold' : undefined)
/** Long enough to be compressed. */
const padding = 'sellers and their catalogs '.repeat(60)

/** Everything that a handler can find in a request, except the fields that it negotiates by. */
function everything(request: FastifyRequest): string {
  const {
    accept: _accept,
    'accept-language': _language,
    ...headers
  } = Object.getOwnPropertyDescriptors(request.headers)
  const { raw } = request
  return encodeURIComponent(
    JSON.stringify([
      Object.entries(headers).map(([name, { value }]) => [name, value]),
      [raw.rawHeaders, raw.headersDistinct, raw.url, request.url, request.originalUrl, request.query],
      [request.ip, request.ips, request.host, request.hostname, request.protocol],
    ]),
  )
}

/** The application under test, or, without the caches, its model. */
async function buildApp(t: Test, origin: string, options?: { readonly now: () => number; readonly shared: boolean }) {
  const app = Fastify({ trustProxy: true, routerOptions: { maxParamLength: 500 } })
  if (options !== undefined) {
    await app.register(cache, { now: options.now })
    const policy = { now: options.now, staleWhileRevalidateSeconds: 10 }
    await app.register(edge, policy)
    await app.register(proxyCache, { ...policy, shared: options.shared })
  }
  await app.register(replyFrom, { base: origin, disableRequestLogging: true })
  const isModel = options === undefined
  app.get<{ Querystring: typeof ownQuery.static }>(
    '/own/query',
    {
      schema: { querystring: ownQuery },
      config: {
        edge: {
          ttlSeconds: 60,
          vary: ['X-Lang', { name: 'X-Tier', normalise: isGold }],
          tags: ({ query }) => [`name:${(query as { name?: string }).name ?? ''}`], // as the schema says
        },
      },
    },
    async (request, reply) => {
      const { 'x-lang': lang, 'x-tier': tier } = request.headers
      if (!isModel) reply.header('x-everything', everything(request))
      if (lang !== undefined) reply.header('x-lang-echo', lang)
      // Without a cache, and when the request bypasses it, the handler sees all parameters.
      const query = sorted(pick(request.query, ownParameters))
      return { query, lang: members(lang), tier: isGold(String(tier)) ?? null, padding }
    },
  )
  app.get('/own/plain/*', { config: { edge: { ttlSeconds: 60 } } }, async (request, reply) => {
    if (!isModel) reply.header('x-everything', everything(request))
    return { target: request.url, host: (request.headers.host ?? '').toLowerCase(), query: request.query }
  })
  app.get('/own/negotiated', { config: { edge: { ttlSeconds: 60 } } }, async (request) => {
    const { accept, 'accept-language': language } = request.headers
    return { accept: members(accept), language: members(language) }
  })
  app.get(
    '/own/personal',
    {
      config: {
        edge: {
          ttlSeconds: 60,
          ignoreCredentials: true,
          vary: ['Cookie', 'Authorization'].map((name) => ({ name, normalise: (value?: string) => value })),
        },
      },
    },
    async (request) => {
      const { cookie, authorization } = request.headers
      return { cookie: cookie ?? null, authorization: authorization ?? null }
    },
  )
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/fwd/*',
    config: { proxyCache: {} },
    handler: (request, reply) =>
      reply.from(originTarget(request), {
        rewriteRequestHeaders: ({ raw }, headers) => ({
          ...without(headers, unforwardable),
          'x-target': encodeURIComponent(`${(raw.headers.host ?? '').toLowerCase()} ${raw.url}`),
        }),
      }),
  })
  await app.ready()
  t.teardown(() => app.close())
  return app
}

/** Fields that are not forwarded: of the connection, of a missing body, and of responses. */
const unforwardable = [
  ...['content-length', 'transfer-encoding', 'keep-alive', 'upgrade', 'expect', 'te', 'trailer', 'proxy-connection'],
  ...['proxy-authorization', 'cache-status', 'surrogate-key', 'surrogate-control', 'cache-tag'],
]

/** A request may have the absolute form; a server forwards what follows the authority. RFC 9112 §3.2.2. */
function originTarget({ raw }: FastifyRequest): string {
  const [path = '/'] = (raw.url ?? '/').replace(/^https?:\/\/[^/?#]*/i, '').split('?')
  return path
}

/** Parameters in a fixed order. */
function sorted<T>(values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1)))
}

function pick<T>(values: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)))
}

function without<T>(values: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)))
}

/** The members of a list field, as variants are compared by it. */
function members(field: string | string[] | undefined): string[] | null {
  if (field === undefined) return null
  return String(field)
    .split(',')
    .map((member) => member.replace(/^[\t ]+|[\t ]+$/g, ''))
    .filter(Boolean)
}

// --- the origin ------------------------------------------------------------------------------------------------------

/** Echoes what it received, as far as it declares that the response depends on it; or everything in a private response. */
async function startOrigin(t: Test, clock: Clock): Promise<string> {
  const versions = new Map<string, number>()
  const server = createServer((request, response) => {
    const target = decodeURIComponent(String(request.headers['x-target']))
    if (request.method === 'POST' || request.method === 'DELETE') {
      versions.set(target, (versions.get(target) ?? 0) + 1)
      request.resume()
      response.writeHead(204, { Location: '/fwd/public/a', 'Content-Location': String(request.url) }).end()
      return
    }
    echo(request, response, { target, version: versions.get(target) ?? 0 }, clock)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo // a TCP server that listens has no other kind of address
  return `http://127.0.0.1:${port}`
}

/** A cache may normalise `Accept-Encoding`, and a list, without empty members and white space. RFC 9110 §5.6.1.2. */
function withListsSpelledOut(headers: IncomingMessage['headers']): object {
  const lists = ['accept', 'accept-charset', 'accept-language']
  const spelled = (name: string, value: string | string[] | undefined) => {
    if (name === 'accept-encoding') return normaliseAcceptEncoding(String(value))
    return lists.includes(name) ? members(value) : value
  }
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, spelled(name, value)]))
}

function echo(request: IncomingMessage, response: ServerResponse, is: object, clock: Clock): void {
  const { headers } = request
  const all = withListsSpelledOut(without(headers, [...conditions, 'cache-control', 'pragma']))
  const [, , kind = ''] = (request.url ?? '').split('/')
  const secret = JSON.stringify(all).match(secretPattern)?.[0] ?? 'none'
  const lang = members(headers['x-lang'])
  const kinds: Record<string, { status?: number; fields: Record<string, string | string[]>; body: object }> = {
    public: { fields: { 'Cache-Control': 'max-age=30' }, body: is },
    swr: { fields: { 'Cache-Control': 'max-age=1, stale-while-revalidate=60' }, body: is },
    check: { fields: { 'Cache-Control': 'no-cache' }, body: is },
    vary: {
      fields: { 'Cache-Control': 's-maxage=30', Vary: 'x-lang , Accept-Language' },
      body: { ...is, lang, language: members(headers['accept-language']) },
    },
    odd: {
      fields: { 'Cache-Control': 'max-age=30', Vary: 'X-Lang, __proto__, constructor, toString' },
      body: { ...is, lang },
    },
    cookie: {
      fields: { 'Cache-Control': 'max-age=30', Vary: 'Cookie' },
      body: { ...is, cookie: headers.cookie ?? null },
    },
    auth: {
      fields: { 'Cache-Control': 'max-age=30' },
      body: { ...is, authorization: headers.authorization ?? null },
    },
    private: { fields: { 'Cache-Control': 'private, max-age=30' }, body: { ...is, all } },
    nostore: { fields: { 'Cache-Control': 'no-store', ETag: '"same"' }, body: { ...is, all } },
    star: { fields: { 'Cache-Control': 'max-age=30', Vary: '*' }, body: { ...is, all } },
    silent: { fields: { 'Set-Cookie': [`id=${secret}`, 'a=b'] }, body: { ...is, all } },
    qualified: {
      fields: { 'Cache-Control': 'max-age=30, private="x-secret"', 'X-Secret': secret },
      body: is,
    },
    hop: { fields: { 'Cache-Control': 'max-age=30', Connection: 'x-hop, keep-alive', 'X-Hop': secret }, body: is },
    gone: { status: 410, fields: {}, body: { ...is, all } },
  }
  const { status = 404, fields, body } = kinds[kind] ?? { fields: {}, body: is }
  const isKnown = Object.hasOwn(kinds, kind)
  const text = JSON.stringify(body)
  const etag = `"${createHash('sha1').update(text).digest('hex')}"`
  response.sendDate = false
  response.setHeader('Date', new Date(clock.now()).toUTCString())
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('Last-Modified', 'Mon, 02 Feb 2026 10:00:00 GMT')
  response.setHeader('ETag', etag)
  for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
  if (isKnown && status === 404 && headers['if-none-match'] === etag) {
    response.writeHead(304).end()
    return
  }
  response.writeHead(isKnown && status === 404 ? 200 : status, { 'Content-Length': Buffer.byteLength(text) })
  response.end(request.method === 'HEAD' ? undefined : text)
}

// --- transports ------------------------------------------------------------------------------------------------------

/** Whether `inject` would send the request unchanged. */
function isInjectable({ target, payload, headers }: HostileRequest): boolean {
  if (payload !== undefined || !/^\/(?!\/|fwd\/hop)/.test(target)) return false
  const { pathname, search, hash } = new URL(target, 'http://localhost')
  return pathname + search + hash === target && hash === '' && headers.every(([name]) => name !== '__proto__')
}

function byInject(apps: Readonly<Record<'model' | 'edge', FastifyInstance>>): (isConcurrent: boolean) => Transport {
  const send = async (app: FastifyInstance, { method, target, headers }: HostileRequest): Promise<Answer> => {
    const joined: Record<string, string> = {}
    for (const [name, value] of headers.map(([name, value]) => [name.toLowerCase(), value.trim()] as const)) {
      const isSingle = [
        'host',
        'authorization',
        'if-modified-since',
        'if-unmodified-since',
        'user-agent',
        'content-type',
      ]
      const known = joined[name]
      if (known === undefined) joined[name] = value
      else if (!isSingle.includes(name)) joined[name] = `${known}${name === 'cookie' ? '; ' : ', '}${value}`
    }
    const {
      statusCode,
      headers: given,
      rawPayload,
    } = await app.inject({
      method: method as 'GET', // a method that `inject` knows
      url: target,
      headers: joined,
    })
    const lines = Object.entries(given).flatMap(([name, value]) =>
      [value].flat().map((line) => [name, String(line)] as const),
    )
    const fields = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, [value].flat().join(', ')]))
    return { status: statusCode, lines, fields, body: rawPayload }
  }
  return (isConcurrent) => async (to, shapes) => {
    if (isConcurrent) return Promise.all(shapes.map((shape) => send(apps[to], shape)))
    const answers: Answer[] = []
    for (const shape of shapes) answers.push(await send(apps[to], shape))
    return answers
  }
}

function bySockets(t: Test, ports: Readonly<Record<'model' | 'edge', number>>): (isConcurrent: boolean) => Transport {
  const connections: { model?: RawConnection; edge?: RawConnection } = {}
  const connectionTo = async (to: 'model' | 'edge') => {
    const known = connections[to]
    if (known !== undefined && !known.isClosed && !known.socket.readableEnded) return known
    const connection = await connectRaw(t, ports[to])
    connections[to] = connection
    return connection
  }
  const text = ({ method, target, headers, payload = '' }: HostileRequest) =>
    `${method} ${target} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${payload}`
  return (isPipelined) => async (to, shapes) => {
    const answers: Answer[] = []
    while (answers.length < shapes.length) {
      const connection = await connectionTo(to)
      const left = shapes.slice(answers.length)
      const sent = isPipelined ? left : left.slice(0, 1)
      connection.write(sent.map(text).join(''))
      for (const { method } of sent) {
        const answer: RawResponse = await connection.response(method).catch((cause: Error) => {
          const last = answers.at(-1)
          const before = last === undefined ? 'the first' : `after ${shown(shapes[answers.length - 1])}\n${show(last)}`
          throw new Error(`${to}: ${cause.message}\n${shown(shapes[answers.length])}\n${before}`, { cause })
        })
        answers.push(answer)
        if (answer.fields.connection !== 'close') continue
        await connection.closed // the pipelined requests are written again
        break
      }
    }
    return answers
  }
}

// --- expectations ----------------------------------------------------------------------------------------------------

const conditions = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range']

/** The request to the model: unconditional, for the complete representation. */
function wholeOf({ method, headers, ...shape }: HostileRequest): HostileRequest {
  const left = headers.filter(([name]) => ![...conditions, 'cache-control', 'pragma'].includes(name.toLowerCase()))
  return { ...shape, method: method === 'HEAD' ? 'GET' : method, headers: left }
}

function shown(shape: HostileRequest | undefined): string {
  if (shape === undefined) return 'no request'
  const { method, target, headers, payload = '' } = shape
  return [`${method} ${target}`, ...headers.map((line) => line.join(': ').slice(0, 300)), payload].join('\n  ')
}

function show({ status, lines, body }: Answer): string {
  return [status, ...lines.map((line) => line.join(': ').slice(0, 300)), body.toString().slice(0, 600)].join('\n  ')
}

function isUnsafe({ method }: HostileRequest): boolean {
  return method === 'POST' || method === 'DELETE'
}

function has({ headers }: HostileRequest, ...names: readonly string[]): boolean {
  return headers.some(([name]) => names.includes(name.toLowerCase()))
}

/** Throws if the model does not allow the answer. */
class Judge {
  /** Body by entity-tag. */
  readonly #tagged = new Map<string, string>()

  judge(shape: HostileRequest, secret: string, model: Answer, answer: Answer): void {
    const complain = (what: string): never => {
      throw new Error(`${what}\n${secret}: ${shown(shape)}\nmodel: ${show(model)}\nanswer: ${show(answer)}`)
    }
    const { status, fields } = answer
    const isForwarded = shape.target.includes('/fwd/')
    this.#judgeStatus(shape, model.status, status, complain)
    const head = answer.lines.map(([name, value]) => `${name}: ${value}`).join('\n')
    const body = status === 206 ? answer.body : decoded(answer)
    const seen = decodeURIComponent(`${head}\n${body.toString('latin1')}`.replace(/%(?![0-9a-f]{2})|%[89a-f]./gi, '_'))
    for (const other of seen.match(secretPattern) ?? []) if (other !== secret) complain(`it contains ${other}`)
    if ('x-injected' in fields || /\n/.test(answer.lines.flat().join(''))) complain('a header was injected')

    if (isUnsafe(shape) || status === 504 || status === 412 || model.status !== 200) return
    const whole = decoded(model)
    const allowed = [whole.toString()]
    if (shape.target.includes('/fwd/auth/')) allowed.push(anonymous(whole))
    if (status === 200 && shape.method !== 'HEAD' && !allowed.includes(body.toString())) complain('another body')
    if (status === 206) this.#judgePart(answer, allowed, complain)
    if (answer.body.length > 0 && (shape.method === 'HEAD' || status === 304)) complain('a body where there is none')
    const { etag } = fields
    if (etag !== undefined && status !== 416) {
      const opaque = etag.replace(/^W\//, '').replace(/-(?:br|gzip)"$/, '"')
      const known = this.#tagged.get(opaque)
      if (known !== undefined && !allowed.includes(known)) complain('the entity-tag of another body')
      if (opaque !== '"same"')
        this.#tagged.set(opaque, known ?? (status === 200 ? body.toString() || (allowed[0] ?? '') : (allowed[0] ?? '')))
    }
    if (status === 200) this.#judgeFields(answer, model, isForwarded, complain)
    if (!('cache-status' in fields)) complain('no Cache-Status')
    if (!/(?:^|, )Vitrine(?:; [a-z-]+(?:=[\w-]+)?)+$/.test(fields['cache-status'] ?? ''))
      complain('a Cache-Status of others')
  }

  #judgeStatus(shape: HostileRequest, expected: number, status: number, complain: (what: string) => never): void {
    const allowed = [expected]
    const control = shape.headers.flatMap(([name, value]) => (name === 'Cache-Control' ? [value] : [])).join()
    if (shape.target.includes('/fwd/') && control.includes('only-if-cached')) allowed.push(504)
    if (expected === 200 && !isUnsafe(shape)) {
      if (has(shape, 'if-none-match', 'if-modified-since')) allowed.push(304)
      if (has(shape, 'range') && shape.method === 'GET') allowed.push(206, 416)
    }
    if (!allowed.includes(status)) complain(`a status of ${status}`)
  }

  #judgePart({ fields, body }: Answer, allowed: readonly string[], complain: (what: string) => never): void {
    const [, first, last, length] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(fields['content-range'] ?? '') ?? []
    const isPart = allowed.some((text) => {
      const whole = Buffer.from(text)
      return whole.length === Number(length) && whole.subarray(Number(first), Number(last) + 1).equals(body)
    })
    if (!isPart) complain('a part of something else')
  }

  /** No field of the handler is missing, and only fields of a cache are added. */
  #judgeFields({ fields }: Answer, model: Answer, isForwarded: boolean, complain: (what: string) => never): void {
    const added = [
      'age',
      'cache-status',
      'x-everything',
      'server-timing',
      'date',
      'keep-alive',
      'connection',
      'content-length',
    ]
    const byOwn = [
      'etag',
      'cache-control',
      'cdn-cache-control',
      'surrogate-control',
      'vary',
      'surrogate-key',
      'content-encoding',
      'accept-ranges',
    ]
    const allowed = new Set([...added, ...(isForwarded ? [] : byOwn), ...Object.keys(model.fields)])
    for (const name of Object.keys(fields)) if (!allowed.has(name)) complain(`a field ${name}`)
    const notOnlyHis = new Set([...added, 'transfer-encoding', 'x-hop', 'x-secret', 'set-cookie', 'etag'])
    for (const [name, value] of Object.entries(model.fields)) {
      // Node encodes non-ASCII fields like the body, which is a string in one and bytes in the other.
      const isComparable = !notOnlyHis.has(name) && /^[ -~]*$/.test(value)
      if (isComparable && fields[name] !== value) complain(`${name}: ${fields[name]}`)
    }
  }
}

function decoded({ fields, body }: Answer): Buffer {
  const coding = fields['content-encoding']
  if (body.length === 0 || coding === undefined) return body
  return coding === 'br' ? brotliDecompressSync(body) : gunzipSync(body)
}

/** The response of the origin to a request without credentials. */
function anonymous(whole: Buffer): string {
  return JSON.stringify({ ...JSON.parse(whole.toString()), authorization: null })
}

// --- the tests -------------------------------------------------------------------------------------------------------

async function createFixture(t: Test, { shared }: { readonly shared: boolean }) {
  const clock = createClock()
  const origin = await startOrigin(t, clock)
  const apps = {
    model: await buildApp(t, origin),
    edge: await buildApp(t, origin, { now: clock.now, shared }),
  }
  const ports = { model: await listen(apps.model), edge: await listen(apps.edge) }
  const [injected, written] = [byInject(apps), bySockets(t, ports)]
  const judge = new Judge()
  const tagAt = new Map<string, string>()
  const statuses = new Map<string, number>()
  let count = 0

  function filled(shape: HostileRequest): { shape: HostileRequest; secret: string } {
    count += 1
    const secret = secretOf(count)
    const fill = (text: string) =>
      text.replaceAll('{S}', secret).replaceAll('{ETAG}', tagAt.get(shape.target) ?? '"none"')
    const headers = shape.headers.map(([name, value]) => [name, fill(value)] as const)
    return { secret, shape: { ...shape, target: fill(shape.target), headers } }
  }

  return {
    statuses,
    get count() {
      return count
    },
    /** Sends the requests to the model and to the application, and checks each answer. */
    async run(
      shapes: readonly HostileRequest[],
      { isConcurrent = false, overSockets = true, seconds = 0 } = {},
    ): Promise<void> {
      clock.step(seconds)
      // With unsafe requests the order of concurrent ones would be unknown.
      const mayOverlap = isConcurrent && !shapes.some(isUnsafe)
      const transport = (overSockets || !shapes.every(isInjectable) ? written : injected)(mayOverlap)
      const requests = shapes.map(filled)
      for (const part of mayOverlap ? [requests] : requests.map((one) => [one])) {
        const wholes = part.map(({ shape }) => wholeOf(shape))
        // The model must not change the origin.
        const models = part.some(({ shape }) => isUnsafe(shape)) ? undefined : await transport('model', wholes)
        const answers = await transport(
          'edge',
          part.map(({ shape }) => shape),
        )
        for (const [at, answer] of answers.entries()) {
          const { shape, secret } = part[at] ?? filled({ method: '', target: '', headers: [] })
          const model = models?.[at] ?? { ...answer, status: Math.min(answer.status, 499) }
          judge.judge(shape, secret, model, answer)
          const reason = /; (hit|fwd=[a-z-]+)(.*collapsed)?/.exec(answer.fields['cache-status'] ?? '')
          const name = `${answer.status} ${reason?.[1] ?? ''}${reason?.[2] === undefined ? '' : ' collapsed'}`
          statuses.set(name, (statuses.get(name) ?? 0) + 1)
          const { etag } = answer.fields
          if (etag !== undefined && tagAt.size < 10_000) tagAt.set(shape.target, etag)
        }
      }
    },
  }
}

for (const [where, shared, requests] of [
  ['in memory', false, Math.ceil(wanted * 0.7)],
  ['in the shared store as well', true, Math.ceil(wanted * 0.3)],
] as const) {
  t.test(
    `the cache answers like the handler, and nothing of one request is in the response to another, stored ${where}`,
    async (t) => {
      const world = await createFixture(t, { shared })
      await fc.assert(
        fc.asyncProperty(hostileBatch, ({ shapes, ...how }) => world.run(shapes, how)),
        { numRuns: Math.ceil(requests / requestsInBatch), seed, endOnFailure: true },
      )
      t.ok(world.count >= requests, `${world.count} requests, HOSTILE_SEED=${seed}`)
      const seen = [...world.statuses]
        .sort(([, one], [, other]) => other - one)
        .map(([name, times]) => `${name}: ${times}`)
      t.comment(seen.join(', '))
      if (requests < 900) return // too few for every kind
      const kinds = ['200 hit', '200 fwd=uri-miss', '200 fwd=stale', '200 fwd=vary-miss', '304 hit', '206 hit']
      t.strictSame(
        kinds.filter((kind) => !world.statuses.has(kind)),
        [],
        'there were answers of each kind',
      )
    },
  )
}

t.test('POST invalidates and is answered, whatever the Host field', async (t) => {
  const app = Fastify()
  await app.register(proxyCache, { now: createClock().now })
  let version = 1
  app.get('/x', { config: { proxyCache: {} } }, async (_request, reply) =>
    reply.header('cache-control', 'max-age=60').send(`version ${version}`),
  )
  app.post('/x', { config: { proxyCache: {} } }, async (_request, reply) => {
    version += 1
    return reply.header('location', '/y').send('changed')
  })
  t.teardown(() => app.close())
  const connection = await connectRaw(t, await listen(app))
  for (const host of ['a.example', '', '/', '\\', 'a b', '[', 'a@b', '%', '?', ':', 'a:99999', '__proto__', '\xe9']) {
    const first = version
    const ask = async (method: string) => {
      connection.write(`${method} /x HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`)
      const { status, body } = await connection.response()
      return `${status} ${body}`
    }
    const answers = []
    for (const method of ['GET', 'GET', 'POST', 'GET']) answers.push(await ask(method))
    const [before, after] = [`200 version ${first}`, `200 version ${first + 1}`]
    t.strictSame(answers, [before, before, '200 changed', after], host)
  }
})
