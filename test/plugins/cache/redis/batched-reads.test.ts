import t from 'tap'
import { BatchedReads, type BatchedReadsOptions } from '../../../../plugins/cache/redis/batched-reads.js'

/** Reads from a map; `commands` has the keys of each command that was sent. */
function createReads(values: ReadonlyMap<string, string>, options: Partial<BatchedReadsOptions<string | null>> = {}) {
  const commands: (readonly string[])[] = []
  const reads = new BatchedReads<string | null>({
    getOne: async (key) => {
      commands.push([key])
      return values.get(key) ?? null
    },
    getMany: async (keys) => {
      commands.push(keys)
      return keys.map((key) => values.get(key) ?? null)
    },
    maxKeys: 64,
    decode: (text) => text,
    ...options,
  })
  return { commands, reads, getAll: (keys: readonly string[]) => Promise.all(keys.map((key) => reads.get(key))) }
}

const keys = ['a', 'b', 'c', 'd']
const values = new Map(keys.map((key) => [key, `value ${key}`]))
const longValue = 'x'.repeat(2 ** 20)

/** Reads short values until the average of the lengths is short. */
async function learnShortValues({ reads }: ReturnType<typeof createReads>): Promise<void> {
  for (let read = 0; read < 200; read += 1) await reads.get('a')
}

t.test('reads of one turn are sent in one command once the values are known to be short', async (t) => {
  const batched = createReads(values)
  t.strictSame(await batched.getAll(keys), [...values.values()])
  t.strictSame(batched.commands, [['a'], ['b'], ['c'], ['d']], 'the lengths are not known yet')
  await learnShortValues(batched)
  batched.commands.length = 0
  t.strictSame(await batched.getAll([...keys, 'missing']), [...values.values(), null])
  t.strictSame(batched.commands, [[...keys, 'missing']])
})

t.test('long values are read one by one', async (t) => {
  const batched = createReads(new Map([...values, ['long', longValue]]))
  await learnShortValues(batched)
  await batched.reads.get('long')
  batched.commands.length = 0
  await batched.getAll(keys)
  t.strictSame(batched.commands, [['a'], ['b'], ['c'], ['d']])
})

t.test('a command has at most maxKeys keys', async (t) => {
  const batched = createReads(values, { maxKeys: 3 })
  await learnShortValues(batched)
  batched.commands.length = 0
  await batched.getAll(keys)
  t.strictSame(batched.commands, [['a', 'b', 'c'], ['d']])
})

t.test('a failed command rejects its reads, and a value that cannot be decoded rejects its own read', async (t) => {
  const failing = createReads(values, { getMany: () => Promise.reject(new Error('refused')) })
  await learnShortValues(failing)
  const failed = await Promise.allSettled([failing.reads.get('a'), failing.reads.get('b')])
  t.strictSame(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  const corrupt = createReads(values, {
    decode: (text) => {
      if (text === 'value b') throw new Error('corrupt')
      return text
    },
  })
  await learnShortValues(corrupt)
  const outcomes = await Promise.allSettled(keys.map((key) => corrupt.reads.get(key)))
  t.strictSame(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  )
})
