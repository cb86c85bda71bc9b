import Fastify from 'fastify'
import t from 'tap'
import { hasTrailers, type PriorReply, PriorReplyReader, personalBy } from '../../../plugins/responses/prior-reply.js'

const nothing: PriorReply = {
  fields: {},
  status: 200,
  hasSerializer: false,
  hasTrailers: false,
  hasPendingCookies: false,
}

t.test('what hooks set on the reply decides whether the request bypasses the cache', async (t) => {
  for (const [name, prior, by] of [
    ['nothing', {}, undefined],
    ['a status', { status: 202 }, 'hook-status'],
    ['a serializer', { hasSerializer: true }, 'hook-serializer'],
    ['trailers', { hasTrailers: true }, 'hook-trailers'],
    ['cookies', { hasPendingCookies: true, fields: { 'set-cookie': ['a=b'] } }, undefined],
    ['no-store', { fields: { 'cache-control': 'private, no-store' } }, 'hook-cache-control'],
    ['no-store in upper case', { fields: { 'cache-control': 'No-Store' } }, 'hook-cache-control'],
    ['no-store in the second line', { fields: { 'cache-control': ['max-age=5', 'no-store'] } }, 'hook-cache-control'],
    ['private', { fields: { 'cache-control': 'private, max-age=60' } }, 'hook-cache-control'],
    ['private for some fields', { fields: { 'cache-control': 'private="set-cookie"' } }, undefined],
    ['a lifetime', { fields: { 'cache-control': 'max-age=60' } }, undefined],
    ['no-cache', { fields: { 'cache-control': 'no-cache' } }, undefined],
    ['no-store for CDNs', { fields: { 'cdn-cache-control': 'no-store' } }, 'hook-cache-control'],
    ['no-store for surrogates', { fields: { 'surrogate-control': 'no-store' } }, 'hook-cache-control'],
    ['a policy', { fields: { 'content-security-policy': "script-src 'self' 'sha256-x'" } }, undefined],
    ['a nonce', { fields: { 'content-security-policy': "script-src 'nonce-x'" } }, 'nonce'],
    ['a reported nonce', { fields: { 'content-security-policy-report-only': ["script-src 'Nonce-x'"] } }, 'nonce'],
    ['other fields', { fields: { 'x-a': 1, vary: 'origin', 'x-b': undefined } }, undefined],
  ] as const) {
    t.equal(personalBy({ ...nothing, ...prior }), by, name)
  }
})

t.test('a reply says what hooks have set', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const reader = new PriorReplyReader()
  const seen: PriorReply[] = []
  app.addHook('onRequest', async (request, reply) => {
    const set = request.headers['x-set']
    if (set === 'status') reply.code(202)
    if (set === 'serializer') reply.serializer(String)
    if (set === 'trailer') reply.trailer('x-t', async () => 'x')
    if (set === 'removed-trailer') reply.trailer('x-t', async () => 'x').removeTrailer('x-t')
    if (set === 'raw') reply.raw.setHeader('x-raw', '1')
    seen.push(reader.read(reply))
    t.equal(hasTrailers(reply), set === 'trailer')
  })
  app.get('/', async () => 'x')
  for (const set of ['nothing', 'status', 'serializer', 'trailer', 'removed-trailer', 'raw']) {
    await app.inject({ url: '/', headers: { 'x-set': set } })
  }
  t.match(seen, [
    nothing,
    { status: 202 },
    { status: 200, hasSerializer: true },
    { hasSerializer: false, hasTrailers: true },
    { hasTrailers: false },
    { fields: { 'x-raw': '1' } },
  ])
})
