import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, RouteShorthandOptions } from 'fastify'
import t, { type Test } from 'tap'
import { detachedTimeoutMs, HandlerDependencies } from '../../../plugins/responses/handler-dependencies.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { startPlugins } from '../../harness/plugins.js'
import { connectRaw, listen } from '../../harness/raw-http.js'
import { until } from '../../harness/until.js'

// Handlers and streams that read their data after the reply has closed. The response depends on that data nevertheless.

const kinds = ['edge', 'proxyCache'] as const
type Kind = (typeof kinds)[number]

const routes: Readonly<Record<Kind, RouteShorthandOptions>> = {
  edge: { config: { edge: { ttlSeconds: 600 } } },
  proxyCache: { config: { proxyCache: { ttlSeconds: 600 } } },
}

interface World {
  /** Reads the data, whose tag is `t`. */
  readonly read: () => Promise<string>
  /** Holds the handler until the test releases it. */
  readonly gate: Promise<void>
  /** Call it in the handler or a hook. */
  readonly watch: (reply: FastifyReply) => void
  readonly app: FastifyInstance
}

/**
 * One client asks and leaves once the route has called `watch`. Then the gate opens, and the response is stored. A second client must
 * get it with its tags, and a third one a new response after a hard purge.
 */
async function leaveEarly(
  t: Test,
  kind: Kind,
  isHeadExpected: boolean,
  addRoute: (world: World) => void,
): Promise<void> {
  let version = 1
  const gate = createDeferred<void>()
  const watched = createDeferred<void>()
  const closed = createDeferred<void>()
  const { app } = await startPlugins(t, {
    edge: {},
    proxyCache: {},
    routes: (app) =>
      addRoute({
        app,
        gate: gate.promise,
        read: async () => String(await app.cache.fetch('k', () => version, { tags: ['t'] })),
        watch: ({ raw }) => {
          raw.once('close', () => closed.resolve())
          watched.resolve()
        },
      }),
  })
  const ask = () => app.inject({ url: '/x', headers: { host: 'a.example' } })
  const client = await connectRaw(t, await listen(app))
  client.write('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n')
  await watched.promise
  if (isHeadExpected) await client.head()
  client.socket.destroy()
  await closed.promise
  gate.resolve()
  t.ok(await until(() => app[kind].stats().stored === 1))
  const second = await ask()
  t.match(second, { body: /1$/, headers: { 'cache-status': /; hit/, 'surrogate-key': 't' } })
  version = 2
  await app.cache.purge({ tags: ['t'], hard: true })
  t.match(await ask(), { body: /2$/ })
}

for (const kind of kinds) {
  t.test(`${kind}: data that a handler reads after its client has left belong to the response`, (t) =>
    leaveEarly(t, kind, false, ({ app, gate, read, watch }) =>
      app.get('/x', routes[kind], async (_request, reply) => {
        watch(reply)
        await gate
        return read()
      }),
    ),
  )

  t.test(
    `${kind}: data that a handler reads after its client has left in a preHandler hook belong to the response`,
    (t) =>
      leaveEarly(t, kind, false, ({ app, gate, read, watch }) => {
        app.addHook('preHandler', async (_request, reply) => {
          watch(reply)
          await gate
        })
        app.get('/x', routes[kind], async () => read())
      }),
  )

  t.test(`${kind}: data that a stream reads after its client has left belong to the response`, (t) =>
    leaveEarly(t, kind, true, ({ app, gate, read, watch }) => {
      async function* generate() {
        yield 'a'
        await gate
        yield await read()
      }
      app.get('/x', routes[kind], async (_request, reply) => {
        watch(reply)
        return reply.type('text/plain').send(Readable.from(generate()))
      })
    }),
  )

  t.test(`${kind}: data that a stream reads in a background refresh belong to the response`, async (t) => {
    const { now, step } = createClock()
    let version = 1
    let gate = Promise.resolve()
    let closed = createDeferred<void>()
    async function* generate(app: FastifyInstance) {
      yield 'a'
      await gate
      yield String(await app.cache.fetch(`k${version}`, () => version, { tags: ['t'] }))
    }
    const { app } = await startPlugins(t, {
      cache: { now },
      edge: { now },
      proxyCache: { now },
      routes: (app) =>
        app.get('/x', routes[kind], async (_request, reply) => {
          reply.raw.once('close', () => closed.resolve())
          reply.headers({ 'cache-control': `max-age=${version === 1 ? 1 : 60}, stale-while-revalidate=60` })
          return reply.type('text/plain').send(Readable.from(generate(app)))
        }),
    })
    t.equal((await app.inject('/x')).body, 'a1')
    step(2)
    version = 2
    closed = createDeferred()
    const held = createDeferred<void>()
    gate = held.promise
    t.match(await app.inject('/x'), { body: 'a1', headers: { 'cache-status': /detail=stale-while-revalidate/ } })
    await closed.promise
    held.resolve()
    t.ok(await until(async () => (await app.inject('/x')).body === 'a2'))
    version = 3
    await app.cache.purge({ tags: ['t'], hard: true })
    t.equal((await app.inject('/x')).body, 'a3')
  })
}

