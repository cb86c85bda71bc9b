// Rates from a slow bank: the data are cached, and so is the response that is made from them. Ask twice and look at Cache-Status;
// then POST to /purge and ask again.
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'
import edge from 'fastify-vitrine/edge'

const { PORT = '3000' } = process.env
const app = Fastify({ logger: true })
await app.register(cache)
await app.register(edge, { ttlSeconds: 60 })

let answers = 0
async function askTheBank() {
  answers += 1
  return { answer: answers, rates: { EUR: 1, CHF: 0.94 } }
}

const schema = { querystring: { type: 'object', properties: { currency: { type: 'string', default: 'CHF' } } } }
app.get('/rates', { schema, config: { edge: {} } }, async (request) => {
  const { answer, rates } = await app.cache.fetch('rates', askTheBank, { tags: ['rates'] })
  return { answer, currency: request.query.currency, rate: rates[request.query.currency] ?? null }
})
app.post('/purge', async () => app.cache.purge({ tags: ['rates'] }))

await app.listen({ port: Number(PORT) })
