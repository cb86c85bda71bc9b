import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { createTestStore, type TestStore } from 'fastify-vitrine/cache/testing'
import t, { type Test } from 'tap'
import cache from '../../../plugins/cache/index.js'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { plainPath, purgeMatch, type ResponsePurge } from '../../../plugins/responses/response-purge.js'
import { createDeferred } from '../../harness/deferred.js'
import { until } from '../../harness/until.js'

// Purges of responses by path and tag, also without fastify.cache.

const kinds = ['edge', 'proxyCache'] as const

interface StartOptions {
  readonly store?: TestStore['store']
  readonly isShared?: boolean
}

async function start(
  t: Test,
  { store, isShared = false }: StartOptions = {},
  declare?: (app: FastifyInstance) => unknown,
) {
  const app = Fastify()
  t.teardown(() => app.close())
  if (store !== undefined) await app.register(cache, { store })
  await app.register(edge, { ttlSeconds: 600 })
  await app.register(proxyCache, { shared: isShared })
  let visits = 0
  const visit = (reply: FastifyReply) => reply.header('cache-control', 'max-age=600').send(`visit ${++visits}`)
  for (const kind of kinds) {
    const schema = { querystring: { type: 'object', properties: { page: { type: 'integer' } } } }
    app.get(`/${kind}/:name`, { config: { [kind]: { tags: ['t'] } } }, async (_request, reply) => visit(reply))
    app.get(`/${kind}/list`, { schema, config: { [kind]: {} } }, async (_request, reply) => visit(reply))
    app.get(`/${kind}/deep/a/b`, { config: { [kind]: {} } }, async (_request, reply) => visit(reply))
  }
  await declare?.(app)
  await app.ready()
  const ask = async (url: string, headers: Record<string, string> = {}) => {
    const response = await app.inject({ url, headers })
    return { body: response.body, isHit: /hit/.test(String(response.headers['cache-status'])) }
  }
  return { app, ask }
}

t.test('a path stands for all its queries and hosts, a star at the end for every rest', async (t) => {
  const cases: { name: string; purge: ResponsePurge; path: string; tags?: string[]; expected: boolean }[] = [
    { name: 'the path', purge: { paths: ['/x'] }, path: '/x', expected: true },
    { name: 'with an origin in its key', purge: { paths: ['/x'] }, path: 'http://a.test\n/x', expected: true },
    { name: 'of an absolute target', purge: { paths: ['/x'] }, path: 'a.test\nhttp://a.test/x', expected: true },
    { name: 'the root of an absolute target', purge: { paths: ['/'] }, path: 'a.test\nhttp://a.test', expected: true },
    { name: 'another spelling', purge: { paths: ['/x-y'] }, path: '/x%2Dy', expected: true },
    { name: 'another spelling in the purge', purge: { paths: ['/x%2dy'] }, path: '/x-y', expected: true },
    { name: 'malformed escapes', purge: { paths: ['/%zz'] }, path: '/%zz', expected: true },
    { name: 'below it', purge: { paths: ['/x'] }, path: '/x/y', expected: false },
    { name: 'a longer name', purge: { paths: ['/x'] }, path: '/xy', expected: false },
    { name: 'below a prefix', purge: { paths: ['/x/*'] }, path: '/x/y/z', expected: true },
    { name: 'the path of a prefix itself', purge: { paths: ['/x/*'] }, path: '/x', expected: false },
    { name: 'a prefix of a name', purge: { paths: ['/x*'] }, path: '/xy', expected: true },
    { name: 'everything by prefix', purge: { paths: ['/*'] }, path: '/x', expected: true },
    { name: 'one of several', purge: { paths: ['/a', '/b/*'] }, path: '/b/c', expected: true },
    { name: 'a tag', purge: { tags: ['t'] }, path: '/x', tags: ['s', 't'], expected: true },
    { name: 'another tag', purge: { tags: ['t'] }, path: '/x', tags: ['s'], expected: false },
    { name: 'a path or a tag', purge: { paths: ['/a'], tags: ['t'] }, path: '/x', tags: ['t'], expected: true },
    { name: 'all', purge: { all: true }, path: '/x', expected: true },
  ]
  for (const { name, purge, path, tags = [], expected } of cases) {
    t.equal(purgeMatch(purge)({ path, tags }), expected, name)
  }
  t.equal(plainPath('GET\na\n/x'), '/x')
})

t.test('without fastify.cache responses are purged by path, by prefix, by tag, and all', async (t) => {
  for (const kind of kinds) {
    const { app, ask } = await start(t)
    const urls = ['one', 'one?page=2', 'two', 'list', 'list?page=2', 'deep/a/b'].map((rest) => `/${kind}/${rest}`)
    const cases: { purge: ResponsePurge; gone: readonly number[] }[] = [
      { purge: { paths: [`/${kind}/one`] }, gone: [0, 1] },
      { purge: { paths: [`/${kind}/list`] }, gone: [3, 4] },
      { purge: { paths: [`/${kind}/deep/*`, `/${kind}/two`] }, gone: [2, 5] },
      { purge: { tags: ['t'] }, gone: [0, 1, 2] },
      { purge: { paths: ['/other'], tags: ['other'] }, gone: [] },
      { purge: { all: true }, gone: [0, 1, 2, 3, 4, 5] },
    ]
    for (const { purge, gone } of cases) {
      for (const url of urls) await ask(url)
      t.strictSame(await app[kind].purge(purge), { removed: gone.length }, JSON.stringify(purge))
      for (const [index, url] of urls.entries()) t.equal((await ask(url)).isHit, !gone.includes(index), url)
    }
  }
})

