import t from 'tap'
import { createCallQueue } from '../../../src/upstream/call-queue.js'
import { createDeferred } from '../../harness/deferred.js'

const forever = new AbortController().signal

/** Runs all pending microtasks and immediates. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** A queue that records started calls. Each runs until the test ends it. */
function recordedQueue(slots: number) {
  const queue = createCallQueue(slots)
  const begun: string[] = []
  const start = (name: string, signal = forever) => {
    const call = createDeferred<string>()
    const result = queue.run(signal, () => {
      begun.push(name)
      return call.promise
    })
    return { result, end: () => call.resolve(name), fail: (error: Error) => call.reject(error) }
  }
  return { begun, start }
}

t.test('as many calls run as there are slots, and the others follow in order', async (t) => {
  const { begun, start } = recordedQueue(2)
  const calls = ['a', 'b', 'c', 'd'].map((name) => start(name))
  await settle()
  t.strictSame(begun, ['a', 'b'])
  calls[1]?.end()
  await settle()
  t.strictSame(begun, ['a', 'b', 'c'])
  for (const { end } of calls) end()
  t.strictSame(await Promise.all(calls.map(({ result }) => result)), ['a', 'b', 'c', 'd'])
  t.strictSame(begun, ['a', 'b', 'c', 'd'])
})

t.test('a call that fails frees its slot', async (t) => {
  const { begun, start } = recordedQueue(1)
  const [first, second] = [start('first'), start('second')]
  const failure = new Error('failed')
  first.fail(failure)
  await t.rejects(first.result, failure)
  await settle()
  t.strictSame(begun, ['first', 'second'])
  second.end()
  t.equal(await second.result, 'second')
})

t.test('a call aborted while it waits rejects at once, does not run, and takes no slot', async (t) => {
  const { begun, start } = recordedQueue(1)
  const first = start('first')
  const caller = new AbortController()
  const second = start('second', caller.signal)
  const third = start('third')
  const reason = new Error('called off')
  caller.abort(reason)
  await t.rejects(second.result, reason, 'while the first call runs')
  first.end()
  await settle()
  t.strictSame(begun, ['first', 'third'])
  third.end()
  await third.result
  const fourth = start('fourth')
  await settle()
  t.strictSame(begun, ['first', 'third', 'fourth'])
  fourth.end()
})

t.test('a call with an aborted signal does not run', async (t) => {
  const { begun, start } = recordedQueue(1)
  const reason = new Error('called off')
  await t.rejects(start('first', AbortSignal.abort(reason)).result, reason)
  t.strictSame(begun, [])
})

t.test('a running call that is aborted occupies its slot until it settles', async (t) => {
  const { begun, start } = recordedQueue(1)
  const caller = new AbortController()
  const first = start('first', caller.signal)
  const second = start('second')
  await settle()
  caller.abort()
  await settle()
  t.strictSame(begun, ['first'])
  first.end()
  await settle()
  t.strictSame(begun, ['first', 'second'])
  second.end()
})
