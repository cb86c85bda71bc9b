import t from 'tap'
import {
  decodeEntry,
  type Entry,
  encodeEntry,
  freshness,
  mayServeWhileRevalidating,
  normaliseValue,
  resolveInstants,
} from '../../../plugins/cache/entry.js'

const lifetime = { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 3_600 }
const storedAt = 1_000_000

function entryOf(value: unknown): Entry {
  return { value, storedAt, ...resolveInstants(lifetime, storedAt), tags: ['sellers'], fingerprint: 'abc' }
}

t.test('an entry is fresh for its lifetime, then stale, then expired', async (t) => {
  const entry = entryOf(1)
  const cases = [
    { afterSeconds: 0, is: 'fresh' },
    { afterSeconds: 299.999, is: 'fresh' },
    { afterSeconds: 300, is: 'stale' },
    { afterSeconds: 3_899.999, is: 'stale' },
    { afterSeconds: 3_900, is: 'expired' },
  ]
  for (const { afterSeconds, is } of cases) {
    t.equal(freshness(entry, storedAt + afterSeconds * 1_000), is, `${afterSeconds} s after it was stored`)
  }
})

t.test('serves while revalidating only inside the window of RFC 5861 section 3', async (t) => {
  const entry = entryOf(1)
  t.equal(mayServeWhileRevalidating(entry, storedAt + 359_999), true)
  t.equal(mayServeWhileRevalidating(entry, storedAt + 360_000), false)
})

t.test('an absolute end of freshness wins over a longer lifetime, and the stale windows count from it', async (t) => {
  const instants = resolveInstants({ ...lifetime, freshUntil: storedAt + 10_000 }, storedAt)
  t.strictSame(instants, {
    freshUntil: storedAt + 10_000,
    revalidateUntil: storedAt + 70_000,
    staleUntil: storedAt + 3_610_000,
  })
})

t.test('an absolute end of freshness does not lengthen a shorter lifetime', async (t) => {
  t.equal(resolveInstants({ ...lifetime, freshUntil: storedAt + 10 ** 9 }, storedAt).freshUntil, storedAt + 300_000)
})

t.test('the stale copy is kept for as long as the longer of the two windows', async (t) => {
  const instants = resolveInstants({ ttlSeconds: 1, staleWhileRevalidateSeconds: 9, staleIfErrorSeconds: 0 }, 0)
  t.equal(instants.staleUntil, 10_000)
})

t.test('the bytes of an encoded entry do not move', async (t) => {
  t.equal(
    encodeEntry(entryOf({ a: [1, null, 'é'] }), '{"a":[1,null,"é"]}'),
    '{"f":1,"s":"abc","t":1000000,"e":[1300000,1360000,4900000],"g":["sellers"],"v":{"a":[1,null,"é"]}}',
  )
})

t.test('an entry comes back from its bytes as it was', async (t) => {
  for (const value of [[], {}, null, 0, '', false, 'text', { deep: [{ er: 1 }] }]) {
    t.strictSame(decodeEntry(encodeEntry(entryOf(value), JSON.stringify(value))), entryOf(value))
  }
})

t.test('says what is wrong with bytes that are no entry, and never throws', async (t) => {
  const good = { f: 1, s: 'abc', t: 1, e: [1, 2, 3], g: [], v: 1 }
  const cases = [
    { name: 'a pickle', text: '\u0080\u0004\u0095', is: 'not-json' },
    { name: 'nothing', text: '', is: 'not-json' },
    { name: 'an entry cut short', text: JSON.stringify(good).slice(0, -2), is: 'not-json' },
    { name: 'a number', text: '7', is: 'unknown-format' },
    { name: 'null', text: 'null', is: 'unknown-format' },
    { name: 'a list', text: '[]', is: 'unknown-format' },
    { name: 'a later format', text: JSON.stringify({ ...good, f: 2 }), is: 'unknown-format' },
    { name: 'no value', text: JSON.stringify({ ...good, v: undefined }), is: 'malformed' },
    { name: 'instants that are words', text: JSON.stringify({ ...good, e: ['a', 'b', 'c'] }), is: 'malformed' },
    { name: 'two instants', text: JSON.stringify({ ...good, e: [1, 2] }), is: 'malformed' },
    { name: 'tags that are numbers', text: JSON.stringify({ ...good, g: [1] }), is: 'malformed' },
    { name: 'a fingerprint that is a list', text: JSON.stringify({ ...good, s: [] }), is: 'malformed' },
  ]
  for (const { name, text, is } of cases) t.equal(decodeEntry(text), is, name)
})

t.test('a value is what JSON makes of it, on the first read as on every later one', async (t) => {
  t.strictSame(normaliseValue({ at: new Date(0), gone: undefined })?.value, { at: '1970-01-01T00:00:00.000Z' })
})

t.test('a value cannot be changed by whoever gets it', async (t) => {
  const normal = normaliseValue([{ deep: { er: [1] } }])?.value as [{ deep: { er: number[] } }]
  t.throws(() => normal[0].deep.er.push(2), TypeError)
  t.throws(() => Object.assign(normal[0], { deep: 1 }), TypeError)
})

t.test('a caller keeps its own object, unfrozen', async (t) => {
  const mine = { list: [1] }
  normaliseValue(mine)
  mine.list.push(2)
  t.strictSame(mine, { list: [1, 2] })
})

t.test('a value that JSON cannot hold is refused', async (t) => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  for (const value of [undefined, 1n, circle, () => 1]) t.equal(normaliseValue(value), undefined)
})
