// Everything that was made from a thing is loaded again once the thing has changed: nobody lists keys by hand.
//   node examples/purge.js                                      memory only
//   REDIS_URL=redis://127.0.0.1:6379 node examples/purge.js     in all processes on that Redis at once
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import redis from 'fastify-vitrine/redis'

const app = Fastify({ logger: true })
const { REDIS_URL: url, PORT = '3001' } = process.env
if (url) await app.register(redis, { url })
await app.register(cache, { keyPrefix: 'example_' })

const prices = { tea: 3, coffee: 4 } // stands for a slow database
const offers = { breakfast: ['tea', 'coffee'], night: ['tea'] }

// A tag has no white space and at most 128 characters, an entry at most 16 of them.
const tagOf = (good) => `good:${encodeURIComponent(good)}`

app.get('/offers/:name', ({ params: { name } }) =>
  app.cache.fetch(`offer_${name}`, (load) => {
    const goods = offers[name] ?? []
    load.addTags('offers', ...goods.map(tagOf)) // known only now
    return { name, price: goods.reduce((sum, good) => sum + prices[good], 0) }
  }),
)

app.put('/prices/:good/:price', async ({ params: { good, price } }, reply) => {
  prices[good] = Number(price) // first the change, then the purge: what is loaded from here on has it
  const { isDone, queued } = await app.cache.purge({ tags: [tagOf(good)] })
  reply.code(isDone ? 200 : 202) // 202: done here; the other processes hear of it when Redis is back
  return { isDone, queued }
})

await app.listen({ port: Number(PORT) })
