import fastifyRedis from '@fastify/redis'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { raceTimeout, withTimeout } from '../timeout.js'
import { closeClient, createClient } from './client.js'
import { classifyRedisFailure, lacksReason, recordRedisFailure } from './failure-kind.js'
import { type RedisPluginOptions, resolveRedisOptions } from './options.js'
import { type Failure, OutageLog } from './outage-log.js'
import { createServerBreakers, type ServerBreakers } from './server-breakers.js'

// Carries the type of `fastify.redis`.
export type { FastifyRedis } from '@fastify/redis'
export { InvalidRedisOption, type RedisAddress, type RedisPluginOptions } from './options.js'
export { isRedisUrl } from './redis-url.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Logs outages of the connection. The cache reports its failures to it too, so that an outage is logged once. */
    redisHealth: OutageLog
    /** The circuit breakers of the servers. All users of the connection report to them. */
    redisBreakers: ServerBreakers
  }
}

/**
 * `fastify.redis`: `@fastify/redis` with a client that blocks neither boot nor close. If Redis is down, hangs or cannot be
 * reached, the application starts, commands are rejected at once or after their time-out, and the client reconnects at
 * least twice a second. Failures are logged as warnings.
 */
export default fp(redisPlugin, { name: 'fastify-vitrine/redis', fastify: '5.x' })

async function redisPlugin(app: FastifyInstance, options: RedisPluginOptions): Promise<void> {
  const resolved = resolveRedisOptions(options)
  let connectError: Error | undefined // of the last connection attempt, until one succeeds
  const client = createClient(resolved, {
    connected: () => {
      connectError = undefined
    },
    failed: (error) => {
      if (!lacksReason(error)) connectError = error
    },
  })
  const health = new OutageLog({
    log: app.log,
    subject: 'redis',
    recoveryMessage: 'redis connection restored',
    urgentKinds: new Set(['tls', 'auth']),
    explain: (failure) => withReason(failure, connectError),
  })
  const report = (error: unknown) => {
    health.failed({ kind: classifyRedisFailure(error), error, message: 'redis unavailable, serving from memory' })
  }
  const breakers = createServerBreakers(client, {
    onStable: () => health.succeeded(),
    probe: async (server, timeoutMs) => {
      try {
        await withTimeout(() => server.ping(), timeoutMs)
      } catch (error) {
        report(error)
        throw error
      }
    },
  })
  app.decorate('redisHealth', health)
  app.decorate('redisBreakers', breakers)

  let isClosing = false
  client.on('error', (error: Error) => {
    report(error) // without a listener ioredis prints the error to stderr
    recordRedisFailure(classifyRedisFailure(error), breakers.forClient)
  })
  client.on('close', () => {
    if (!isClosing) breakers.forClient.trip()
  })
  client.on('ready', () => breakers.probeNow())

  // @fastify/redis fails the boot unless the status of its client is 'ready', or becomes it within the plugin time-out.
  // The client has not begun to connect and is not used elsewhere yet: it can have that status while it is registered.
  client.status = 'ready'
  await app.register(fastifyRedis, { client })
  client.status = 'wait'

  const connecting = client.connect().catch(() => undefined) // the 'error' listener reports it
  await raceTimeout(connecting, resolved.bootTimeoutMs)
  app.addHook('onClose', () => {
    isClosing = true
    breakers.stop()
    return closeClient(client, resolved.closeTimeoutMs)
  })
}

/** Adds the reason of the failed connection attempt to a failure that only reports a missing connection. */
function withReason(failure: Failure, connectError: Error | undefined): Failure {
  if (connectError === undefined || !lacksReason(failure.error)) return failure
  return { ...failure, kind: classifyRedisFailure(connectError), error: connectError }
}
