import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { tee } from '../../../plugins/responses/tee.js'

/** The outcome of a collected stream. */
function gather(source: Readable, maxBytes = 1e6) {
  const told: (Buffer | 'given up')[] = []
  const passed = tee(source, {
    maxBytes,
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
