import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { HandlerDependencies } from '../../../plugins/responses/handler-dependencies.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { startPlugins } from '../../harness/plugins.js'
import { connectRaw, listen } from '../../harness/raw-http.js'
import { until } from '../../harness/until.js'

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

t.test('a stream that is read to its end after its client has left depends on everything that it reads', async (t) => {
  let runs = 0
  let clientLeft = createDeferred<void>()
  const handler = async (_request: FastifyRequest, reply: FastifyReply) => {
    runs += 1
    return runs === 1 ? Readable.from(generate()) : reply.code(404).send('only the first response may be stored')
  }
  const routes = (app: FastifyInstance) => {
    app.get('/edge', { config: { edge: { ttlSeconds: 60 } } }, handler)
    app.get('/proxy', { config: { proxyCache: { ttlSeconds: 60 } } }, handler)
  }
  const { app } = await startPlugins(t, { edge: {}, proxyCache: {}, routes })
  async function* generate() {
    yield 'start '
    await clientLeft.promise
    yield String(await app.cache.fetch('late', () => 'data', { tags: ['late'] }))
  }
  for (const name of ['edge', 'proxy'] as const) {
    runs = 0
    clientLeft = createDeferred()
    const client = await connectRaw(t, await listen(app))
    client.write(`GET /${name} HTTP/1.1\r\nHost: a.example\r\n\r\n`)
    await client.head()
    client.socket.destroy()
    t.ok(await until(async () => (await connectionsOf(app)) === 0))
    clientLeft.resolve()
    const ask = async () => (await app.inject({ url: `/${name}`, headers: { host: 'a.example' } })).headers
    t.ok(await until(async () => /; hit/.test(String((await ask())['cache-status']))), `${name}: stored`)
    await app.cache.purge({ tags: ['late'], hard: true })
    t.notMatch((await ask())['cache-status'], /; hit/, `${name}: the purge reaches the response`)
  }
})

t.test('the dependencies of a handler that answers too late after its client has left are never current', async (t) => {
  const { cache } = (await startPlugins(t)).app
  const read = () => cache.fetch('k', () => 'v')
  const [left, answered] = [{ isSent: false }, { isSent: true }]
  const cases: [name: string, isCurrent: boolean, leave: (dependencies: HandlerDependencies) => unknown][] = [
    ['the client stays', true, (tracked) => tracked.run(read)],
    [
      'it has received the response',
      true,
      (tracked) => [tracked.run(read), tracked.readUntilEnd(), tracked.replyClosed(answered)],
    ],
    ['a hook has answered', false, (tracked) => [tracked.run(read), tracked.replyClosed(answered)]],
    ['it has left before the handler ran', false, (tracked) => [tracked.replyClosed(left), tracked.run(read)]],
    ['it has left before the handler answered', false, (tracked) => [tracked.run(read), tracked.replyClosed(left)]],
  ]
  await read()
  for (const [name, isCurrent, leave] of cases) {
    const tracked = new HandlerDependencies(cache, 1)
    leave(tracked)
    await sleep(50) // longer than the 1 ms above, so that timer has run
    const dependencies = await tracked.readUntilEnd()
    t.equal(dependencies?.isCurrent(), isCurrent, name)
    t.equal(dependencies?.freshForMs === 0, !isCurrent, name)
    t.equal(dependencies?.withTags(['t']).isCurrent(), isCurrent, name)
  }
})

function connectionsOf({ server }: FastifyInstance): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
