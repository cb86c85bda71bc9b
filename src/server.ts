import { type Config, readConfig } from './config/environment.js'
import { formatStartError } from './config/start-error.js'
import { startDemoMarketplace } from './demo/marketplace.js'
import { closeAllConnections } from './process/drain.js'
import { closeOnSignals, shutdownTimes } from './process/shutdown.js'

try {
  await serve(readConfig(process.env))
} catch (error) {
  process.stderr.write(`vitrine: ${formatStartError(error, process.env)}\n`)
  process.exit(1)
}

async function serve(config: Config): Promise<void> {
  // Imported here, so that an invalid environment is reported without loading the application.
  const [{ buildApp }, { openLog }] = await Promise.all([import('./app.js'), import('./process/log.js')])
  const demo = config.UPSTREAM_URL === undefined ? await startDemoMarketplace() : undefined
  const upstreamUrl = config.UPSTREAM_URL ?? demo?.url ?? ''
  const log = openLog(config, (lines) => app.log.warn({ lines }, 'log lines dropped: stdout was not read'))
  const app = await buildApp({ config, upstreamUrl, logger: log.options })
  closeOnSignals({
    deadlineMs: shutdownTimes.exitMs,
    async close(reason) {
      if ('error' in reason) app.log.fatal({ err: reason.error }, 'uncaught error, shutting down')
      else app.log.info({ signal: reason.signal }, 'shutting down')
      const timer = setTimeout(() => closeAllConnections(app), shutdownTimes.closeConnectionsMs)
      await app.close()
      clearTimeout(timer)
      await demo?.close()
      app.log.info('shutdown complete')
      await log.end()
    },
  })
  try {
    await app.listen({ host: config.HOST, port: config.PORT })
  } catch (error) {
    await log.end()
    throw error
  }
  app.log.info({ upstream: upstreamUrl, cache: describeCache(config) }, 'listening')
  if (demo !== undefined) {
    app.log.info('UPSTREAM_URL is not set: serving the bundled demo marketplace')
    if (app.hasDecorator('redis')) app.log.warn('UPSTREAM_URL is not set: demo data is cached in Redis')
  }
}

/** For the log: no user, no password. */
function describeCache({ REDIS_URL: url, REDIS_CLUSTER_NODES: nodes, REDIS_SENTINELS: sentinels }: Config): string {
  if (url !== undefined) return `Redis at ${new URL(url).host || new URL(url).pathname}`
  if (nodes !== undefined) return `Redis Cluster at ${nodes}`
  return sentinels === undefined ? 'memory' : `Redis with Sentinels at ${sentinels}`
}
