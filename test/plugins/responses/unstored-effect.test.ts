import { setTimeout as pause } from 'node:timers/promises'
import replyFrom from '@fastify/reply-from'
import Fastify, { type FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import proxyCache from '../../../plugins/proxy-cache/index.js'
import { effectOfUnstored, type UnstoredResponse } from '../../../plugins/responses/unstored-effect.js'
import { createClock } from '../../harness/clock.js'
import { until } from '../../harness/until.js'

const plain: UnstoredResponse = { method: 'GET', status: 200, reason: 'no-store', isForOneClient: false }

t.test(
  'a response that is not stored replaces the stored one only if it is a success for all clients, or a 410',
  async (t) => {
    const cases: readonly (readonly [string, Partial<UnstoredResponse>, 'keep' | 'validate' | 'remove'])[] = [
      ['a success', {}, 'remove'],
      ['a private success', { reason: 'private' }, 'remove'],
      ['a redirect', { status: 302, reason: 'no-lifetime' }, 'remove'],
      ['410', { status: 410, reason: 'no-lifetime' }, 'remove'],
      ['404', { status: 404, reason: 'no-lifetime' }, 'validate'],
      ['400', { status: 400, reason: 'no-lifetime' }, 'validate'],
      ...[401, 403, 407, 408, 428, 429, 431].map((status) => [`${status}`, { status }, 'keep'] as const),
      ...[500, 501, 502, 503, 504, 511].map((status) => [`${status}`, { status }, 'keep'] as const),
      ...[206, 304, 412, 416].map((status) => [`${status}`, { status }, 'keep'] as const),
      ...(['authorization', 'cookie', 'set-cookie'] as const).map(
        (reason) => [`a success with the reason ${reason}`, { reason }, 'keep'] as const,
      ),
      ['a success for one client', { isForOneClient: true }, 'keep'],
      ['410 for one client', { status: 410, isForOneClient: true }, 'keep'],
      ['HEAD', { method: 'HEAD' }, 'keep'],
    ]
    for (const [name, response, stored] of cases)
      t.equal(effectOfUnstored({ ...plain, ...response }).stored, stored, name)
  },
)

t.test('requests stop waiting for one another after a response that can never be shared', async (t) => {
  const cases: readonly (readonly [string, Partial<UnstoredResponse>, boolean])[] = [
    ['a success that is not stored', {}, true],
    ['404', { status: 404, reason: 'no-lifetime' }, true],
    ['500', { status: 500, reason: 'no-lifetime' }, true],
    ['one that was invalidated while it was generated', { reason: 'invalidated' }, false],
    ...[401, 403, 429].map((status) => [`${status}`, { status, reason: 'status' }, false] as const),
  ]
  for (const [name, response, isHitForMiss] of cases) {
    t.equal(effectOfUnstored({ ...plain, ...response }).isHitForMiss, isHitForMiss, name)
  }
})

type Behave = (reply: FastifyReply) => FastifyReply

/** An edge route and a forwarding one, fresh for a second, with the same origin. */
async function startWorld(t: Test) {
  const clock = createClock()
  let behave: Behave = (reply) => reply.send('good')
  let calls = 0
  const origin = Fastify()
  origin.get('/x', async (_request, reply) => behave(reply.header('cache-control', 'max-age=1')))
  t.teardown(() => origin.close())
  const base = await origin.listen({ host: '127.0.0.1', port: 0 })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge, { now: clock.now })
  await app.register(proxyCache, { now: clock.now })
  await app.register(replyFrom, { base })
  const windows = { staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 600 }
  app.get('/own', { config: { edge: { ttlSeconds: 1, ...windows } } }, async (_request, reply) => {
    calls += 1
    return behave(reply)
  })
  app.get('/forwarded', { config: { proxyCache: windows } }, async (_request, reply) => {
    calls += 1
    return reply.from('/x')
  })
  await app.ready()
  return {
    step: clock.step,
    calls: () => calls,
    behave: (next: Behave) => {
      behave = next
    },
    async ask(url: string, headers: Readonly<Record<string, string>> = {}) {
      const { statusCode, body } = await app.inject({ url, headers })
      return `${statusCode} ${body}`
    },
  }
}

const failing: Behave = (reply) => reply.code(503).header('cache-control', 'no-store').send('down')

for (const url of ['/own', '/forwarded']) {
  for (const status of [401, 403, 404, 429]) {
    t.test(`${url}: ${status} for one client leaves the response that is served when the handler fails`, async (t) => {
      const { ask, behave, step } = await startWorld(t)
      t.equal(await ask(url), '200 good')
      step(120)
      behave((reply) => reply.code(status).header('cache-control', 'no-store').send('refused'))
      t.equal(await ask(url), `${status} refused`)
      behave(failing)
      t.equal(await ask(url), '200 good')
    })
  }

  for (const status of [403, 429]) {
    t.test(`${url}: ${status} that states a lifetime does not replace the response of others`, async (t) => {
      const { ask, behave, step } = await startWorld(t)
      t.equal(await ask(url), '200 good')
      step(120)
      behave((reply) => reply.code(status).header('cache-control', 'max-age=600').send('refused'))
      t.equal(await ask(url, { cookie: 'a=b' }), `${status} refused`)
      behave((reply) => reply.send('good again'))
      t.equal(await ask(url), '200 good again')
    })
  }

  t.test(`${url}: a page that is gone is not served while it is refreshed in the background`, async (t) => {
    const { ask, behave, calls, step } = await startWorld(t)
    t.equal(await ask(url), '200 good')
    step(2)
    behave((reply) => reply.code(404).header('cache-control', 'no-store').send('gone'))
    t.equal(await ask(url), '200 good', 'while the first refresh runs')
    t.ok(await until(() => calls() === 2))
    await pause(100) // the refresh is likely to have ended, which must not make a difference
    t.ok(await until(async () => (await ask(url)) === '404 gone'))
    behave(failing)
    t.equal(await ask(url), '200 good')
  })
}

t.test('a success for a client with credentials leaves what is stored for others', async (t) => {
  const { ask, behave, step } = await startWorld(t)
  t.equal(await ask('/forwarded'), '200 good')
  step(120)
  behave((reply) => reply.header('cache-control', 'private').send('for alice'))
  t.equal(await ask('/forwarded', { cookie: 'user=alice' }), '200 for alice')
  behave(failing)
  t.equal(await ask('/forwarded'), '200 good')
})
