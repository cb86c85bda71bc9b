import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type RouteHandlerMethod } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'

// Lifetimes of about a second, with handlers that take longer.

interface World {
  readonly app: FastifyInstance
  readonly step: (seconds: number) => void
  /** Handler calls so far. */
  readonly calls: () => number
}

/** Routes whose handler takes 1.5 s of the stepped clock. */
async function startWorld(t: Test): Promise<World> {
  const clock = createClock()
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge, { now: clock.now, collapseTimeoutMs: 600_000 })
  await app.register(proxyCache, { now: clock.now, collapseTimeoutMs: 600_000 })
  let calls = 0
  let running: { readonly until: number; readonly end: () => void }[] = []
  const handler =
    (control?: string): RouteHandlerMethod =>
    async (_request, reply) => {
      calls += 1
      const body = `${calls}`
      const { promise, resolve } = createDeferred<void>()
      running.push({ until: clock.now() + 1_500, end: () => resolve() })
      await promise
      if (control !== undefined) reply.header('cache-control', control)
      return body
    }
  app.get('/own', { config: { edge: { ttlSeconds: 1 } } }, handler())
  app.get('/stated', { config: { edge: {} } }, handler('max-age=1'))
  app.get('/shared', { config: { proxyCache: {} } }, handler('s-maxage=1'))
  app.get('/no-cache', { config: { proxyCache: {} } }, handler('no-cache'))
  await app.ready()
  const step = (seconds: number) => {
    clock.step(seconds)
    for (const { until, end } of running) if (until <= clock.now()) end()
    running = running.filter(({ until }) => until > clock.now())
  }
  return { app, step, calls: () => calls }
}

for (const { url, maxCalls } of [
  { url: '/own', maxCalls: 5 },
  { url: '/stated', maxCalls: 5 },
  { url: '/shared', maxCalls: 8 },
]) {
  t.test(`${url}: a handler slower than the lifetime runs about once a second, whatever the load`, async (t) => {
    const { app, step, calls } = await startWorld(t)
    const answers: Promise<{ readonly statusCode: number }>[] = []
    for (let request = 0; request < 1_000; request += 1) {
      answers.push(app.inject(url))
      await nextTurn()
      step(0.01)
    }
    for (let turn = 0; turn < 40; turn += 1) {
      step(0.1)
      for (let once = 0; once < 5; once += 1) await nextTurn()
    }
    const statuses = (await Promise.all(answers)).map(({ statusCode }) => statusCode)
    t.strictSame(new Set(statuses), new Set([200]))
    t.ok(calls() <= maxCalls, `${calls()} calls in 10 s`)
  })
}

t.test('the lifetime of a route counts from when its response is there', async (t) => {
  const { app, step, calls } = await startWorld(t)
  for (const url of ['/own', '/stated']) {
    const before = calls()
    const answer = app.inject(url)
    while (calls() === before) await nextTurn()
    step(1.5)
    t.match((await answer).headers, { age: '0', 'cache-status': /ttl=1; stored/ }, url)
    step(0.9)
    t.match((await app.inject(url)).headers['cache-status'], /; hit/, url)
  }
})

t.test('a response that must be validated is not given to requests that waited for it', async (t) => {
  const { app, step, calls } = await startWorld(t)
  const answers = [app.inject('/no-cache'), app.inject('/no-cache')]
  while (calls() < 1) await nextTurn()
  step(1.5)
  while (calls() < 2) await nextTurn()
  step(1.5)
  t.strictSame((await Promise.all(answers)).map(({ body }) => body).sort(), ['1', '2'])
})
