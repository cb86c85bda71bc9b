import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createClock } from '../../harness/clock.js'
import { startPlugins } from '../../harness/plugins.js'

t.test('a streamed response is fresh as long as its data, however long the stream takes', async (t) => {
  const clock = createClock()
  const { now } = clock
  const counts = { edge: 0, proxy: 0 }
  const routes = (app: FastifyInstance) => {
    async function* generate(name: keyof typeof counts) {
      counts[name] += 1
      yield String(await app.cache.fetch(name, () => 'data'))
      clock.step(1.6)
      yield ' after 1.6 s'
    }
    app.get('/edge', { config: { edge: { ttlSeconds: 60 } } }, async () => Readable.from(generate('edge')))
    app.get('/proxy', { config: { proxyCache: { ttlSeconds: 60 } } }, async () => Readable.from(generate('proxy')))
  }
  const lifetimes = { ttlSeconds: 3, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 0 }
  const { app } = await startPlugins(t, { cache: { ...lifetimes, now }, edge: { now }, proxyCache: { now }, routes })
  for (const name of ['edge', 'proxy'] as const) {
    const ask = async () => (await app.inject(`/${name}`)).headers['cache-status']
    t.match(await ask(), /fwd=uri-miss/)
    clock.step(1.3) // 2.9 s after the load
    t.match(await ask(), /hit/, `${name}: the data is fresh`)
    clock.step(0.1)
    t.notMatch(await ask(), /; hit/, `${name}: the data is stale`)
    t.equal(counts[name], 2)
  }
})
