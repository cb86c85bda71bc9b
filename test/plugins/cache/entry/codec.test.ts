import t from 'tap'
import {
  decodeEntry,
  type Entry,
  encodeEntry,
  encodeTombstone,
  headLayout,
  normaliseValue,
  resolveInstants,
} from '../../../../plugins/cache/entry/codec.js'

const lifetime = { ttlSeconds: 300, staleWhileRevalidateSeconds: 60, staleIfErrorSeconds: 3_600 }
const startedAt = 1_000_000

function entryOf(value: unknown): Entry {
  const about = { tags: ['sellers'], fingerprint: 'abcdef012345', loadMs: 20, purgedAt: 0 }
  return { value, stamp: startedAt * 1_000, ...resolveInstants(lifetime, startedAt), ...about }
}

t.test('an entry is fresh for its lifetime, and each stale window starts at its end', async (t) => {
  t.strictSame(resolveInstants(lifetime, startedAt), {
    freshUntil: startedAt + 300_000,
    revalidateUntil: startedAt + 360_000,
    staleUntil: startedAt + 3_900_000,
  })
})

t.test('an earlier absolute end of freshness takes precedence, and the stale windows start there', async (t) => {
  const instants = resolveInstants({ ...lifetime, freshUntil: startedAt + 10_000 }, startedAt)
  t.strictSame(instants, {
    freshUntil: startedAt + 10_000,
    revalidateUntil: startedAt + 70_000,
    staleUntil: startedAt + 3_610_000,
  })
})

t.test('an absolute end of freshness does not lengthen a shorter lifetime', async (t) => {
  t.equal(resolveInstants({ ...lifetime, freshUntil: startedAt + 10 ** 9 }, startedAt).freshUntil, startedAt + 300_000)
})

t.test('the stale copy is stored for the longer of the two windows', async (t) => {
  const instants = resolveInstants({ ttlSeconds: 1, staleWhileRevalidateSeconds: 9, staleIfErrorSeconds: 0 }, 0)
  t.equal(instants.staleUntil, 10_000)
})

t.test('the encoded bytes of an entry and of a tombstone are fixed', async (t) => {
  t.equal(
    encodeEntry(entryOf({ a: [1, null, 'é'] }), '{"a":[1,null,"é"]}', 0),
    '{"f":2,"t":"0000001000000000","p":"0000000000000000","u":"0000001300000000","s":"abcdef012345",' +
      '"e":[1300000,1360000,4900000],"m":20,"g":["sellers"],"v":{"a":[1,null,"é"]}}',
  )
  t.equal(
    encodeTombstone({ purgedAt: 1_000_000_000, isHard: true }),
    '{"f":2,"t":"0000000000000000","p":"0000001000000000","u":"0000000000000000","s":"------------","h":1}',
  )
})

t.test('the head has the fields at the offsets that scripts read', async (t) => {
  const text = encodeEntry({ ...entryOf(1), purgedAt: 7 }, '1', 0)
  const at = ([from, to]: readonly [number, number]) => text.slice(from - 1, to)
  t.ok(text.startsWith(headLayout.start))
  t.equal(Number(at(headLayout.stamp)), startedAt * 1_000)
  t.equal(Number(at(headLayout.purgedAt)), 7)
  t.equal(Number(at(headLayout.freshUntil)), (startedAt + 300_000) * 1_000)
  t.equal(at(headLayout.fingerprint), 'abcdef012345')
})

t.test('timestamps in Redis use the clock of Redis', async (t) => {
  const offsetMs = 3_600_000
  const text = encodeEntry(entryOf(1), '1', offsetMs)
  t.match(decodeEntry(text, 0), { freshUntil: startedAt + 300_000 + offsetMs })
  t.strictSame(decodeEntry(text, offsetMs), entryOf(1))
})

t.test('an entry is unchanged after encoding and decoding', async (t) => {
  for (const value of [[], {}, null, 0, '', false, 'text', { outer: [{ inner: 1 }] }]) {
    t.strictSame(decodeEntry(encodeEntry(entryOf(value), JSON.stringify(value), 0), 0), entryOf(value))
  }
})

t.test('decoding returns the reason for bytes that are not an entry, and never throws', async (t) => {
  const stamp = '1'.repeat(16)
  const good = { f: 2, t: stamp, p: stamp, u: stamp, s: 'abc', e: [1, 2, 3], m: 1, g: [], v: 1 }
  const cases = [
    { name: 'a Python pickle', text: '\u0080\u0004\u0095', expected: 'not-json' },
    { name: 'an empty string', text: '', expected: 'not-json' },
    { name: 'a truncated entry', text: JSON.stringify(good).slice(0, -2), expected: 'not-json' },
    { name: 'a number', text: '7', expected: 'unknown-format' },
    { name: 'null', text: 'null', expected: 'unknown-format' },
    { name: 'a list', text: '[]', expected: 'unknown-format' },
    { name: 'a later format', text: JSON.stringify({ ...good, f: 3 }), expected: 'unknown-format' },
    { name: 'no value', text: JSON.stringify({ ...good, v: undefined }), expected: 'malformed' },
    {
      name: 'timestamps that are strings',
      text: JSON.stringify({ ...good, e: ['a', 'b', 'c'] }),
      expected: 'malformed',
    },
    { name: 'two timestamps', text: JSON.stringify({ ...good, e: [1, 2] }), expected: 'malformed' },
    { name: 'tags that are numbers', text: JSON.stringify({ ...good, g: [1] }), expected: 'malformed' },
    { name: 'a stamp that is a number', text: JSON.stringify({ ...good, t: 1 }), expected: 'malformed' },
    { name: 'a fingerprint that is a list', text: JSON.stringify({ ...good, s: [] }), expected: 'malformed' },
  ]
  for (const { name, text, expected } of cases) t.equal(decodeEntry(text, 0), expected, name)
})

t.test('a value is normalised to its JSON representation', async (t) => {
  t.strictSame(normaliseValue({ at: new Date(0), missing: undefined })?.value, { at: '1970-01-01T00:00:00.000Z' })
})

t.test('a normalised value is frozen', async (t) => {
  const normal = normaliseValue([{ outer: { inner: [1] } }])?.value as [{ outer: { inner: number[] } }]
  t.throws(() => normal[0].outer.inner.push(2), TypeError)
  t.throws(() => Object.assign(normal[0], { outer: 1 }), TypeError)
})

t.test('the object of the caller is not frozen', async (t) => {
  const original = { list: [1] }
  normaliseValue(original)
  original.list.push(2)
  t.strictSame(original, { list: [1, 2] })
})

t.test('a value that JSON cannot represent is refused', async (t) => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  for (const value of [undefined, 1n, circle, () => 1]) t.equal(normaliseValue(value), undefined)
})
