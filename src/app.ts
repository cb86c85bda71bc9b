import { readFileSync } from 'node:fs'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import cache, { type CacheOptions } from 'fastify-vitrine/cache'
import edge from 'fastify-vitrine/edge'
import redis, { type RedisPluginOptions } from 'fastify-vitrine/redis'
import apiRoutes from './api/index.js'
import assets from './assets.js'
import { createCalendar } from './catalog/calendar.js'
import { createCatalogs } from './catalog/catalogs.js'
import { keyFamily } from './catalog/key-family.js'
import { createSellers } from './catalog/sellers.js'
import { type Config, cacheKeyPrefix, redisOptions } from './config/environment.js'
import docs from './docs/index.js'
import { answerClientError } from './http/client-errors.js'
import errorAnswers from './http/error-handler.js'
import { decodableUrl, identifyRequest } from './http/request-id.js'
import webSafety from './http/security.js'
import { compileValidator } from './http/validation.js'
import opsRoutes from './ops/index.js'
import operations from './ops/live-stats/index.js'
import pages from './pages.js'
import panelRoutes from './panels/index.js'
import { createMarketplace } from './upstream/marketplace.js'

export interface AppOptions {
  readonly config: Config
  /** Base URL of the marketplace: the configured one, or where the bundled demo listens. */
  readonly upstreamUrl: string
  readonly logger?: Exclude<FastifyServerOptions['logger'], undefined>
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Time-outs of the plugins, for tests that must not depend on the speed of the machine. Default: those of the plugins. */
  readonly timeouts?: AppTimeouts
}

export interface AppTimeouts {
  readonly cache?: Pick<CacheOptions, 'softTimeoutMs' | 'readTimeoutMs' | 'writeTimeoutMs'>
  readonly redis?: Pick<RedisPluginOptions, 'bootTimeoutMs' | 'connectTimeoutMs' | 'commandTimeoutMs'>
}

/** Milliseconds that calls to the upstream may still take once the application is closing. */
const upstreamGraceMs = 7_000

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string } // ours

/** Puts the application together, plugins in order, then routes. It is ready, but does not listen. */
export async function buildApp({
  config,
  upstreamUrl,
  logger = false,
  now = Date.now,
  timeouts = {},
}: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger,
    logController: new LogController({ disableRequestLogging: true }), // a line per request hides the ones that matter
    genReqId: identifyRequest,
    routerOptions: { maxParamLength: 16_384 }, // no URL is longer: an id that is too long is a 400 of ours and not a 404
    rewriteUrl: decodableUrl,
    clientErrorHandler: answerClientError,
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(compileValidator)

  await app.register(webSafety, { rateLimitMax: config.RATE_LIMIT_MAX })
  await app.register(pages)
  await app.register(errorAnswers)
  const cacheName = cacheKeyPrefix(config) // by which it names itself in what it tells
  const redisPlace = redisOptions(config)
  if (redisPlace !== undefined) await app.register(redis, { ...redisPlace, ...timeouts.redis })
  await app.register(cache, {
    keyPrefix: cacheName,
    ttlSeconds: config.CACHE_TTL_SECONDS,
    staleWhileRevalidateSeconds: config.CACHE_STALE_WHILE_REVALIDATE_SECONDS,
    staleIfErrorSeconds: config.CACHE_STALE_IF_ERROR_SECONDS,
    ...timeouts.cache,
    metricLabel: keyFamily,
    loadTimeoutMs: config.UPSTREAM_DEADLINE_MS + 1_000, // the upstream client's own deadline comes first and says more
    now,
  })
  await app.register(edge, { ttlSeconds: config.CACHE_TTL_SECONDS, now })
  await app.register(assets)
  if (config.PURGE_TOKEN !== undefined) await app.register(operations, { cacheName, now })

  const marketplace = createMarketplace({
    url: upstreamUrl,
    timeoutMs: config.UPSTREAM_TIMEOUT_MS,
    deadlineMs: config.UPSTREAM_DEADLINE_MS,
    ...(config.UPSTREAM_TOKEN === undefined ? {} : { token: config.UPSTREAM_TOKEN }),
  })
  app.addHook('onRequest', (request, reply, next) => {
    reply.header('x-request-id', request.id) // what to look for in the log
    next()
  })
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
    setTimeout(() => marketplace.abort(), upstreamGraceMs).unref()
  })
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close') // or the server waits for a connection that nobody uses any more
  })
  app.addHook('onClose', () => marketplace.close())

  const calendar = createCalendar(config.CATALOG_TIME_ZONE)
  const sellers = createSellers({ cache: app.cache, marketplace })
  const catalogs = createCatalogs({ cache: app.cache, marketplace, sellers, calendar, now })

  await app.register(docs, { version })
  await app.register(apiRoutes, { prefix: '/api/v1', sellers, catalogs })
  await app.register(panelRoutes, { sellers, catalogs, calendar, now })
  await app.register(opsRoutes, {
    cacheName,
    now,
    ...(config.PURGE_TOKEN === undefined ? {} : { purgeToken: config.PURGE_TOKEN }),
  })
  await app.ready()
  return app
}
