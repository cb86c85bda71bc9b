import Fastify from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'
import { createClock } from '../../harness/clock.js'

const { now } = createClock()

/** A route, and how often its handler has run. */
async function start(t: Test, querystring?: object, name = 'querystring') {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge, { now, ttlSeconds: 60 })
  const seen: unknown[] = []
  const schema = querystring === undefined ? {} : { [name]: querystring }
  app.get('/*', { schema, config: { edge: {} } }, async (request) => {
    seen.push(request.query)
    return { query: request.query, path: request.params }
  })
  const ask = (url: string, host = 'a.test') => app.inject({ url, headers: { host } })
  /** Whether the second URL gets the response of the first. */
  const isSame = async (first: string, second: string) => {
    await ask(first)
    const before = seen.length
    await ask(second)
    return seen.length === before
  }
  return { ask, isSame, seen }
}

const listing = {
  type: 'object',
  properties: { page: { type: 'integer', default: 1 }, tag: { type: 'array', items: { type: 'string' } } },
}

t.test('with a schema the key contains the validated parameters that it lists', async (t) => {
  const { isSame } = await start(t, listing)
  t.ok(await isSame('/a', '/a?page=1'), 'an explicit default value')
  t.ok(await isSame('/b?page=2&utm=1', '/b?utm=2&page=2'), 'order, and parameters that the schema does not list')
  t.ok(await isSame('/c?page=2', '/c?page=02'), 'values that are validated to the same one')
  t.notOk(await isSame('/d?page=2', '/d?page=3'))
  t.notOk(await isSame('/e?tag=1&tag=2', '/e?tag=2&tag=1'))
  t.notOk(await isSame('/f?tag=1&tag=2', '/f?tag=1,2'))
  t.notOk(await isSame('/g?tag=1', '/g'))
})

t.test('the schema may be named query or querystring', async (t) => {
  const { ask, isSame, seen } = await start(t, listing, 'query')
  t.ok(await isSame('/a?page=2', '/a?utm=1&page=02'))
  t.strictSame({ ...(seen[0] as object) }, { page: 2 })
  t.equal((await ask('/a?page=x')).statusCode, 400)
})

t.test('different paths have different keys', async (t) => {
  const { isSame } = await start(t, listing)
  for (const [one, other] of [
    ['/a%2Fb', '/a/b'],
    ['/a', '/a/'],
    ['/a', '/A'],
    ['/a%3Fpage=2', '/a?page=2'],
  ] as const) {
    t.notOk(await isSame(one, other), `${one} and ${other}`)
  }
})

t.test('names of inherited object properties are unknown parameters', async (t) => {
  const { ask, seen } = await start(t, listing)
  const answer = await ask('/a?__proto__=1&constructor=2&hasOwnProperty=3&page=4')
  t.equal(answer.statusCode, 200)
  t.strictSame({ ...(seen[0] as object) }, { page: 4 })
})

t.test('a request with an invalid query is neither stored nor answered from the cache', async (t) => {
  const { ask } = await start(t, listing)
  for (let count = 0; count < 2; count += 1) {
    const { statusCode, headers } = await ask('/a?page=x')
    t.equal(statusCode, 400)
    t.match(headers, { 'cache-status': /fwd=bypass;.*detail=invalid$/, 'cache-control': 'private, no-store' })
  }
})

t.test('without a schema the key is the complete target URI with the host', async (t) => {
  const { ask, isSame, seen } = await start(t)
  t.ok(await isSame('/a?x=1', '/a?x=1'))
  t.notOk(await isSame('/b?x=1&y=2', '/b?y=2&x=1'))
  const before = seen.length
  await ask('/d', 'a.test')
  await ask('/d', 'b.test')
  await ask('/d', 'A.TEST')
  t.equal(seen.length, before + 2, 'the host is case-insensitive')
})

t.test('routes with one path and different host constraints have different keys', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(edge, { now, ttlSeconds: 60 })
  const hosts = { 'a.test': 'a.test', 'b.test': /^b\.test$/, 'c.test': /^c\.test$/ }
  for (const [name, host] of Object.entries(hosts)) {
    app.get('/x', { schema: { querystring: listing }, constraints: { host }, config: { edge: {} } }, async () => name)
  }
  for (const cacheStatus of [/miss/, /hit/]) {
    for (const host of Object.keys(hosts)) {
      const { body, headers } = await app.inject({ url: '/x', headers: { host } })
      t.equal(body, host)
      t.match(headers['cache-status'], cacheStatus)
    }
  }
})
