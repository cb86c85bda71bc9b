// A route whose slow source is asked once a minute at most, whoever asks, with or without Redis.
//   node examples/cache.js                                      memory only
//   REDIS_URL=redis://127.0.0.1:6379 node examples/cache.js     shared by all processes on that Redis
import { setTimeout } from 'node:timers/promises'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import redis from 'fastify-vitrine/redis'

const app = Fastify({ logger: true })
const { REDIS_URL: url, PORT = '3001' } = process.env
if (url) await app.register(redis, { url }) // Redis may be away: the application starts all the same
await app.register(cache, { keyPrefix: 'example_', ttlSeconds: 60, staleIfErrorSeconds: 3_600 })

const Rates = Type.Record(Type.String(), Type.Number())

async function askTheBank(signal) {
  await setTimeout(500, undefined, { signal }) // a slow upstream
  return { EUR: 1, GBP: 0.84 }
}

app.get('/rates', async (_request, reply) => {
  const { value, state, reason } = await app.cache.read('rates', ({ signal }) => askTheBank(signal), {
    tags: ['rates'],
    schema: Rates, // what lies in Redis and does not match is a miss, not a crash
  })
  reply.header('x-read', `${state}; ${reason}`)
  return value
})

await app.listen({ port: Number(PORT) })
