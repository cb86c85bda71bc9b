import t from 'tap'
import {
  cacheControlOf,
  initialAgeMs,
  instantsOf,
  lifetimeOf,
  type ReceivedResponse,
} from '../../../plugins/edge/freshness.js'

const receivedAt = Date.parse('2026-11-25T12:00:00Z')
const date = (seconds: number) => new Date(receivedAt + seconds * 1_000).toUTCString()
const response = (fields: ReceivedResponse['fields'], status = 200): ReceivedResponse => ({
  status,
  fields,
  requestedAt: receivedAt - 500,
  receivedAt,
})
const silent = {
  ttlSeconds: undefined,
  staleWhileRevalidateSeconds: 0,
  staleIfErrorSeconds: 0,
  heuristicFraction: 0,
}
const secondsOf = (fields: ReceivedResponse['fields'], policy = {}, status = 200) => {
  const received = response(fields, status)
  return lifetimeOf(received, cacheControlOf(fields), { ...silent, ...policy })?.seconds
}

t.test('the lifetime is what is stated first of s-maxage, max-age and Expires, RFC 9111 §4.2.1', async (t) => {
  const cases = [
    [{ 'cache-control': 's-maxage=1, max-age=2', expires: date(3) }, 1],
    [{ 'cache-control': 'max-age=2', expires: date(3) }, 2],
    [{ expires: date(3), date: date(0) }, 3],
    [{ expires: date(3), date: date(-7) }, 10],
    [{ expires: date(3) }, 3],
    [{ expires: '0' }, 0],
    [{ expires: [date(3), date(3)] }, 0],
    [{ expires: date(-3) }, 0],
    [{ 'cache-control': "max-age='3'", expires: date(3) }, 0],
    [{ 'cache-control': 'no-cache' }, 0],
    [{ 'cdn-cache-control': 'max-age=5', 'cache-control': 'max-age=2', expires: date(3) }, 5],
    [{ 'cdn-cache-control': 'public', 'cache-control': 'max-age=2', expires: date(3) }, undefined],
    [{ 'cdn-cache-control': 'not a, dictionary', 'cache-control': 'max-age=2' }, 2],
    [{}, undefined],
  ] as const
  for (const [fields, seconds] of cases) t.equal(secondsOf(fields), seconds, JSON.stringify(fields))
})

t.test('a route gives a lifetime to what states none and is no failure', async (t) => {
  for (const status of [200, 203, 204, 300, 301, 308]) t.equal(secondsOf({}, { ttlSeconds: 9 }, status), 9)
  for (const status of [201, 302, 404, 410, 500]) t.equal(secondsOf({}, { ttlSeconds: 9 }, status), undefined)
  t.equal(secondsOf({ 'cache-control': 'max-age=2' }, { ttlSeconds: 9 }), 2)
})

t.test('a lifetime is guessed where the route wants it and the status allows it, RFC 9111 §4.2.2', async (t) => {
  const fields = { 'last-modified': date(-1_000), date: date(0) }
  t.equal(secondsOf(fields), undefined)
  for (const status of [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]) {
    t.equal(secondsOf(fields, { heuristicFraction: 0.1 }, status), 100)
  }
  t.equal(secondsOf(fields, { heuristicFraction: 0.1 }, 302), undefined)
  t.equal(secondsOf({ ...fields, 'cache-control': 'public' }, { heuristicFraction: 0.1 }, 302), 100)
})

t.test('age counts from Date, Age and the time it took, RFC 9111 §4.2.3', async (t) => {
  const cases = [
    [{}, 500],
    [{ date: date(-10) }, 10_000],
    [{ date: date(10) }, 500],
    [{ age: '10' }, 10_500],
    [{ age: '10, 99' }, 10_500],
    [{ age: ['10', '99'] }, 10_500],
    [{ age: '-1' }, 500],
    [{ age: '1.5' }, 500],
    [{ age: 'ten' }, 500],
    [{ age: '3', date: date(-10) }, 10_000],
    [{ age: '99999999999' }, 2 ** 31 * 1_000 + 500],
  ] as const
  for (const [fields, age] of cases) t.equal(initialAgeMs(response(fields)), age, JSON.stringify(fields))
})

t.test('the windows for stale answers are the response’s, then the route’s, and may be none, RFC 5861', async (t) => {
  const policy = { ...silent, ttlSeconds: 10, staleWhileRevalidateSeconds: 20, staleIfErrorSeconds: 30 }
  const windows = (cacheControl: string) => {
    const received = response({ 'cache-control': cacheControl, date: date(0) })
    const control = cacheControlOf(received.fields)
    const lifetime = lifetimeOf(received, control, policy)
    t.ok(lifetime)
    if (lifetime === undefined) return []
    const { freshUntil, revalidateUntil, staleUntil } = instantsOf(received, control, lifetime, policy)
    return [revalidateUntil - freshUntil, staleUntil - freshUntil]
  }
  t.strictSame(windows('max-age=1'), [20_000, 30_000])
  t.strictSame(windows('max-age=1, stale-while-revalidate=5, stale-if-error=0'), [5_000, 0])
  for (const name of ['must-revalidate', 'proxy-revalidate', 'no-cache', 's-maxage=1']) {
    t.strictSame(windows(`max-age=1, stale-if-error=5, ${name}`), [0, 0], name)
  }
})
