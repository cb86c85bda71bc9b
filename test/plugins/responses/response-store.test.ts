import t from 'tap'
import { ResponseStore } from '../../../plugins/responses/response-store.js'
import { selectVariant } from '../../../plugins/responses/serve-stored.js'
import type { StoredResponseFields } from '../../../plugins/responses/stored-response.js'
import { createStoredResponse } from '../../harness/stored-response.js'

const now = Date.parse('2026-11-25T12:00:00Z')

const response = (parts: Partial<StoredResponseFields> = {}) => createStoredResponse(now, parts)
const placing = { maxVariants: 2, requestedAt: now }
const variant = (value: string, parts: Partial<StoredResponseFields> = {}) =>
  response({ varyNames: ['a'], varyValues: [value], ...parts })

t.test('a response replaces only the one for the same request fields', async (t) => {
  const resources = new ResponseStore(1e6)
  const [one, other, later] = [variant('1'), variant('2'), variant('1')]
  for (const put of [one, other, later]) resources.put('k', '/k', put, placing)
  t.strictSame(new Set(resources.get('k')?.variants), new Set([later, other]))
})

t.test('responses of a key are ordered by Date, and their number is limited', async (t) => {
  const resources = new ResponseStore(1e6)
  const dated = (value: string, seconds: number) =>
    variant(value, { fields: { date: new Date(now + seconds * 1_000).toUTCString() } })
  const [first, second, third] = [dated('1', 0), dated('2', 30), dated('3', 10)]
  for (const put of [first, second, third]) resources.put('k', '/k', put, placing)
  t.strictSame(resources.get('k')?.variants, [second, third])
})

t.test('the variant that requests use least is evicted, however old the others are', async (t) => {
  const resources = new ResponseStore(1e6)
  const limits = { maxVariants: 16, requestedAt: now }
  const select = (value: string) => selectVariant(resources, 'k', () => value)
  resources.put('k', '/k', variant('hot'), limits)
  for (let use = 0; use < 20; use += 1) select('hot')
  for (let other = 0; other < 200; other += 1) resources.put('k', '/k', variant(`other ${other}`), limits)
  t.ok(select('hot'))
  t.equal(resources.get('k')?.variants.length, 16)
  resources.put('k', '/k', variant('hot'), limits)
  for (let other = 0; other < 200; other += 1) {
    resources.put('k', '/k', variant(`again ${other}`), limits)
    select(`again ${other}`)
    select('hot')
  }
  t.ok(select('hot'), 'a new response takes over the uses of the one it replaces')
})

t.test('a variant that was used long ago makes room for those in use', async (t) => {
  const resources = new ResponseStore(1e6)
  const limits = { maxVariants: 3, requestedAt: now }
  const select = (value: string) => selectVariant(resources, 'k', () => value)
  resources.put('k', '/k', variant('old'), limits)
  for (let use = 0; use < 1_000; use += 1) select('old')
  for (let other = 0; other < 20; other += 1) {
    resources.put('k', '/k', variant(`other ${other}`), limits)
    select(`other ${other}`)
  }
  t.notOk(select('old'))
})

t.test('a response to an earlier request does not replace a later response', async (t) => {
  const resources = new ResponseStore(1e6)
  const later = response({ receivedAt: now + 20, bornAt: now + 20 })
  resources.put('k', '/k', later, { maxVariants: 2, requestedAt: now + 10 })
  resources.put('k', '/k', response({ receivedAt: now + 30, bornAt: now + 5 }), { maxVariants: 2, requestedAt: now })
  t.strictSame(resources.get('k')?.variants, [later])
})

t.test('memory is bounded by bytes, and the least recently used response is evicted first', async (t) => {
  const resources = new ResponseStore(12_000)
  for (const key of ['a', 'b', 'c']) resources.put(key, `/${key}`, response(), placing)
  resources.get('a')
  resources.put('d', '/d', response(), placing)
  t.ok(resources.size.bytes <= 12_000)
  t.ok(resources.get('a'))
  t.notOk(resources.get('b'))
  t.strictSame(resources.keysAt('/b'), [], 'it is not found by its path')
  resources.put('huge', '/huge', response({ body: Buffer.alloc(20_000) }), placing)
  t.notOk(resources.get('huge'))
  t.strictSame(resources.keysAt('/huge'), [])
})

t.test('the size includes the values that distinguish a response', async (t) => {
  const resources = new ResponseStore(1e6)
  resources.put('k', '/k', variant('short'), placing)
  const before = resources.size.bytes
  resources.put('k', '/k', variant('x'.repeat(14_000)), placing)
  t.ok(resources.size.bytes - before > 28_000)
})

t.test('codings generated later are included when the size is updated', async (t) => {
  const resources = new ResponseStore(1e6)
  const body = Buffer.from(Array.from({ length: 2_000 }, (_, index) => `${index * 7919}`).join())
  const coded = response({ body, compresses: true, fields: { 'content-type': 'text/html' } })
  resources.put('k', '/k', coded, placing)
  const before = resources.size.bytes
  await new Promise<void>((resolve) => t.equal(coded.coded('gzip', resolve), undefined, 'not yet encoded'))
  const length = coded.coded('gzip', () => undefined)?.length ?? 0
  t.ok(length > 0)
  resources.recomputeSize('k')
  t.equal(resources.size.bytes, before + length)
})

t.test('all responses of a path are found until they are deleted', async (t) => {
  const resources = new ResponseStore(1e6)
  for (const key of ['k?1', 'k?2']) resources.put(key, '/k', response(), placing)
  t.strictSame(resources.keysAt('/k'), ['k?1', 'k?2'])
  t.ok(resources.delete('k?1'))
  t.notOk(resources.delete('k?1'))
  t.strictSame(resources.keysAt('/k'), ['k?2'])
})

t.test('removing a response keeps the others', async (t) => {
  const resources = new ResponseStore(1e6)
  const [one, other] = [variant('1'), variant('2')]
  for (const put of [one, other]) resources.put('k', '/k', put, placing)
  resources.remove('k', one)
  t.strictSame(resources.get('k')?.variants, [other])
  resources.remove('k', other)
  t.equal(resources.get('k'), undefined)
})
