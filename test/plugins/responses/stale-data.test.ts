import t, { type Test } from 'tap'
import { createClock } from '../../harness/clock.js'
import { startPlugins } from '../../harness/plugins.js'
import { until } from '../../harness/until.js'

// Responses that are rendered from stale data, while the source of the data is down.

const many = 1_000

/** A page rendered from a value that is fresh for 10 s, and then stale for an hour. */
async function startWorld(t: Test, options: { staleTtlSeconds?: number; freshUntil?: number } = {}) {
  const { staleTtlSeconds, freshUntil } = options
  const clock = createClock('2026-03-10T23:59:00Z')
  const source = { value: 'first', isDown: false, loads: 0, renders: 0 }
  const policy = { tags: ['data'], ...(freshUntil === undefined ? {} : { freshUntil }) }
  const { app } = await startPlugins(t, {
    cache: { ttlSeconds: 10, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 3_600, now: clock.now },
    edge: { now: clock.now, ...(staleTtlSeconds === undefined ? {} : { staleTtlSeconds }) },
    routes: (app) => {
      const load = async () => {
        source.loads += 1
        if (source.isDown) throw new Error('down')
        return { text: source.value }
      }
      app.get('/page', { config: { edge: { ttlSeconds: 600 } } }, async () => {
        source.renders += 1
        const { value, state } = await app.cache.read('k', load, policy)
        return `${value.text} ${state}`
      })
      app.get('/stated', { config: { edge: {} } }, async (_request, reply) => {
        const { value } = await app.cache.read('k', load, policy)
        return reply.header('cache-control', 'max-age=300').send(value.text)
      })
    },
  })
  return { app, clock, source, ask: (url = '/page') => app.inject(url) }
}

t.test('while the source is down, a stale page is rendered once for all requests of a few seconds', async (t) => {
  const { clock, source, ask } = await startWorld(t)
  t.equal((await ask()).body, 'first fresh')
  source.isDown = true
  clock.step(11)
  source.renders = 0
  const answers = await Promise.all(Array.from({ length: many }, () => ask()))
  t.strictSame(new Set(answers.map(({ body }) => body)), new Set(['first stale']))
  t.equal(source.renders, 1)
  clock.step(1.9)
  const { body, headers } = await ask()
  t.equal(body, 'first stale')
  t.match(headers, { 'cdn-cache-control': 'max-age=2', 'surrogate-control': 'max-age=2', 'cache-status': /; hit/ })
  t.equal(source.renders, 1)
  clock.step(0.2)
  t.equal((await ask()).body, 'first stale')
  t.equal(source.renders, 2)
})

t.test('caches in front get the short lifetime, whatever the handler states', async (t) => {
  const { clock, source, ask } = await startWorld(t)
  await ask('/stated')
  source.isDown = true
  clock.step(11)
  t.match((await ask('/stated')).headers, { 'cdn-cache-control': 'max-age=2', 'cache-status': /ttl=2; stored/ })
})

t.test('a page from stale data ends with the refresh, a purge or a deletion of the data', async (t) => {
  const changes: [string, (world: Awaited<ReturnType<typeof startWorld>>) => unknown][] = [
    ['a set', ({ app }) => app.cache.set('k', { text: 'second' })],
    ['a purge by tag', ({ app }) => app.cache.purge({ tags: ['data'] })],
    ['a purge by key', ({ app }) => app.cache.purge({ keys: ['k'] })],
    ['a delete', ({ app }) => app.cache.delete('k')],
    [
      'a refresh by another page',
      async ({ clock, ask }) => {
        clock.step(1) // past the back-off of loads
        await until(async () => (await ask('/stated')).body === 'second')
      },
    ],
  ]
  for (const [name, change] of changes) {
    const world = await startWorld(t)
    const { clock, source, ask } = world
    await ask()
    source.isDown = true
    clock.step(11)
    t.equal((await ask()).body, 'first stale')
    t.match((await ask()).headers['cache-status'], /; hit/, `before ${name}`)
    Object.assign(source, { isDown: false, value: 'second' })
    await change(world)
    t.equal((await ask()).body, 'second fresh', `after ${name}`)
  }
})

t.test('after a purge while the source is down each request tries to load again', async (t) => {
  const { app, clock, source, ask } = await startWorld(t)
  await ask()
  source.isDown = true
  clock.step(11)
  await ask()
  await app.cache.purge({ tags: ['data'] })
  t.match((await ask()).headers['cache-status'], /detail=derived/)
  source.isDown = false
  clock.step(6) // past the back-off of loads
  t.equal((await ask()).body, 'first fresh')
})

t.test('a page from stale data ends where the freshness of the data has to end, such as at midnight', async (t) => {
  const midnight = Date.parse('2026-03-11T00:00:00Z')
  const { clock, source, ask } = await startWorld(t, { freshUntil: midnight })
  await ask()
  source.isDown = true
  clock.set(midnight - 500)
  t.equal((await ask()).body, 'first stale')
  const { headers } = await ask()
  t.match(headers['cache-status'], /; hit/)
  t.equal(headers['cdn-cache-control'], 'max-age=0')
  clock.set(midnight)
  source.renders = 0
  await ask()
  t.equal(source.renders, 1)
})

t.test('with staleTtlSeconds: 0 a page from stale data is not stored', async (t) => {
  const { clock, source, ask } = await startWorld(t, { staleTtlSeconds: 0 })
  await ask()
  source.isDown = true
  clock.step(11)
  t.match((await ask()).headers['cache-status'], /detail=derived/)
  t.match((await ask()).headers['cache-status'], /detail=derived/)
})
