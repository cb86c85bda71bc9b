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

/** A response as the client received it. */
export interface ClientResponse {
  readonly status: number
  readonly lines: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** False if the connection ended before the response. */
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
  /** Number of concurrent requests. Default 1. */
  readonly count?: number
  /** Called when all of them have reached the cache. */
  readonly whenAllArrived?: (() => void) | undefined
}

/** One or two caches before an origin, with one clock. */
export interface CachesBeforeOrigin {
  readonly clock: Clock
  readonly origin: ScriptedOrigin
  /** Sends concurrent requests to one cache; the next call uses the next cache. */
  send(request: ClientRequestOptions, options?: SendOptions): Promise<ClientResponse[]>
  /** Resolves when the effects of the last request are complete: a refresh, writes to Redis, and their invalidations. */
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

/** Other methods that the parser of Node knows. */
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
      // The cache works on after the client has its answer.
      while (caches.some(({ isBusy }) => isBusy())) await turn()
      // Redis has sent the invalidations of earlier writes when it answers.
      await Promise.all(caches.map(({ app }) => (app.hasDecorator('redis') ? app.redis.ping() : undefined)))
      await turn()
    },
    async close() {
      await Promise.all(caches.map(({ close }) => close()))
      await origin.close()
    },
  }
}

interface CacheOptions {
  readonly clock: Clock
  readonly origin: ScriptedOrigin
  readonly keyPrefix: string
  readonly redisUrl: string | undefined
}

async function startCache({ clock, origin, keyPrefix, redisUrl }: CacheOptions) {
  const app = Fastify({ forceCloseConnections: true })
  const { now } = clock
  const isShared = redisUrl !== undefined
  let arrived = 0
  let onArrival: () => void = () => undefined
  const inFlight = new Set<FastifyRequest>()
  app.addHook('onRequest', async (request, reply) => {
    inFlight.add(request)
    for (const event of ['finish', 'close']) reply.raw.once(event, () => inFlight.delete(request))
  })
  // Not for background refreshes, which do not pass the server.
  app.server.on('request', () => {
    arrived += 1
    onArrival()
  })
  for (const method of furtherMethods) app.addHttpMethod(method, { hasBody: true })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  if (isShared) {
    // A busy machine makes Redis slow.
    await app.register(redis, { url: redisUrl, commandTimeoutMs: 10_000 })
    await app.register(cache, { keyPrefix, now, readTimeoutMs: 10_000, writeTimeoutMs: 10_000 })
  }
  await app.register(proxyCache, { now })
  await app.register(replyFrom, { destroyAgent: true, disableRequestLogging: true })
  for (const [name, options] of Object.entries(routes)) {
    app.all(`/${name}/*`, { config: { proxyCache: { ...options, ...(isShared ? { shared: true } : {}) } } }, forward)
  }
  await app.listen({ host: '127.0.0.1', port: 0 })
  if (isShared && !(await until(() => app.cache.stats().coherence === 'tracking'))) throw new Error('no invalidations')
  const { port } = app.server.address() as AddressInfo // a TCP server that listens has no other kind of address
  const agent = new Agent({ keepAlive: true })

  function forward(request: FastifyRequest, reply: FastifyReply) {
    return reply.from(request.url, {
      getUpstream: () => origin.urlFor(request.url),
      retryDelay: () => null, // by default it retries after a 503
    })
  }

  return {
    app,
    isBusy: () => inFlight.size > 0,
    async send(request: ClientRequestOptions, { count = 1, whenAllArrived }: SendOptions = {}) {
      arrived = 0
      onArrival = () => {
        if (arrived === count && whenAllArrived !== undefined) setImmediate(whenAllArrived)
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

/** Sends the field lines unchanged, and gives those of the response unchanged. */
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
