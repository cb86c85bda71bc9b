// A source that has died, and a route that goes on answering with the last good value, and says so.
//   node examples/stale.js
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'

const app = Fastify({ logger: true })
const { PORT = '3001' } = process.env
await app.register(cache, { ttlSeconds: 1, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 3_600 })

let asked = 0
function askTheStation() {
  asked += 1
  if (asked > 1) throw new Error('the weather station does not answer')
  return { degrees: 21 }
}

app.get('/weather', async (_request, reply) => {
  const { value, state, storedAt, reason } = await app.cache.read('weather', askTheStation)
  reply.header('x-read', `${state}; ${reason}`)
  return state === 'fresh' ? value : { ...value, stale: true, as_of: new Date(storedAt) }
})

app.get('/explain', () => app.cache.explain('weather')) // where it lies, how old it is, what a read would do and why

await app.listen({ port: Number(PORT) })
