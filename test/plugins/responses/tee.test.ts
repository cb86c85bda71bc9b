import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { BufferBudget } from '../../../plugins/responses/buffer-budget.js'
import { tee } from '../../../plugins/responses/tee.js'

/** The outcome of a collected stream. */
function gather(source: Readable, maxBytes = 1e6, budget = new BufferBudget(1e7)) {
  const told: (Buffer | 'given up')[] = []
  const passed = tee(source, {
    maxBytes,
    budget,
    detachedTimeoutMs: 60_000,
    onComplete: async (body) => void told.push(body),
    onAbandoned: () => void told.push('given up'),
  })
  return { passed, told }
}

t.test('the stream is collected, and the result is available before the reader receives the end', async (t) => {
  const { passed, told } = gather(Readable.from([Buffer.from('a'), 'b', Buffer.from('c')], { objectMode: false }))
  t.equal((await buffer(passed)).toString(), 'abc')
  t.strictSame(told.map(String), ['abc'])
})

t.test('an empty stream is complete', async (t) => {
  const { passed, told } = gather(Readable.from([]))
  t.equal((await buffer(passed)).length, 0)
  t.strictSame(told.map(String), [''])
})

t.test('a slow reader does not delay the collection', async (t) => {
  const { passed, told } = gather(Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(5_000, 'x'))))
  passed.once('readable', () => undefined) // and it reads nothing
  while (told.length === 0) await new Promise(setImmediate)
  t.equal(told[0]?.length, 500_000)
  t.equal((await buffer(passed)).length, 500_000)
})

t.test('above the size limit the stream continues at the pace of the reader', async (t) => {
  let read = 0
  const source = new Readable({
    read() {
      read += 1
      this.push(read > 1_000 ? null : Buffer.alloc(10_000))
    },
  })
  const { passed, told } = gather(source, 50_000)
  passed.once('readable', () => undefined)
  while (told.length === 0) await new Promise(setImmediate)
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate)
  t.ok(read < 100, `${read} of 1,000 parts were read ahead`)
  t.equal((await buffer(passed)).length, 10_000_000)
  t.strictSame(told, ['given up'])
})

t.test('an aborted stream is discarded, and the reader receives the error', async (t) => {
  for (const error of [new Error('reset'), undefined]) {
    const source = new PassThrough()
    const { passed, told } = gather(source)
    source.write('half')
    setImmediate(() => source.destroy(error))
    await t.rejects(buffer(passed))
    t.strictSame(told, ['given up'])
  }
})

t.test('when the reader disconnects the rest is still collected', async (t) => {
  const source = new PassThrough()
  const { passed, told } = gather(source)
  source.write('one ')
  await once(passed, 'readable')
  passed.destroy()
  source.end('two')
  while (told.length === 0) await new Promise(setImmediate)
  t.strictSame(told.map(String), ['one two'])
})

t.test('when the reader disconnects above the size limit the source is abandoned', async (t) => {
  const source = new PassThrough()
  const { passed, told } = gather(source, 3)
  source.write('too long')
  await once(passed, 'readable')
  passed.destroy()
  await once(source, 'close')
  t.strictSame(told, ['given up'])
})

/** A source of equal chunks that counts what was read of it. */
function chunksOf(bytes: number, count: number) {
  const source = { read: 0, stream: new Readable() }
  source.stream._read = () => {
    source.read += 1
    source.stream.push(source.read > count ? null : Buffer.alloc(bytes, 'x'))
  }
  return source
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate)
}

t.test('all streams together hold no more than the budget, however slow their readers are', async (t) => {
  const budget = new BufferBudget(200_000)
  const sources = Array.from({ length: 20 }, () => chunksOf(10_000, 100))
  const readers = sources.map(({ stream }) => gather(stream, 1e6, budget))
  for (const { passed } of readers) passed.once('readable', () => undefined) // and nothing is read
  await turns(500)
  t.ok(budget.usedBytes <= 200_000, `${budget.usedBytes} bytes are held`)
  const given = readers.filter(({ told }) => told.includes('given up'))
  t.ok(given.length >= 19, `${given.length} of 20 are not collected`)
  const readAhead = sources.reduce((sum, { read }) => sum + read, 0)
  // 20 chunks of the budget, and for each stream what its own buffer and that of its source take.
  t.ok(readAhead <= 20 + 20 * 16, `${readAhead} of 2,000 chunks were read ahead`)
  for (const { passed } of readers) t.equal((await buffer(passed)).toString(), 'x'.repeat(1_000_000))
  t.equal(budget.usedBytes, 0)
})

t.test('what a slow reader has not read of a complete stream counts until it is read', async (t) => {
  const budget = new BufferBudget(1e6)
  const { passed, told } = gather(chunksOf(10_000, 50).stream, 1e6, budget)
  passed.once('readable', () => undefined)
  while (told.length === 0) await new Promise(setImmediate)
  t.ok(budget.usedBytes > 400_000, `${budget.usedBytes} bytes wait for the reader`)
  t.equal((await buffer(passed)).length, 500_000)
  t.equal(budget.usedBytes, 0)
})

t.test('a reader that disconnects releases what waited for it', async (t) => {
  const budget = new BufferBudget(1e6)
  const complete = gather(chunksOf(10_000, 50).stream, 1e6, budget)
  while (complete.told.length === 0) await new Promise(setImmediate)
  complete.passed.destroy()
  await turns(5)
  t.equal(budget.usedBytes, 0)
  const collecting = gather(chunksOf(10_000, 50).stream, 1e6, budget)
  collecting.passed.destroy()
  while (collecting.told.length === 0) await new Promise(setImmediate)
  t.equal(collecting.told[0]?.length, 500_000, 'the rest is collected')
  t.equal(budget.usedBytes, 0)
  const failing = new PassThrough()
  const failed = gather(failing, 1e6, budget)
  failing.write('half')
  await once(failed.passed, 'readable')
  failing.destroy()
  await t.rejects(buffer(failed.passed))
  t.equal(budget.usedBytes, 0)
})

t.test('a stream beyond the size limit releases what was collected', async (t) => {
  const budget = new BufferBudget(1e6)
  const { passed, told } = gather(chunksOf(10_000, 100).stream, 50_000, budget)
  passed.once('readable', () => undefined)
  await turns(200)
  t.strictSame(told, ['given up'])
  t.ok(budget.usedBytes <= 60_000, `${budget.usedBytes} bytes are held`)
  t.equal((await buffer(passed)).length, 1_000_000)
  t.equal(budget.usedBytes, 0)
})

t.test('a collected body is in memory of its own', async (t) => {
  const parts = [Buffer.from('small'), 'text', Buffer.alloc(9_000, 'y').subarray(0, 10)]
  const { passed, told } = gather(Readable.from(parts, { objectMode: false }))
  await buffer(passed)
  const [body] = told
  t.ok(Buffer.isBuffer(body))
  if (Buffer.isBuffer(body)) t.equal(body.buffer.byteLength, body.length)
})
