import { readFileSync } from 'node:fs'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import cache, { type CacheOptions } from 'fastify-vitrine/cache'
import edge from 'fastify-vitrine/edge'
import redis, { type RedisPluginOptions } from 'fastify-vitrine/redis'
import apiRoutes from './api/index.js'
import { metricLabel } from './catalog/cache-keys.js'
import { createCalendar } from './catalog/calendar.js'
import { createCatalogs } from './catalog/catalogs.js'
import { createInvalidDates } from './catalog/invalid-dates.js'
import { createSellers } from './catalog/sellers.js'
import { type Config, cacheKeyPrefix, redisOptions, trustedProxies } from './config/environment.js'
import docs from './docs/index.js'
import serveAssets, { assets } from './http/assets.js'
import cacheControl from './http/cache-control.js'
import { createTrust } from './http/client-address.js'
import { handleClientError } from './http/client-errors.js'
import errorHandler from './http/error-handler.js'
import pages from './http/html-pages.js'
import proxies from './http/proxies.js'
import { parseQuery } from './http/query-parser.js'
import rejectionLog from './http/rejection-log.js'
import { decodableUrl, resolveRequestId } from './http/request-id.js'
import security from './http/security.js'
import { maxConnections, type ServerTimeouts, serverOptions } from './http/server-limits.js'
import { compileValidator } from './http/validation.js'
import opsRoutes from './ops/index.js'
import liveStats from './ops/live-stats/index.js'
import panelRoutes from './panels/index.js'
import { drainOnClose } from './process/drain.js'
import { shutdownTimes } from './process/shutdown.js'
import { createMarketplaceClient } from './upstream/marketplace-client.js'

export interface AppOptions {
  readonly config: Config
  /** Base URL of the marketplace, or of the bundled demo. */
  readonly upstreamUrl: string
  readonly logger?: Exclude<FastifyServerOptions['logger'], undefined>
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Time-outs of the plugins, for tests on slow machines. Default: those of the plugins. */
  readonly timeouts?: AppTimeouts
}

export interface AppTimeouts {
  readonly cache?: Pick<CacheOptions, 'softTimeoutMs' | 'readTimeoutMs' | 'writeTimeoutMs'>
  readonly server?: Partial<ServerTimeouts>
  readonly redis?: Pick<RedisPluginOptions, 'bootTimeoutMs' | 'connectTimeoutMs' | 'commandTimeoutMs'>
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string } // our own package.json

/** The server, with what applies to all requests: proxies, limits, security headers, formats of errors. */
async function createServer({
  config,
  logger,
  timeouts,
}: Required<Pick<AppOptions, 'config' | 'logger' | 'timeouts'>>) {
  const isProxy = trustedProxies(config)
  const isTrusted = createTrust(isProxy)
  const app = Fastify({
    ...serverOptions(timeouts.server),
    trustProxy: isProxy !== undefined && isTrusted,
    logger,
    logController: new LogController({ disableRequestLogging: true }), // one line per request would hide the important ones
    genReqId: resolveRequestId,
    routerOptions: {
      maxParamLength: 16_384, // longer than any URL: an id that is too long is our 400, not a 404
      querystringParser: parseQuery,
    },
    rewriteUrl: decodableUrl,
    clientErrorHandler: handleClientError,
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(compileValidator)

  app.server.maxConnections = maxConnections
  await app.register(proxies, { isTrusted })
  await app.register(cacheControl)
  await app.register(security, { rateLimitMax: config.RATE_LIMIT_MAX })
  await app.register(pages)
  await app.register(rejectionLog)
  await app.register(errorHandler)
  return app
}

/** Registers plugins in order, then routes. The application is ready but does not listen. */
export async function buildApp({
  config,
  upstreamUrl,
  logger = false,
  now = Date.now,
  timeouts = {},
}: AppOptions): Promise<FastifyInstance> {
  const app = await createServer({ config, logger, timeouts })
  const cacheName = cacheKeyPrefix(config) // identifies the cache in its events
  const redisConfig = redisOptions(config)
  if (redisConfig !== undefined) await app.register(redis, { ...redisConfig, ...timeouts.redis })
  await app.register(cache, {
    keyPrefix: cacheName,
    ttlSeconds: config.CACHE_TTL_SECONDS,
    staleWhileRevalidateSeconds: config.CACHE_STALE_WHILE_REVALIDATE_SECONDS,
    staleIfErrorSeconds: config.CACHE_STALE_IF_ERROR_SECONDS,
    ...timeouts.cache,
    metricLabel: metricLabel,
    loadTimeoutMs: config.UPSTREAM_DEADLINE_MS + 1_000, // after the deadline of the upstream client, whose error says more
    now,
  })
  await app.register(edge, { ttlSeconds: config.CACHE_TTL_SECONDS, now })
  await app.register(serveAssets, { files: Object.values(assets) })
  if (config.PURGE_TOKEN !== undefined) await app.register(liveStats, { cacheName, now })

  const marketplace = createMarketplaceClient({
    url: upstreamUrl,
    timeoutMs: config.UPSTREAM_TIMEOUT_MS,
    deadlineMs: config.UPSTREAM_DEADLINE_MS,
    ...(config.UPSTREAM_TOKEN === undefined ? {} : { token: config.UPSTREAM_TOKEN }),
  })
  app.addHook('onRequest', (request, reply, next) => {
    reply.header('x-request-id', request.id) // to find the request in the log
    next()
  })
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
    setTimeout(() => marketplace.abort(), shutdownTimes.abortUpstreamMs).unref()
  })
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close') // otherwise the server waits for idle connections
  })
  app.addHook('onClose', () => marketplace.close())
  drainOnClose(app)

  const calendar = createCalendar(config.CATALOG_TIME_ZONE)
  const sellers = createSellers({ cache: app.cache, marketplace })
  const invalidDates = createInvalidDates({
    warn: (fields, message) => app.log.warn(fields, message),
    monotonicNow: () => performance.now(),
  })
  const catalogs = createCatalogs({ cache: app.cache, marketplace, sellers, calendar, invalidDates, now })

  await app.register(docs, { version })
  await app.register(apiRoutes, { prefix: '/api', sellers, catalogs })
  await app.register(panelRoutes, { sellers, catalogs, calendar, now })
  await app.register(opsRoutes, {
    cacheName,
    invalidDates: () => invalidDates.total,
    now,
    ...(config.PURGE_TOKEN === undefined ? {} : { purgeToken: config.PURGE_TOKEN }),
  })
  await app.ready()
  return app
}