t.test('data that a stream reads after its client got a 304 belong to the response', async (t) => {
  let version = 1
  const gate = createDeferred<void>()
  const { app } = await startPlugins(t, {
    edge: {},
    routes: (app) => {
      async function* generate() {
        yield 'a'
        await gate.promise
        yield String(await app.cache.fetch('k', () => version, { tags: ['t'] }))
      }
      app.get('/x', routes.edge, async (_request, reply) =>
        reply.type('text/plain').header('etag', '"1"').send(Readable.from(generate())),
      )
    },
  })
  t.equal((await app.inject({ url: '/x', headers: { 'if-none-match': '"1"' } })).statusCode, 304)
  gate.resolve()
  t.ok(await until(() => app.edge.stats().stored === 1))
  t.match(await app.inject('/x'), { body: 'a1', headers: { 'surrogate-key': 't' } })
  version = 2
  await app.cache.purge({ tags: ['t'], hard: true })
  t.equal((await app.inject('/x')).body, 'a2')
})

t.test('a response whose tracking is complete is stored, also after its reply has closed', async (t) => {
  const { app } = await startPlugins(t)
  for (const isSent of [true, false]) {
    const dependencies = new HandlerDependencies(app.cache)
    dependencies.run(() => undefined)
    await dependencies.readUntilEnd()
    dependencies.replyClosed({ isSent })
    dependencies.abandon()
    t.equal((await dependencies.readUntilEnd())?.isCurrent(), true)
  }
})

for (const kind of kinds) {
  t.test(`${kind}: tracking ends with every response`, async (t) => {
    let tracked = 0
    const { app } = await startPlugins(t, {
      edge: {},
      proxyCache: {},
      routes: (app) => {
        const track: typeof app.cache.track = app.cache.track.bind(app.cache)
        app.cache.track = async (work) => {
          tracked += 1
          try {
            return await track(work)
          } finally {
            tracked -= 1
          }
        }
        const stream = () => Readable.from(['a', 'b'])
        app.get('/text', routes[kind], async () => 'text')
        app.get('/stream', routes[kind], async (_request, reply) => reply.type('text/plain').send(stream()))
        app.get('/private', routes[kind], async (_request, reply) => reply.header('cache-control', 'private').send('x'))
        app.get('/private-stream', routes[kind], async (_request, reply) =>
          reply.header('cache-control', 'private').type('text/plain').send(stream()),
        )
        app.get('/failing-stream', routes[kind], async (_request, reply) => {
          const failing = stream()
          failing.once('data', () => failing.destroy(new Error('lost')))
          return reply.type('text/plain').send(failing)
        })
        app.get('/error', routes[kind], async () => {
          throw new Error('failed')
        })
        app.get('/hijacked', routes[kind], (_request, reply) => {
          reply.hijack()
          reply.raw.end('x')
        })
        app.register(async (scope) => {
          scope.addHook('preHandler', async ({ headers }, reply) => {
            if (headers['x-refuse'] !== undefined) await reply.code(403).send('refused')
          })
          scope.get('/hooked', routes[kind], async () => 'text')
        })
      },
    })
    const urls = [
      '/text',
      '/stream',
      '/private',
      '/private-stream',
      '/error',
      '/hijacked',
      '/hooked',
      '/failing-stream',
    ]
    for (const method of ['GET', 'HEAD'] as const) {
      for (const url of [...urls, ...urls]) {
        const headers = url === '/hooked' ? [{}, { 'x-refuse': '1' }, { cookie: 'a=b' }] : [{}]
        for (const one of headers) await app.inject({ method, url, headers: one }).catch(() => undefined)
        t.ok(await until(() => tracked === 0, 20_000), `${method} ${url}`)
      }
    }
  })
}

for (const kind of kinds) {
  t.test(`${kind}: a handler that answers long after its client has left stores nothing`, async (t) => {
    const { setTimeout: start } = globalThis
    const timedOut = createDeferred<() => void>()
    const value = (run: () => void, ms: number) => {
      if (ms === detachedTimeoutMs) timedOut.resolve(run)
      return start(run, ms)
    }
    t.intercept(globalThis, 'setTimeout', { value })
    let version = 1
    const [gate, called, hasRead] = [createDeferred<void>(), createDeferred<void>(), createDeferred<void>()]
    const { app } = await startPlugins(t, {
      edge: {},
      proxyCache: {},
      routes: (app) =>
        app.get('/x', routes[kind], async () => {
          called.resolve()
          await gate.promise
          const data = String(await app.cache.fetch('k', () => version, { tags: ['t'] }))
          hasRead.resolve()
          return data
        }),
    })
    const client = await connectRaw(t, await listen(app))
    client.write('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n')
    await called.promise
    client.socket.destroy()
    const expire = await timedOut.promise
    expire()
    await new Promise(setImmediate) // tracking ends asynchronously
    gate.resolve()
    await hasRead.promise
    version = 2
    await app.cache.purge({ tags: ['t'], hard: true })
    const { body, headers } = await app.inject({ url: '/x', headers: { host: 'a.example' } })
    t.equal(body, '2')
    t.notMatch(headers['cache-status'], /; hit/)
  })
}
