import Fastify from 'fastify'
import t, { type Test } from 'tap'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { until } from '../../harness/until.js'

// Concurrent requests cause one handler call, whatever other requests arrive.

const many = 20

/** A forwarding route that the test lets answer. */
async function startWorld(t: Test, fields: Readonly<Record<string, string>>) {
  const clock = createClock()
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(proxyCache, { now: clock.now, collapseTimeoutMs: 300_000 })
  let calls = 0
  let held = createDeferred<void>()
  app.get('/x', { config: { proxyCache: {} } }, async ({ headers }, reply) => {
    calls += 1
    await held.promise
    return reply
      .code(headers.range === undefined ? 200 : 206)
      .headers(fields)
      .send('x')
  })
  await app.ready()
  /** Sends all requests, lets the handler answer after this many calls, and returns the number of calls. */
  const ask = async (all: readonly Readonly<Record<string, string>>[], atFirst: number) => {
    calls = 0
    held = createDeferred()
    const answers = all.map((headers) => app.inject({ url: '/x', headers }).then(({ statusCode }) => statusCode))
    t.ok(await until(() => calls >= atFirst))
    held.resolve()
    await Promise.all(answers)
    return calls
  }
  return { ask, step: clock.step }
}

const plain = Array.from({ length: many }, () => ({}))

for (const odd of [{ 'cache-control': 'no-store' }, { authorization: 'Bearer x' }, { range: 'bytes=0-0' }]) {
  const [name] = Object.keys(odd)
  t.test(`a request with ${name}, whose response is not stored, does not affect the others`, async (t) => {
    const { ask, step } = await startWorld(t, { 'cache-control': 'max-age=1' })
    t.equal(await ask([odd, ...plain], 2), 2, 'when it arrives first')
    step(2)
    t.equal(await ask([odd], 1), 1)
    step(2)
    t.equal(await ask(plain, 1), 1, 'when it arrived before')
  })
}

t.test('requests with credentials are collapsed if the response is shared', async (t) => {
  const { ask } = await startWorld(t, { 'cache-control': 's-maxage=1' })
  t.equal(
    await ask(
      plain.map(() => ({ authorization: 'Bearer x' })),
      1,
    ),
    1,
  )
})

t.test('requests with credentials are not collapsed if the response is private', async (t) => {
  const { ask } = await startWorld(t, { 'cache-control': 'max-age=1' })
  const all = plain.map(() => ({ authorization: 'Bearer x' }))
  await ask(all, 1)
  t.equal(await ask(all, many), many)
})
