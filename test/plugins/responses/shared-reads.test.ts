import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { createDeferred } from '../../harness/deferred.js'
import { startPlugins } from '../../harness/plugins.js'
import { until } from '../../harness/until.js'

// Data that is read in the asynchronous context of one request and used by several.

type Load = (app: FastifyInstance, id: string) => Promise<unknown>

async function openUsers(t: Test, load: Load) {
  const { app } = await startPlugins(t, {
    edge: { ttlSeconds: 600 },
    routes: (app) => app.get('/users/:id', { config: { edge: {} } }, (request) => load(app, idOf(request))),
  })
  return { app, ask: (id: string) => app.inject(`/users/${id}`) }
}

function idOf({ params }: { readonly params: unknown }): string {
  return (params as { id: string }).id // by the path of the route
}

t.test('pages that share a batch have its tags and end with a purge', async (t) => {
  let version = 1
  let batches = 0
  let waiting: Set<string> | undefined
  let batch: ReturnType<typeof loadBatch> | undefined
  const gate = createDeferred<undefined>()
  const { app, ask } = await openUsers(t, async (app, id) => {
    waiting ??= new Set()
    waiting.add(id)
    batch ??= gate.promise.then(() => loadBatch(app))
    const { value, dependencies } = await batch
    app.cache.addDependencies(dependencies)
    return { user: value.get(id) }
  })
  function loadBatch(app: FastifyInstance) {
    const ids = [...(waiting ?? [])]
    waiting = batch = undefined
    batches += 1
    return app.cache.track(async () => {
      const read = (id: string) => app.cache.fetch(`user:${id}`, () => `${id}${version}`, { tags: [`user:${id}`] })
      return new Map(await Promise.all(ids.map(async (id) => [id, await read(id)] as const)))
    })
  }

  const pages = ['a', 'b'].map(ask)
  await until(() => waiting?.size === 2)
  gate.resolve(undefined)
  t.strictSame(
    (await Promise.all(pages)).map(({ body }) => body),
    ['{"user":"a1"}', '{"user":"b1"}'],
  )
  t.equal(batches, 1)
  for (const id of ['a', 'b']) {
    const { headers } = await ask(id)
    t.match(headers['cache-status'], /; hit/)
    t.strictSame(String(headers['surrogate-key']).split(' ').sort(), ['user:a', 'user:b'])
  }
  version = 2
  await app.cache.purge({ tags: ['user:b'], hard: true })
  t.equal((await ask('b')).body, '{"user":"b2"}', 'the page that did not start the batch')
})

t.test('a page with the result of a worker has its tags and ends with a purge', async (t) => {
  let version = 1
  const jobs: ((app: FastifyInstance) => void)[] = []
  const { app, ask } = await openUsers(t, async (app, id) => {
    const job = new Promise<Awaited<ReturnType<typeof work>>>((resolve) => {
      jobs.push((app) => void work(app, id).then(resolve))
    })
    const { value, dependencies } = await job
    app.cache.addDependencies(dependencies)
    return { value }
  })
  const work = (app: FastifyInstance, id: string) =>
    app.cache.track(() => app.cache.fetch(`job:${id}`, () => version, { tags: ['jobs'] }))
  const workOnce = async () => {
    await until(() => jobs.length > 0)
    jobs.shift()?.(app)
  }
  const first = ask('a')
  await workOnce()
  t.equal((await first).body, '{"value":1}')
  t.match((await ask('a')).headers, { 'cache-status': /; hit/, 'surrogate-key': 'jobs' })
  version = 2
  await app.cache.purge({ tags: ['jobs'] })
  const second = ask('a')
  await workOnce()
  t.equal((await second).body, '{"value":2}')
})

t.test('a page with a batch that was purged before the page used it is not stored', async (t) => {
  const { app, ask } = await openUsers(t, async (app) => {
    app.cache.addDependencies(batch.dependencies)
    return { value: batch.value }
  })
  const batch = await app.cache.track(() => app.cache.fetch('k', () => 1, { tags: ['x'] }))
  t.notMatch((await ask('a')).headers['cache-status'], /; hit/)
  t.match((await ask('a')).headers['cache-status'], /; hit/)
  await app.cache.purge({ tags: ['x'] })
  for (const id of ['a', 'b', 'b']) t.notMatch((await ask(id)).headers['cache-status'], /; hit/)
})
