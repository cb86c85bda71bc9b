import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import redis from 'fastify-vitrine/redis'
import { Redis } from 'ioredis'
import { freePort } from './harness.js'

/** Starts a redis-server on a free loopback port without persistence. */
export async function startRedis({ port = undefined } = {}) {
  const chosen = port ?? (await freePort())
  const flags = ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', flags, { stdio: 'ignore' })
  const killOnExit = () => child.kill('SIGKILL')
  process.once('exit', killOnExit)
  const client = new Redis(chosen, '127.0.0.1', { retryStrategy: () => 10, maxRetriesPerRequest: null })
  client.on('error', () => undefined) // until it listens
  await client.ping()
  return {
    port: chosen,
    url: `redis://127.0.0.1:${chosen}`,
    /** A connection that the cache does not use. */
    client,
    hang: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    async stop() {
      client.disconnect()
      process.off('exit', killOnExit)
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** An application with only the cache, and with Redis if a URL is given. */
export async function startApp({ url, redisOptions = {}, ...cacheOptions } = {}) {
  const app = Fastify({ logger: false })
  if (url !== undefined) await app.register(redis, { url, ...redisOptions })
  await app.register(cache, { ttlSeconds: 3_600, ...cacheOptions })
  await app.ready()
  return app
}

/** Waits until the cache is tracking changes in Redis. */
export async function untilTracking(app, withinMs = 5_000) {
  const until = performance.now() + withinMs
  while (app.cache.stats().coherence !== 'tracking') {
    if (performance.now() > until) throw new Error(`coherence is ${app.cache.stats().coherence}`)
    await sleep(5)
  }
}

export function sellers(count, from = 0) {
  return Array.from({ length: count }, (_none, index) => ({
    id: `seller-${from + index}`,
    name: `Seller number ${from + index}`,
    city: 'Buenos Aires',
    rating: 4.5,
    sales: 1_200 + index,
    active: true,
  }))
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * Runs the sides in turn, in a rotating order. Returns for each side the median and the minimum of its times in milliseconds,
 * and the median over the rounds of its ratio to the first side.
 */
export async function interleave(sides, { rounds, warmUp = 2 }) {
  const times = sides.map(() => [])
  for (let round = -warmUp; round < rounds; round += 1) {
    const order = sides.map((_side, index) => (index + round + warmUp) % sides.length)
    for (const index of order) {
      const startedAt = performance.now()
      await sides[index]()
      if (round >= 0) times[index].push(performance.now() - startedAt)
    }
  }
  return times.map((own) => ({
    ms: median(own),
    min: Math.min(...own),
    ratio: median(own.map((time, round) => time / times[0][round])),
    minRatio: Math.min(...own) / Math.min(...times[0]),
  }))
}

/** Prints one line: the name, the figure and the target, if any. */
export function line(name, figure, { target, met } = {}) {
  const verdict = target === undefined ? '' : `  target ${target}: ${met ? 'ok' : 'MISS'}`
  console.log(`${name.padEnd(58)} ${figure.padStart(34)}${verdict}`)
}

export function title(text) {
  console.log(`\n${text}`)
}
