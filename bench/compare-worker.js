// A cache of one checkout for bench/compare.js: `node bench/compare-worker.js CHECKOUT REDIS_URL`. Each message names what to
// read, and is answered with the microseconds that it took.
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const [, , checkout, url] = process.argv
const require = createRequire(`${checkout}/package.json`)
const load = async (name) => (await import(pathToFileURL(require.resolve(name)))).default
const Fastify = await load('fastify')
const [cache, redis] = [await load('fastify-vitrine/cache'), await load('fastify-vitrine/redis')]
const list = Array.from({ length: 500 }, (_none, index) => ({ id: `seller-${index}`, name: `Seller number ${index}` }))

const inMemory = await start({})
const inRedis = await start({ maxMemoryEntries: 1, readTimeoutMs: 10_000 })
await inMemory.cache.set('list', list)
const keys = Array.from({ length: 128 }, (_none, index) => `item:${index}`)
for (const key of keys) await inRedis.cache.set(key, { key })
await sleep(1_500) // until changes are verified to arrive
process.on('disconnect', () => process.exit())
process.on('message', async (name) => {
  const began = performance.now()
  if (name === 'memory') for (let turn = 0; turn < 1_000_000; turn += 1) await inMemory.cache.fetch('list', missed)
  else for (let turn = 0; turn < 200; turn += 1) await Promise.all(keys.map((key) => inRedis.cache.fetch(key, missed)))
  process.send({ microseconds: (performance.now() - began) * 1e3 })
})
process.send('ready')

async function start(options) {
  const app = Fastify()
  await app.register(redis, { url, commandTimeoutMs: 10_000 })
  await app.register(cache, { keyPrefix: `compare_${process.pid}_`, ttlSeconds: 3_600, ...options })
  await app.ready()
  return app
}

function missed() {
  throw new Error('the read was a miss')
}