t.test('a purge removes the responses of every host and of every variant, and counts them', async (t) => {
  const { app, ask } = await start(t, {}, (app) => {
    app.get('/vary', { config: { edge: { vary: ['x-lang'] } } }, async ({ headers }) => `in ${headers['x-lang']}`)
  })
  const fields = [{ host: 'a.test' }, { host: 'b.test' }, { host: 'a.test', 'x-lang': 'fr' }]
  for (const headers of fields) await ask('/vary', headers)
  t.strictSame(await app.edge.purge({ paths: ['/vary'] }), { removed: 3 })
  for (const headers of fields) t.equal((await ask('/vary', headers)).isHit, false)
})

t.test('each cache purges its own responses', async (t) => {
  const { app, ask } = await start(t)
  for (const kind of kinds) await ask(`/${kind}/one`)
  await app.edge.purge({ tags: ['t'] })
  t.equal((await ask('/proxyCache/one')).isHit, true)
  t.equal((await ask('/edge/one')).isHit, false)
})

t.test('a response that is being generated during its purge is sent, and not stored', async (t) => {
  for (const kind of kinds) {
    for (const purge of [{ paths: ['/slow'] }, { paths: ['/slo*'] }, { tags: ['slow'] }, { all: true }]) {
      let [begun, answer] = [createDeferred<void>(), createDeferred<void>()]
      const { app, ask } = await start(t, {}, (app) => {
        app.get('/slow', { config: { [kind]: { tags: ['slow'] } } }, async (_request, reply) => {
          begun.resolve()
          await answer.promise
          return reply.header('cache-control', 'max-age=600').send('slow')
        })
      })
      const first = ask('/slow')
      await begun.promise
      t.strictSame(await app[kind].purge(purge), { removed: 0 })
      answer.resolve()
      t.match(await first, { body: 'slow', isHit: false }, `${kind} ${JSON.stringify(purge)}`)
      ;[begun, answer] = [createDeferred<void>(), createDeferred<void>()]
      answer.resolve()
      t.match(await ask('/slow'), { body: 'slow', isHit: false }, 'it was not stored')
      t.match(await ask('/slow'), { isHit: true }, 'a later one is')
    }
  }
})

t.test('a purge of other responses does not keep a response from being stored', async (t) => {
  const [begun, answer] = [createDeferred<void>(), createDeferred<void>()]
  const { app, ask } = await start(t, {}, (app) => {
    app.get('/slow', { config: { edge: { tags: ['slow'] } } }, async () => {
      begun.resolve()
      await answer.promise
      return 'slow'
    })
  })
  const first = ask('/slow')
  await begun.promise
  await app.edge.purge({ paths: ['/other', '/slow/*'], tags: ['other'] })
  answer.resolve()
  await first
  t.equal((await ask('/slow')).isHit, true)
})

t.test('a purge with shared: true reaches the shared store and the other processes', async (t) => {
  const { store } = createTestStore()
  const one = await start(t, { store, isShared: true })
  const other = await start(t, { store, isShared: true })
  const url = '/proxyCache/one'
  const purges = [{ paths: [url] }, { paths: ['/proxyCache/*'] }, { tags: ['t'] }, { all: true }]
  for (const purge of purges) {
    const { body } = await one.ask(url)
    t.ok(await until(async () => (await other.ask(url)).body === body), 'the other process has it from the store')
    t.strictSame(await one.app.proxyCache.purge(purge), { removed: 1 })
    const next = await one.ask(url)
    t.not(next.body, body, JSON.stringify(purge))
    t.ok(await until(async () => (await other.ask(url)).body !== body), `the other process, ${JSON.stringify(purge)}`)
    await nextTurn()
  }
})

t.test('a purge that says nothing, or something else, is refused', async (t) => {
  const { app } = await start(t)
  const codes = { edge: 'VITRINE_EDGE_OPTION', proxyCache: 'VITRINE_PROXY_CACHE_OPTION' }
  const cases: [purge: unknown, message: RegExp][] = [
    [undefined, /purge requires \{ paths, tags \} or \{ all: true \}/],
    ['/x', /purge requires/],
    [{}, /purge requires a path, a tag or all: true/],
    [{ paths: [], tags: [], all: false }, /purge requires a path/],
    [{ urls: ['/x'] }, /there is no purge by urls/],
    [{ paths: '/x' }, /paths of a purge must be paths without a query/],
    [{ paths: ['x'] }, /paths of a purge/],
    [{ paths: ['/x?page=2'] }, /paths of a purge/],
    [{ paths: ['http://a.test/x'] }, /paths of a purge/],
    [{ paths: ['/*/x'] }, /paths of a purge/],
    [{ paths: Array(257).fill('/x') }, /at most 256 paths/],
    [{ tags: ['a b'] }, /tags of a purge must be/],
    [{ tags: [1] }, /tags of a purge must be/],
    [{ all: 'yes' }, /all of a purge must be true or false/],
  ]
  for (const kind of kinds) {
    for (const [purge, message] of cases) {
      // A program without types may pass anything.
      await t.rejects(app[kind].purge(purge as ResponsePurge), { code: codes[kind], message }, JSON.stringify(purge))
    }
  }
})
