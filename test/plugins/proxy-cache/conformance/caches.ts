import { Agent, type ClientRequest, type IncomingMessage, request as sendRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import replyFrom from '@fastify/reply-from'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import cache from '../../../../plugins/cache/index.js'
import proxyCache, { type ProxyCacheRouteOptions } from '../../../../plugins/proxy-cache/index.js'
import redis from '../../../../plugins/redis/index.js'
import { type Clock, createClock } from '../../../harness/clock.js'
import { pairs, type ScriptedOrigin, startScriptedOrigin } from '../../../harness/scripted-origin.js'
import { until } from '../../../harness/until.js'
import type { RouteName } from './row.js'

/** A response as the client had it. */
export interface ClientResponse {
  readonly status: number
  readonly lines: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** False when the connection broke before the end. */
  readonly isWhole: boolean
}

export interface ClientRequestOptions {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly lines: readonly (readonly [name: string, value: string])[]
  readonly body?: string | undefined
}

/** How a request is sent. */
export interface SendOptions {
  /** Times that it is sent at the same moment. Default 1. */
  readonly count?: number
  /** Called when all of them have come to the cache. */
  readonly whenAllCame?: (() => void) | undefined
}

/** One or two caches before an origin, all on one clock. */
export interface CachesBeforeOrigin {
  readonly clock: Clock
  readonly origin: ScriptedOrigin
  /** Sends requests at the same moment to the cache whose turn it is; the next call asks the next one. */
  send(request: ClientRequestOptions, options?: SendOptions): Promise<ClientResponse[]>
  /** Resolves when what the last request set going is done: a refresh, writes to Redis, and their notices. */
  settle(): Promise<void>
  close(): Promise<void>
}

export interface CachesOptions {
  /** How many caches share the Redis; requests go to them in turn. Default 1. */
  readonly count?: number
  /** Default: memory only. */
  readonly redisUrl?: string
}

const routes: Readonly<Record<RouteName, ProxyCacheRouteOptions>> = {
  plain: {},
  heuristic: { heuristicFraction: 0.1 },
  deaf: { honorRequestCacheControl: false },
  defaultLifetime: { ttlSeconds: 60 },
  staleWhileRevalidate: { staleWhileRevalidateSeconds: 60 },
  staleIfError: { staleIfErrorSeconds: 60 },
  fewVariants: { maxVariants: 2 },
  smallBodies: { maxBodyBytes: 100 },
}

/** Methods beyond the usual ones that the parser of Node knows. */
const furtherMethods = ['M-SEARCH', 'PROPFIND', 'REPORT', 'LOCK', 'PURGE'] as const

let prefixes = 0

export async function startCaches({ count = 1, redisUrl }: CachesOptions): Promise<CachesBeforeOrigin> {
  const clock = createClock()
  const origin = await startScriptedOrigin(clock)
  prefixes += 1
  const keyPrefix = `conformance_${prefixes}:`
  const start = () => startCache({ clock, origin, keyPrefix, redisUrl })
  const caches = await Promise.all(Array.from({ length: count }, start))
  let asked = 0

  return {
    clock,
    origin,
    async send(request, options) {
      const cache = caches[asked++ % caches.length]
      if (cache === undefined) throw new Error('there is no cache')
      return await cache.send(request, options)
    },
    async settle() {
      // A client has its answer before the cache has done with it.
      while (caches.some(({ isBusy }) => isBusy())) await turn()
      // Redis has sent the notices of what was written by the time that it answers.
      await Promise.all(caches.map(({ app }) => (app.hasDecorator('redis') ? app.redis.ping() : undefined)))
      await turn()
    },
    async close() {
      await Promise.all(caches.map(({ close }) => close()))
      await origin.close()
    },
  }
}

interface CacheParts {
  readonly clock: Clock
  readonly origin: ScriptedOrigin
  readonly keyPrefix: string
  readonly redisUrl: string | undefined
}

async function startCache({ clock, origin, keyPrefix, redisUrl }: CacheParts) {
  const app = Fastify({ forceCloseConnections: true })
  const { now } = clock
  const isShared = redisUrl !== undefined
  let came = 0
  let onCame: () => void = () => undefined
  const underWay = new Set<FastifyRequest>()
  app.addHook('onRequest', async (request, reply) => {
    if (request.socket.remotePort !== undefined) came += 1 // not what the cache asks of itself
    underWay.add(request)
    for (const event of ['finish', 'close']) reply.raw.once(event, () => underWay.delete(request))
    onCame()
  })
  for (const method of furtherMethods) app.addHttpMethod(method, { hasBody: true })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  if (isShared) {
    // The rules are not about a slow Redis, which a busy machine makes of any.
    await app.register(redis, { url: redisUrl, commandTimeoutMs: 10_000 })
    await app.register(cache, { keyPrefix, now, readTimeoutMs: 10_000, writeTimeoutMs: 10_000 })
  }
  await app.register(proxyCache, { now })
  await app.register(replyFrom, { destroyAgent: true, disableRequestLogging: true })
  for (const [name, options] of Object.entries(routes)) {
    app.all(`/${name}/*`, { config: { proxyCache: { ...options, ...(isShared ? { shared: true } : {}) } } }, forward)
  }
  await app.listen({ host: '127.0.0.1', port: 0 })
  if (isShared && !(await until(() => app.cache.stats().coherence === 'tracking'))) throw new Error('no notices')
  const { port } = app.server.address() as AddressInfo // a TCP server that listens has no other kind of address
  const agent = new Agent({ keepAlive: true })

  function forward(request: FastifyRequest, reply: FastifyReply) {
    return reply.from(request.url, {
      getUpstream: () => origin.urlFor(request.url),
      retryDelay: () => null, // by itself it asks again, after a random pause, when it is told 503
    })
  }

  return {
    app,
    isBusy: () => underWay.size > 0,
    async send(request: ClientRequestOptions, { count = 1, whenAllCame }: SendOptions = {}) {
      came = 0
      onCame = () => {
        if (came === count && whenAllCame !== undefined) setImmediate(whenAllCame)
      }
      return await Promise.all(Array.from({ length: count }, () => sendOne({ agent, port, ...request })))
    },
    async close() {
      agent.destroy()
      await app.close()
    },
  }
}

interface Sending extends ClientRequestOptions {
  readonly agent: Agent
  readonly port: number
}

/** Sends the lines as they are, and gives back those of the response as they came. */
async function sendOne({ agent, port, method, path, host, lines, body }: Sending): Promise<ClientResponse> {
  const length = body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body))]
  const headers = ['Host', host, ...length, ...lines.flat()]
  const outgoing = sendRequest({ agent, host: '127.0.0.1', port, method, path, headers })
  outgoing.end(body)
  const incoming = await responseTo(outgoing)
  if (incoming === undefined) return { status: 0, lines: [], body: '', isWhole: false }
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => incoming.on('close', resolve).on('error', resolve))
  return {
    status: incoming.statusCode ?? 0,
    lines: pairs(incoming.rawHeaders),
    body: Buffer.concat(chunks).toString(),
    isWhole: incoming.complete,
  }
}

/** `undefined` when the connection ends without a response. */
function responseTo(outgoing: ClientRequest): Promise<IncomingMessage | undefined> {
  return new Promise((resolve) => {
    outgoing.on('response', resolve)
    outgoing.on('error', () => resolve(undefined))
  })
}
