import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import redis from 'fastify-vitrine/redis'
import { Redis } from 'ioredis'
import { freePort } from './harness.js'

/** A redis-server of the benchmark's own, on a free loopback port, which keeps nothing on disk. */
export async function startRedis({ port = undefined } = {}) {
  const chosen = port ?? (await freePort())
  const flags = ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', flags, { stdio: 'ignore' })
  const leaveNoneBehind = () => child.kill('SIGKILL')
  process.once('exit', leaveNoneBehind)
  const client = new Redis(chosen, '127.0.0.1', { retryStrategy: () => 10, maxRetriesPerRequest: null })
  client.on('error', () => undefined) // until it listens
  await client.ping()
  return {
    port: chosen,
    url: `redis://127.0.0.1:${chosen}`,
    /** A plain connection, of nobody who knows the cache. */
    client,
    hang: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    async stop() {
      client.disconnect()
      process.off('exit', leaveNoneBehind)
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** An application with nothing but the cache, and Redis behind it where there is a URL. */
export async function startApp({ url, redisOptions = {}, ...cacheOptions } = {}) {
  const app = Fastify({ logger: false })
  if (url !== undefined) await app.register(redis, { url, ...redisOptions })
  await app.register(cache, { ttlSeconds: 3_600, ...cacheOptions })
  await app.ready()
  return app
}

/** Waits until the notices of Redis are known to arrive, as they are a moment after the start. */
export async function settled(app, withinMs = 5_000) {
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
 * Runs the sides in turn, each round in another order. For each side: the median of its times in milliseconds, the least,
 * and the median over the rounds of its ratio to the first side.
 */
export async function interleave(sides, { rounds, warmUp = 2 }) {
  const times = sides.map(() => [])
  for (let round = -warmUp; round < rounds; round += 1) {
    const order = sides.map((_side, index) => (index + round + warmUp) % sides.length)
    for (const index of order) {
      const began = performance.now()
      await sides[index]()
      if (round >= 0) times[index].push(performance.now() - began)
    }
  }
  return times.map((own) => ({
    ms: median(own),
    least: Math.min(...own),
    ratio: median(own.map((time, round) => time / times[0][round])),
    leastRatio: Math.min(...own) / Math.min(...times[0]),
  }))
}

/** One line of the table: what was measured, the figure, and the target beside it where there is one. */
export function line(what, figure, { target, met } = {}) {
  const verdict = target === undefined ? '' : `  target ${target}: ${met ? 'ok' : 'MISS'}`
  console.log(`${what.padEnd(58)} ${figure.padStart(34)}${verdict}`)
}

export function title(text) {
  console.log(`\n${text}`)
}
