import t from 'tap'
import {
  UpstreamIncomplete,
  UpstreamNotJson,
  UpstreamStatus,
  UpstreamTimeout,
  UpstreamTooLarge,
  UpstreamUnreachable,
  UpstreamWrongShape,
} from '../../../src/upstream/errors.js'
import { createRetryBudget, isTransient, retryDelayMs } from '../../../src/upstream/retry.js'

t.test('time-outs, closed connections and temporary statuses are transient; other errors are not', async (t) => {
  const transient = [408, 425, 429, 500, 502, 503, 504]
  const lasting = [201, 204, 206, 301, 304, 400, 401, 403, 404, 409, 410, 422, 501, 505]
  t.strictSame(
    [...transient, ...lasting].filter((status) => isTransient(new UpstreamStatus('/rows', status))),
    transient,
  )
  t.ok(isTransient(new UpstreamTimeout('/rows', '', { cause: undefined })))
  t.ok(isTransient(new UpstreamUnreachable('/rows', '')))
  t.notOk(isTransient(new UpstreamNotJson('/rows', { cause: undefined })))
  t.notOk(isTransient(new UpstreamWrongShape('/rows', '', '')))
  t.notOk(isTransient(new UpstreamIncomplete('/rows', '')))
  t.notOk(isTransient(new UpstreamTooLarge('/rows', '')))
  t.notOk(isTransient(new Error('our bug')))
})

t.test('the delay is random, up to 50 ms, then up to 100 ms', async (t) => {
  const error = new UpstreamUnreachable('/rows', 'ECONNREFUSED')
  t.equal(
    retryDelayMs(error, 1, () => 0),
    0,
  )
  t.equal(
    retryDelayMs(error, 1, () => 1),
    50,
  )
  t.equal(
    retryDelayMs(error, 2, () => 0.5),
    50,
  )
  t.equal(
    retryDelayMs(error, 2, () => 1),
    100,
  )
})

t.test('the delay is at least Retry-After', async (t) => {
  const error = new UpstreamStatus('/rows', 503, 2_000)
  t.equal(
    retryDelayMs(error, 1, () => 1),
    2_050,
  )
})

t.test('an empty budget grants one retry per `callsPerRetry` calls, and at most a burst', async (t) => {
  const budget = createRetryBudget({ burst: 2, callsPerRetry: 2 })
  t.strictSame([budget.spend(), budget.spend(), budget.spend()], [true, true, false])

  budget.earn()
  t.notOk(budget.spend(), 'half a retry is not enough')
  budget.earn()
  t.ok(budget.spend())

  for (let calls = 0; calls < 100; calls++) budget.earn()
  t.strictSame([budget.spend(), budget.spend(), budget.spend()], [true, true, false])
})
