import { type Config, readConfig } from './config/environment.js'
import { formatStartError } from './config/start-error.js'
import { startMarketplace } from './demo/marketplace.js'
import { closeOnSignals } from './shutdown.js'

/** After this a connection that has not ended is cut, so that the process ends within the ten seconds it is given. */
const connectionGraceMs = 8_000
const closeDeadlineMs = 9_500

try {
  await serve(readConfig(process.env))
} catch (error) {
  process.stderr.write(`vitrine: ${formatStartError(error, process.env)}\n`)
  process.exit(1)
}

async function serve(config: Config): Promise<void> {
  // Only now: who has made a mistake is told of it at once.
  const [{ buildApp }, { openLog }] = await Promise.all([import('./app.js'), import('./log.js')])
  const demo = config.UPSTREAM_URL === undefined ? await startMarketplace() : undefined
  const upstreamUrl = config.UPSTREAM_URL ?? demo?.url ?? ''
  const log = openLog(config, (lines) => app.log.warn({ lines }, 'nobody read the log: lines were dropped'))
  const app = await buildApp({ config, upstreamUrl, logger: log.options })
  closeOnSignals({
    deadlineMs: closeDeadlineMs,
    async close(reason) {
      if ('error' in reason) app.log.fatal({ err: reason.error }, 'closing after an error that nothing caught')
      else app.log.info(`${reason.signal}: requests in flight may finish, new ones are refused`)
      const cut = setTimeout(() => app.server.closeAllConnections(), connectionGraceMs)
      await app.close()
      clearTimeout(cut)
      await demo?.close()
      app.log.info('closed')
      await log.end()
    },
  })
  try {
    await app.listen({ host: config.HOST, port: config.PORT })
  } catch (error) {
    await log.end()
    throw error
  }
  app.log.info({ upstream: upstreamUrl, cache: cachePlace(config) }, 'serving')
  if (demo !== undefined) {
    app.log.info('UPSTREAM_URL is not set: showing the bundled demo marketplace')
    if (app.hasDecorator('redis')) app.log.warn('demo data is being cached in Redis; is UPSTREAM_URL forgotten?')
  }
}

/** Where entries are kept, for the log: no user and no password. */
function cachePlace({ REDIS_URL: url, REDIS_CLUSTER_NODES: nodes, REDIS_SENTINELS: sentinels }: Config): string {
  if (url !== undefined) return `Redis at ${new URL(url).host || new URL(url).pathname}`
  if (nodes !== undefined) return `Redis Cluster at ${nodes}`
  return sentinels === undefined ? 'memory' : `Redis behind sentinels at ${sentinels}`
}
