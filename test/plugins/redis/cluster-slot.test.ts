import { createRequire } from 'node:module'
import fc from 'fast-check'
import t from 'tap'
import { clusterSlot } from '../../../plugins/redis/cluster-slot.js'

t.test('the slots are those of the Redis Cluster specification', async (t) => {
  t.equal(clusterSlot('123456789'), 0x31c3)
  t.equal(clusterSlot(''), 0)
})

t.test('only a hash tag that is not empty decides the slot', async (t) => {
  t.equal(clusterSlot('{user1000}.following'), clusterSlot('user1000'))
  t.equal(clusterSlot('foo{bar}{zap}'), clusterSlot('bar'))
  t.equal(clusterSlot('foo{{bar}}zap'), clusterSlot('{bar'))
  t.not(clusterSlot('foo{}{bar}'), clusterSlot('bar'))
  t.not(clusterSlot('foo{bar'), clusterSlot('bar'))
})

t.test('any key gets the slot that ioredis computes', async () => {
  const expected: (key: string) => number = createRequire(import.meta.url)('cluster-key-slot')
  const part = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('{', '}'))
  // With an empty hash tag, cluster-key-slot 1.1.1 does not hash the complete key as Redis does.
  const keys = fc
    .array(part)
    .map((parts) => parts.join(''))
    .filter((key) => !key.includes('{}'))
  fc.assert(fc.property(keys, (key) => clusterSlot(key) === expected(key)))
})
