import t from 'tap'
import { checkKey, type Policy, resolveLifetime, resolvePurge, resolveTags } from '../../../plugins/cache/policy.js'

const code = 'VITRINE_CACHE_OPTION'
const defaults = { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 3_600 }

t.test('a policy overrides the default lifetimes', async (t) => {
  t.strictSame(resolveLifetime({}, defaults), defaults)
  t.strictSame(resolveLifetime({ ttlSeconds: 5, staleIfErrorSeconds: 0 }, defaults), {
    ttlSeconds: 5,
    staleWhileRevalidateSeconds: 60,
    staleIfErrorSeconds: 0,
  })
  t.match(resolveLifetime({ freshUntil: 1_000 }, defaults), { ttlSeconds: 300, freshUntil: 1_000 })
})

for (const [policy, message] of [
  [{ ttlSeconds: 0 }, 'ttlSeconds must be a number greater than 0 and at most 31622400'],
  [{ ttlSeconds: -1 }, 'ttlSeconds must be a number greater than 0 and at most 31622400'],
  [{ ttlSeconds: '60' }, 'ttlSeconds must be a number greater than 0 and at most 31622400'],
  [{ staleWhileRevalidateSeconds: Number.NaN }, 'staleWhileRevalidateSeconds must be a number from 0 to 31622400'],
  [{ staleIfErrorSeconds: 10 ** 9 }, 'staleIfErrorSeconds must be a number from 0 to 31622400'],
  [{ freshUntil: Number.POSITIVE_INFINITY }, 'freshUntil must be milliseconds since the epoch, such as date.getTime()'],
  [{ freshUntil: new Date(0) }, 'freshUntil must be milliseconds since the epoch, such as date.getTime()'],
] as const) {
  t.test(`${JSON.stringify(policy)} is refused`, async (t) => {
    const wrong = policy as Policy // some of them on purpose
    t.throws(() => resolveLifetime(wrong, defaults), { code, message: `fastify.cache: ${message}` })
  })
}

t.test('tags are an array of distinct strings', async (t) => {
  t.strictSame(resolveTags(['a', 'b', 'a']), ['a', 'b'])
  t.strictSame(resolveTags(), [])
  const text: unknown = 'rates'
  t.throws(() => resolveTags(text as string[]), { code, message: 'fastify.cache: tags must be an array of strings' })
  t.throws(() => resolveTags(Array.from({ length: 17 }, (_none, n) => `t${n}`)), { code, message: /at most 16/ })
  for (const tag of ['', '*', 'a b', 'x'.repeat(129), '\ud800']) t.throws(() => resolveTags([tag]), { code }, tag)
})

t.test('a purge names tags, keys or all; empty lists are allowed', async (t) => {
  const nothing = { tags: [], keys: [], all: false, isHard: false }
  t.strictSame(resolvePurge({ tags: [] }), nothing)
  t.strictSame(resolvePurge({ all: true, hard: true }), { ...nothing, all: true, isHard: true })
  t.strictSame(resolvePurge({ keys: ['k', 'k'], tags: ['t'] }), { ...nothing, tags: ['t'], keys: ['k'] })
  t.throws(() => resolvePurge({}), { code, message: 'fastify.cache: purge must have tags, keys or all: true' })
  t.throws(() => resolvePurge({ keys: Array(257).fill('k') }), { code, message: /at most 256/ })
  const text: unknown = 'rates'
  t.throws(() => resolvePurge({ tags: text as string[] }), { code, message: /tags must be an array/ })
})

t.test('a key is 1 to 512 characters of well-formed Unicode', async (t) => {
  for (const key of ['k', '日本', '😀', 'x'.repeat(512)]) t.doesNotThrow(() => checkKey(key))
  for (const key of ['', 'x'.repeat(513), '\ud83d']) t.throws(() => checkKey(key), { code })
})
