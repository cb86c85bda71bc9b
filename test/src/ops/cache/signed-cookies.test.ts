import cookie from '@fastify/cookie'
import Fastify from 'fastify'
import t from 'tap'
import { createSignedCookies } from '../../../../src/ops/cache/signed-cookies.js'

t.test('a cookie is read only as it was set: under its name, with its value, signed with the key', async (t) => {
  const app = Fastify()
  await app.register(cookie)
  const cookies = createSignedCookies(Buffer.from('key'))
  const otherKey = createSignedCookies(Buffer.from('other'))
  app.get('/set', (request, reply) => {
    cookies.set('one', 'a.b', 60, request, reply)
    otherKey.set('foreign', 'a.b', 60, request, reply)
    return 'set'
  })
  app.get<{ Querystring: { name: string } }>('/read', (request) => ({
    value: cookies.read(request.query.name, request),
  }))
  const set = await app.inject('/set')
  const cookieOf = (name: string) => set.cookies.find((cookie) => cookie.name === name)?.value ?? ''
  const one = cookieOf('one')
  const read = async (name: string, value: string) => {
    const answer = await app.inject({ url: `/read?name=${name}`, cookies: { [name]: value } })
    return answer.json().value
  }
  t.equal(await read('one', one), 'a.b')
  for (const [why, name, value] of [
    ['another name', 'two', one],
    ['another key', 'one', cookieOf('foreign')],
    ['another value', 'one', one.replace('a.b', 'a.c')],
    ['a moved boundary', 'one=a', one.slice(2)],
    ['a shorter signature', 'one', one.slice(0, -4)],
    ['no signature', 'one', 'a.b'],
    ['an empty signature', 'one', 'a.b.'],
    ['only a dot', 'one', '.'],
    ['nothing', 'one', ''],
    ['15 kB', 'one', 'x'.repeat(15_000)],
  ] as const) {
    t.equal(await read(encodeURIComponent(name), value), undefined, why)
  }
})
