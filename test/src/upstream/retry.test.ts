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

t.test('time-outs, broken connections and statuses of a passing trouble are transient; nothing else is', async (t) => {
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
  t.notOk(isTransient(new Error('a mistake of ours')))
})

t.test('pauses up to 50 ms, then up to 100 ms, as chance has it', async (t) => {
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

t.test('pauses no less than the upstream asked for', async (t) => {
  const error = new UpstreamStatus('/rows', 503, 2_000)
  t.equal(
    retryDelayMs(error, 1, () => 1),
    2_050,
  )
})

t.test('a budget that is used up grants one retry for every so many calls, and never more than a burst', async (t) => {
  const budget = createRetryBudget({ burst: 2, callsPerRetry: 2 })
  t.strictSame([budget.spend(), budget.spend(), budget.spend()], [true, true, false])

  budget.earn()
  t.notOk(budget.spend(), 'half a retry is none')
  budget.earn()
  t.ok(budget.spend())

  for (let calls = 0; calls < 100; calls++) budget.earn()
  t.strictSame([budget.spend(), budget.spend(), budget.spend()], [true, true, false])
})
