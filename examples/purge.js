// When a price changes, a purge by tag reloads every offer that contains it.
//   node examples/purge.js                                      memory only
//   REDIS_URL=redis://127.0.0.1:6379 node examples/purge.js     in all processes on that Redis at once
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import redis from 'fastify-vitrine/redis'

const app = Fastify({ logger: true })
const { REDIS_URL: url, PORT = '3001' } = process.env
if (url) await app.register(redis, { url })
await app.register(cache, { keyPrefix: 'example_' })

const prices = { tea: 3, coffee: 4 } // instead of a slow database
const offers = { breakfast: ['tea', 'coffee'], night: ['tea'] }

// A tag has no white space and at most 128 characters, an entry at most 16 of them.
const tagOf = (item) => `item:${encodeURIComponent(item)}`

app.get('/offers/:name', ({ params: { name } }) =>
  app.cache.fetch(`offer_${name}`, (load) => {
    const items = offers[name] ?? []
    load.addTags('offers', ...items.map(tagOf)) // known only after loading
    return { name, price: items.reduce((sum, item) => sum + prices[item], 0) }
  }),
)

app.put('/prices/:item/:price', async ({ params: { item, price } }, reply) => {
  prices[item] = Number(price) // change first, then purge: later loads see the change
  const { isDone, queued } = await app.cache.purge({ tags: [tagOf(item)] })
  reply.code(isDone ? 200 : 202) // 202: purged here; queued for other processes until Redis is back
  return { isDone, queued }
})

await app.listen({ port: Number(PORT) })
