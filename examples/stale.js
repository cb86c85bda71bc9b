// A route that serves the last good value, marked as stale, when its upstream fails.
//   node examples/stale.js
import Fastify from 'fastify'
import cache from 'fastify-vitrine/cache'

const app = Fastify({ logger: true })
const { PORT = '3001' } = process.env
await app.register(cache, { ttlSeconds: 1, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 3_600 })

let loads = 0
function loadWeather() {
  loads += 1
  if (loads > 1) throw new Error('the weather station does not respond')
  return { degrees: 21 }
}

app.get('/weather', async (_request, reply) => {
  const { value, state, storedAt, reason } = await app.cache.read('weather', loadWeather)
  reply.header('x-read', `${state}; ${reason}`)
  return state === 'fresh' ? value : { ...value, stale: true, as_of: new Date(storedAt) }
})

app.get('/explain', () => app.cache.explain('weather')) // where it is stored, its age, and what a read would do

await app.listen({ port: Number(PORT) })
