// Caches the data and the response rendered from it. Request /rates twice and compare Cache-Status; then POST to /purge and
// request it again.
//   node examples/edge.js
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import edge from 'fastify-vitrine/edge'

const { PORT = '3001' } = process.env
const app = Fastify({ logger: true })
await app.register(cache)
await app.register(edge, { ttlSeconds: 60 })

let loads = 0
async function loadRates() {
  loads += 1
  return { load: loads, rates: { EUR: 1, CHF: 0.94 } }
}

const schema = { querystring: { type: 'object', properties: { currency: { type: 'string', default: 'CHF' } } } }
app.get('/rates', { schema, config: { edge: {} } }, async (request) => {
  const { load, rates } = await app.cache.fetch('rates', loadRates, { tags: ['rates'] })
  return { load, currency: request.query.currency, rate: rates[request.query.currency] ?? null }
})
app.post('/purge', async () => app.cache.purge({ tags: ['rates'] }))

await app.listen({ port: Number(PORT) })
