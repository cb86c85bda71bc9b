import closeWithGrace from 'close-with-grace'
import { type Config, InvalidEnvironment, readConfig } from './config.js'
import { startMarketplace } from './demo/marketplace.js'

/** After this a connection that has not ended is cut, so that the process ends within the ten seconds it is given. */
const connectionGraceMs = 8_000
const closeDeadlineMs = 9_500

try {
  await serve(readConfig(process.env))
} catch (error) {
  process.stderr.write(`vitrine: ${startComplaint(error)}\n`)
  process.exit(1)
}

async function serve(config: Config): Promise<void> {
  // Only now: who has made a mistake is told of it at once.
  const [{ buildApp }, { openLog }] = await Promise.all([import('./app.js'), import('./log.js')])
  const demo = config.UPSTREAM_URL === undefined ? await startMarketplace() : undefined
  const upstreamUrl = config.UPSTREAM_URL ?? demo?.url ?? ''
  const log = openLog(config, (lines) => app.log.warn({ lines }, 'nobody read the log: lines were dropped'))
  const app = await buildApp({ config, upstreamUrl, logger: log.options })
  closeWithGrace({ delay: closeDeadlineMs, logger: false }, async ({ signal, err }) => {
    if (err !== undefined) app.log.fatal({ err }, 'closing after an error that nobody caught')
    else app.log.info(`${signal}: requests under way may end, new ones are refused`)
    const cut = setTimeout(() => app.server.closeAllConnections(), connectionGraceMs)
    await app.close()
    clearTimeout(cut)
    await demo?.close()
    app.log.info('closed')
    await log.end()
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

/** One line that names the variable to change, where one is to blame. */
function startComplaint(error: unknown): string {
  if (error instanceof InvalidEnvironment) return error.message
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'EADDRINUSE') return `PORT: wants a port that is free (${error.message})`
  if (code === 'EACCES') return `PORT: wants a port that this user may listen on (${error.message})`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `HOST: wants an address of this machine (${error.message})`
  }
  return error.stack ?? error.message
}
