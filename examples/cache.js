// A route that loads from a slow upstream at most once per minute, with or without Redis.
//   node examples/cache.js                                      memory only
//   REDIS_URL=redis://127.0.0.1:6379 node examples/cache.js     shared by all processes on that Redis
import { setTimeout } from 'node:timers/promises'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import redis from 'fastify-vitrine/redis'

const app = Fastify({ logger: true })
const { REDIS_URL: url, PORT = '3001' } = process.env
if (url) await app.register(redis, { url }) // the application also starts without Redis
await app.register(cache, { keyPrefix: 'example_', ttlSeconds: 60, staleIfErrorSeconds: 3_600 })

const Rates = Type.Record(Type.String(), Type.Number())

async function loadRates(signal) {
  await setTimeout(500, undefined, { signal }) // a slow upstream
  return { EUR: 1, GBP: 0.84 }
}

app.get('/rates', async (_request, reply) => {
  const { value, state, reason } = await app.cache.read('rates', ({ signal }) => loadRates(signal), {
    tags: ['rates'],
    schema: Rates, // a value in Redis that does not match is a miss
  })
  reply.header('x-read', `${state}; ${reason}`)
  return value
})

await app.listen({ port: Number(PORT) })
