import t from 'tap'
import { type UnencodedValue, ValueEncoder } from '../../../../plugins/cache/entry/value-encoder.js'

const lifetime = { ttlSeconds: 10, staleWhileRevalidateSeconds: 5, staleIfErrorSeconds: 20 }
const loaded: UnencodedValue = { value: { a: 1 }, startedAt: 1_000, durationMs: 7, lifetime, tags: ['x'] }
const numbers = { fingerprint: 'f', accepts: (value: unknown) => typeof value === 'number' }

function createEncoder(maxEntryBytes = 100) {
  const reports: string[] = []
  const outageLog = { report: ({ kind }: { kind: string }) => reports.push(kind) }
  return { encoder: new ValueEncoder({ maxEntryBytes, outageLog }), reports }
}

t.test('an entry has the instants, tags and stamp of its load', async (t) => {
  const { encoder, reports } = createEncoder()
  const { value, text, entry } = encoder.encode('k', loaded, { stamp: 3, check: undefined })
  t.equal(text, '{"a":1}')
  t.ok(Object.isFrozen(value))
  const instants = { freshUntil: 11_000, revalidateUntil: 16_000, staleUntil: 31_000 }
  t.strictSame(entry, { value, stamp: 3, ...instants, tags: ['x'], fingerprint: '', loadMs: 7, purgedAt: 0 })
  t.strictSame(reports, [])
})

t.test('an entry carries the fingerprint of its schema', async (t) => {
  const { encoder } = createEncoder()
  t.match(encoder.encode('k', { ...loaded, value: 1 }, { stamp: 3, check: numbers }), { entry: { fingerprint: 'f' } })
})

const cyclic: unknown[] = []
cyclic.push(cyclic)

for (const [name, changes, check, expected] of [
  ['a value that JSON cannot represent', { value: cyclic }, undefined, ['not-json']],
  ['a value larger than maxEntryBytes', { value: 'x'.repeat(101) }, undefined, ['too-large']],
  ['a value that does not match its schema', {}, numbers, ['wrong-shape']],
  ['a value that its loader marked with skipStore', { lifetime: undefined }, undefined, []],
] as const) {
  t.test(`${name} is returned without an entry`, async (t) => {
    const { encoder, reports } = createEncoder()
    const encoded = encoder.encode('k', { ...loaded, ...changes }, { stamp: 3, check })
    t.equal(encoded.entry, undefined)
    t.ok(encoded.value)
    t.strictSame(reports, expected)
  })
}
