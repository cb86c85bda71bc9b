import t from 'tap'
import { longAppTimeouts, startApp } from '../harness/app.js'
import { createClock } from '../harness/clock.js'
import { createDeferred } from '../harness/deferred.js'
import { until } from '../harness/until.js'
import { makeCatalogs, type Upstream } from '../harness/upstream.js'

// Many sellers at once, with a slow but healthy upstream.

const sellerIds = Array.from({ length: 400 }, (_, index) => index + 1)
const catalogs = sellerIds.flatMap((sellerId) => makeCatalogs({ sellerId, count: 2 }))
/** Longer than a call takes on a busy machine. */
const environment = { UPSTREAM_TIMEOUT_MS: '60000', UPSTREAM_DEADLINE_MS: '120000', CATALOG_TIME_ZONE: 'Europe/Paris' }
t.setTimeout(600_000) // 1,200 requests take minutes on a busy machine

t.test('400 concurrent requests for sellers share 32 connections, and all succeed', async (t) => {
  const { app, upstream } = await startApp(t, { environment, upstream: { catalogs } })
  const load = holdAnswers(upstream)
  const answers = sellerIds.map((id) => app.inject(`/api/v1/sellers/${id}/catalogs`))
  await upstream.received(32)
  load.release()
  for (const [index, answer] of (await Promise.all(answers)).entries()) {
    const { items, stale } = answer.json()
    const seen = { status: answer.statusCode, ids: items?.map(({ id }: { id: string }) => id), stale }
    t.strictSame(seen, { status: 200, ids: [`${index + 1}-1`, `${index + 1}-2`], stale: undefined })
  }
  t.equal(upstream.requests.length, 400, 'without retries')
  t.equal(load.peak(), 32)
})

t.test('after midnight 400 panels show stale lists until they are reloaded, and none reports a failure', async (t) => {
  const clock = createClock('2026-03-10T22:58:00Z')
  const { app, upstream } = await startApp(t, {
    environment,
    upstream: { catalogs },
    now: clock.now,
    timeouts: { ...longAppTimeouts, cache: { ...longAppTimeouts.cache, softTimeoutMs: 300 } },
  })
  const openAll = () =>
    Promise.all(
      sellerIds.map(async (id) => {
        const url = `/panels/sellers/${id}/events`
        const { statusCode, body } = await app.inject({ url, headers: { 'hx-request': 'true' } })
        if (statusCode !== 200 || !body.includes('Sale 0001')) return `${statusCode}`
        return /<p class="notice">.*?<\/time> \([^)]*\)\. ([^<]*)</s.exec(body)?.[1] ?? 'fresh'
      }),
    )
  t.strictSame(new Set(await openAll()), new Set(['fresh']))

  for (const [when, instant] of [
    ['within the time for revalidation', '2026-03-10T23:00:10Z'],
    ['beyond it', '2026-03-11T23:00:10Z'],
  ] as const) {
    clock.set(instant)
    upstream.reset()
    const load = holdAnswers(upstream)
    t.strictSame(new Set(await openAll()), new Set(['A newer list is being loaded.']), when)
    await upstream.received(32)
    load.release()
    await upstream.received(400)
    t.ok(await until(() => app.cache.stats().loads.inFlight === 0))
    clock.step(10) // stale panels are cached for a few seconds
    t.strictSame(new Set(await openAll()), new Set(['fresh']), `${when}: all are fresh again`)
    t.equal(load.peak(), 32)
    t.equal(upstream.requests.length, 400, `${when}: each list is loaded once`)
  }
})

/** Holds all responses until release, and counts the maximum of calls in flight. */
function holdAnswers(upstream: Upstream) {
  const gate = createDeferred<void>()
  let inFlight = 0
  let peak = 0
  upstream.fail(async () => {
    inFlight += 1
    peak = Math.max(peak, inFlight)
    await gate.promise
    inFlight -= 1
    return undefined
  })
  return { release: () => gate.resolve(), peak: () => peak }
}
