import t from 'tap'
import { raceTimeout, TimeoutError, withTimeout } from '../../plugins/timeout.js'

const never = new Promise<never>(() => undefined)
const alive = setInterval(() => undefined, 1_000)
t.teardown(() => clearInterval(alive))

t.test('withTimeout settles as the command does', async (t) => {
  t.equal(await withTimeout(async () => 'reply', 60_000), 'reply')
  await t.rejects(
    withTimeout(() => Promise.reject(new Error('refused')), 60_000),
    { message: 'refused' },
  )
  const throwing = () => {
    throw new Error('closed')
  }
  await t.rejects(withTimeout(throwing, 60_000), { message: 'closed' }, 'a client may throw synchronously')
})

t.test('withTimeout rejects a command without a reply with a TimeoutError', async (t) => {
  const error: unknown = await withTimeout(() => never, 1).catch((error: unknown) => error)
  t.type(error, TimeoutError)
  t.match(error, { name: 'TimeoutError', message: 'no answer within 1 ms' })
})

t.test('raceTimeout returns the value, or undefined when the time is over', async (t) => {
  t.strictSame(await raceTimeout(Promise.resolve(undefined), 60_000), { value: undefined })
  t.equal(await raceTimeout(never, 1), undefined)
  await t.rejects(raceTimeout(Promise.reject(new Error('refused')), 60_000), { message: 'refused' })
})
