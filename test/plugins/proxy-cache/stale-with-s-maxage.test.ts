import Fastify from 'fastify'
import t, { type Test } from 'tap'
import proxyCache, { type ProxyCacheRouteOptions } from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'
import { until } from '../../harness/until.js'

// Next.js and others send `s-maxage` with `stale-while-revalidate`, which RFC 9111 §5.2.2.10 makes useless and CDNs honour.

async function start(t: Test, cacheControl: string, options: ProxyCacheRouteOptions) {
  const clock = createClock()
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(proxyCache, { now: clock.now })
  let [visits, isDown] = [0, false]
  app.get('/x', { config: { proxyCache: options } }, async (_request, reply) => {
    if (isDown) return reply.code(503).send('down')
    return reply.header('cache-control', cacheControl).send(`visit ${++visits}`)
  })
  const ask = async () => {
    const { body, statusCode, headers } = await app.inject('/x')
    return { body, status: statusCode, cacheStatus: String(headers['cache-status']) }
  }
  const fail = () => {
    isDown = true
  }
  return { clock, ask, fail }
}

t.test('a response with s-maxage is served stale only if the route says so', async (t) => {
  const cases: { cacheControl: string; options: ProxyCacheRouteOptions; isStale: boolean }[] = [
    { cacheControl: 's-maxage=1, stale-while-revalidate=60', options: {}, isStale: false },
    { cacheControl: 's-maxage=1, stale-while-revalidate=60', options: { staleWithSMaxage: true }, isStale: true },
    { cacheControl: 's-maxage=0, stale-while-revalidate=60', options: { staleWithSMaxage: true }, isStale: true },
    { cacheControl: 's-maxage=1, stale-while-revalidate=1', options: { staleWithSMaxage: true }, isStale: false },
    { cacheControl: 's-maxage=1, stale-while-revalidate', options: { staleWithSMaxage: true }, isStale: false },
    {
      cacheControl: 's-maxage=1, stale-while-revalidate',
      options: { staleWithSMaxage: true, staleWhileRevalidateSeconds: 60 },
      isStale: true,
    },
    {
      cacheControl: 's-maxage=1, stale-while-revalidate=x',
      options: { staleWithSMaxage: true, staleWhileRevalidateSeconds: 60 },
      isStale: false,
    },
    {
      cacheControl: 's-maxage=1, must-revalidate, stale-while-revalidate=60',
      options: { staleWithSMaxage: true },
      isStale: false,
    },
  ]
  for (const { cacheControl, options, isStale } of cases) {
    const { clock, ask } = await start(t, cacheControl, options)
    const name = `${cacheControl} ${JSON.stringify(options)}`
    t.equal((await ask()).body, 'visit 1', name)
    clock.step(10)
    const { body, cacheStatus } = await ask()
    t.equal(body, isStale ? 'visit 1' : 'visit 2', name)
    t.equal(/stale-while-revalidate/.test(cacheStatus), isStale, name)
    if (isStale) t.ok(await until(async () => (await ask()).body !== 'visit 1'), `${name}: refreshed`)
  }
})

t.test('with staleWithSMaxage a response is served when the other server fails', async (t) => {
  for (const staleWithSMaxage of [true, false]) {
    const { clock, ask, fail } = await start(t, 's-maxage=1, stale-if-error=60', { staleWithSMaxage })
    await ask()
    clock.step(10)
    fail()
    t.equal((await ask()).status, staleWithSMaxage ? 200 : 503)
  }
})
