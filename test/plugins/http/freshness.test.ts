import t from 'tap'
import type { Fields } from '../../../plugins/http/fields.js'
import {
  allowsStale,
  cacheControlOf,
  correctedInitialAgeMs,
  dateField,
  type FreshnessPolicy,
  freshnessLifetime,
  instantsOf,
  originDate,
  type ReceivedResponse,
} from '../../../plugins/http/freshness.js'
import { formatHttpDate } from '../../../plugins/http/http-date.js'

const receivedAt = Date.UTC(2026, 10, 25, 12, 0, 0)
const day = 86_400

/** A date relative to the receipt of the response. */
const dated = (seconds: number) => formatHttpDate(receivedAt + seconds * 1_000)

/** A response with an optional response delay. */
function responseOf(fields: Fields, { status = 200, delayMs = 0 } = {}): ReceivedResponse {
  return { status, fields, requestedAt: receivedAt - delayMs, receivedAt }
}

const nothing: FreshnessPolicy = {
  ttlSeconds: undefined,
  staleWhileRevalidateSeconds: 0,
  staleIfErrorSeconds: 0,
  heuristicFraction: 0,
}

function lifetime(fields: Fields, policy: Partial<FreshnessPolicy> = {}, status = 200) {
  return freshnessLifetime(responseOf(fields, { status }), cacheControlOf(fields), { ...nothing, ...policy })
}

t.test(
  'CDN-Cache-Control is for caches like this one, Cache-Control where there is none (RFC 9213 §2.2)',
  async (t) => {
    const cases: { name: string; fields: Fields; says: string[]; isTargeted: boolean }[] = [
      { name: 'neither', fields: {}, says: [], isTargeted: false },
      { name: 'Cache-Control alone', fields: { 'cache-control': 'a' }, says: ['a'], isTargeted: false },
      { name: 'the targeted one alone', fields: { 'cdn-cache-control': 'b' }, says: ['b'], isTargeted: true },
      {
        name: 'with both, Cache-Control is ignored',
        fields: { 'cache-control': 'no-store, private', 'cdn-cache-control': 'b' },
        says: ['b'],
        isTargeted: true,
      },
      {
        name: 'an empty targeted field is ignored',
        fields: { 'cache-control': 'a', 'cdn-cache-control': '' },
        says: ['a'],
        isTargeted: false,
      },
      {
        name: 'a malformed targeted field is ignored',
        fields: { 'cache-control': 'a', 'cdn-cache-control': 'b, Max-Age=1' },
        says: ['a'],
        isTargeted: false,
      },
      {
        name: 'a targeted field with only false directives is not ignored',
        fields: { 'cache-control': 'a', 'cdn-cache-control': 'b=?0' },
        says: [],
        isTargeted: true,
      },
      {
        name: 'a targeted field for other caches is ignored',
        fields: { 'cache-control': 'a', 'surrogate-control': 'b', 'other-cache-control': 'c' },
        says: ['a'],
        isTargeted: false,
      },
    ]
    for (const { name, fields, says, isTargeted } of cases) {
      const control = cacheControlOf(fields)
      t.strictSame([[...control.directives.keys()], control.isTargeted], [says, isTargeted], name)
    }
  },
)

t.test('the lifetime is s-maxage, max-age, or Expires minus Date (RFC 9111 §4.2.1)', async (t) => {
  const cases: { name: string; fields: Fields; seconds: number | undefined }[] = [
    { name: 'none is stated', fields: { 'cache-control': 'public' }, seconds: undefined },
    { name: 'max-age', fields: { 'cache-control': 'max-age=60' }, seconds: 60 },
    { name: 'max-age of 0', fields: { 'cache-control': 'max-age=0' }, seconds: 0 },
    { name: 'max-age in quotes', fields: { 'cache-control': 'max-age="60"' }, seconds: 60 },
    { name: 's-maxage before max-age', fields: { 'cache-control': 'max-age=60, s-maxage=5' }, seconds: 5 },
    { name: 's-maxage of 0 before max-age', fields: { 'cache-control': 'max-age=60, s-maxage=0' }, seconds: 0 },
    { name: 'max-age before Expires', fields: { 'cache-control': 'max-age=60', expires: dated(5) }, seconds: 60 },
    {
      name: 'max-age before an Expires in the past',
      fields: { 'cache-control': 'max-age=60', expires: '0' },
      seconds: 60,
    },
    { name: 'Expires minus Date', fields: { date: dated(-100), expires: dated(20) }, seconds: 120 },
    { name: 'without Date, Expires minus the time of receipt', fields: { expires: dated(20) }, seconds: 20 },
    {
      name: 'with an invalid Date, Expires minus the time of receipt',
      fields: { date: 'today', expires: dated(20) },
      seconds: 20,
    },
    {
      name: 'Expires and Date by the clock of the origin',
      fields: { date: dated(3_600), expires: dated(3_660) },
      seconds: 60,
    },
    { name: 'Expires before Date', fields: { date: dated(0), expires: dated(-1) }, seconds: 0 },
    { name: 'Expires at Date', fields: { date: dated(0), expires: dated(0) }, seconds: 0 },
    { name: 'beyond 2^31', fields: { 'cache-control': 'max-age=99999999999' }, seconds: 2 ** 31 },
  ]
  for (const { name, fields, seconds } of cases) {
    t.strictSame(lifetime(fields), seconds === undefined ? undefined : { seconds, isExplicit: true }, name)
  }
})

t.test('an invalid lifetime is 0, without a fallback (RFC 9111 §4.2.1, §5.3)', async (t) => {
  const cases: { name: string; fields: Fields }[] = [
    { name: 'Expires: 0', fields: { expires: '0' } },
    { name: 'Expires: -1', fields: { expires: '-1' } },
    { name: 'an empty Expires', fields: { expires: '' } },
    { name: 'Expires in ISO 8601', fields: { expires: '2030-01-01T00:00:00Z' } },
    { name: 'Expires on 31 February', fields: { expires: 'Sun, 31 Feb 2027 00:00:00 GMT' } },
    { name: 'Expires on two lines', fields: { expires: [dated(60), dated(60)] } },
    { name: 'Expires in a list', fields: { expires: `${dated(60)}, ${dated(60)}` } },
    { name: 'max-age without an argument', fields: { 'cache-control': 'max-age', expires: dated(60) } },
    { name: 'a negative max-age', fields: { 'cache-control': 'max-age=-60' } },
    { name: 'a fraction', fields: { 'cache-control': 'max-age=60.5' } },
    { name: 'max-age in single quotes', fields: { 'cache-control': "max-age='60'" } },
    { name: 'an invalid s-maxage with a valid max-age', fields: { 'cache-control': 's-maxage=x, max-age=60' } },
    { name: 'the first of two', fields: { 'cache-control': 'max-age=x, max-age=60' } },
    { name: 'a string in a targeted field', fields: { 'cdn-cache-control': 'max-age="60"' } },
  ]
  for (const { name, fields } of cases) {
    t.strictSame(lifetime(fields, { ttlSeconds: 30, heuristicFraction: 0.1 }), { seconds: 0, isExplicit: true }, name)
  }
})

t.test('with CDN-Cache-Control, Cache-Control and Expires are ignored (RFC 9213 §2.2)', async (t) => {
  const others = { 'cache-control': 'max-age=60', expires: dated(70) }
  t.strictSame(lifetime({ ...others, 'cdn-cache-control': 'max-age=5' }), { seconds: 5, isExplicit: true })
  t.equal(lifetime({ ...others, 'cdn-cache-control': 'public' }), undefined, 'even without a lifetime')
  t.strictSame(lifetime({ ...others, 'cdn-cache-control': '!' }), { seconds: 60, isExplicit: true }, 'malformed')
})

t.test('no-cache without a lifetime is a lifetime of 0 (RFC 9111 §5.2.2.4)', async (t) => {
  t.strictSame(lifetime({ 'cache-control': 'no-cache' }, { ttlSeconds: 30 }), { seconds: 0, isExplicit: true })
  t.strictSame(lifetime({ 'cache-control': 'no-cache, max-age=60' }), { seconds: 60, isExplicit: true })
})

t.test('a response without a lifetime has that of the route, unless it is an error', async (t) => {
  const cases = [
    ...[200, 203, 204, 300, 301, 308].map((status) => ({ status, gets: true })),
    ...[201, 202, 206, 302, 303, 304, 307, 400, 401, 404, 405, 410, 414, 429, 500, 501, 503].map((status) => ({
      status,
      gets: false,
    })),
  ]
  for (const { status, gets } of cases) {
    const expected = gets ? { seconds: 30, isExplicit: false } : undefined
    t.strictSame(lifetime({}, { ttlSeconds: 30 }, status), expected, `${status}`)
  }
  t.strictSame(lifetime({ 'cache-control': 'max-age=5' }, { ttlSeconds: 30 }), { seconds: 5, isExplicit: true })
  t.strictSame(lifetime({ 'cache-control': 'max-age=5' }, { ttlSeconds: 30 }, 404), { seconds: 5, isExplicit: true })
  t.strictSame(lifetime({}, { ttlSeconds: 0 }), { seconds: 0, isExplicit: false }, 'which may be 0')
})

t.test('a heuristic lifetime is a fraction of the time since the last change (RFC 9111 §4.2.2)', async (t) => {
  const changed = (seconds: number) => ({ 'last-modified': dated(-seconds) })
  const cases: { name: string; fields: Fields; fraction: number; status?: number; seconds: number | undefined }[] = [
    { name: 'a tenth of it', fields: changed(1_000), fraction: 0.1, seconds: 100 },
    { name: 'in whole seconds', fields: changed(1_009), fraction: 0.1, seconds: 100 },
    { name: 'counted from Date', fields: { ...changed(1_000), date: dated(-500) }, fraction: 0.1, seconds: 50 },
    { name: 'never more than a week', fields: changed(1_000 * day), fraction: 0.1, seconds: 7 * day },
    { name: 'a change in the future', fields: changed(-1_000), fraction: 0.1, seconds: 0 },
    { name: 'no heuristic without Last-Modified', fields: {}, fraction: 0.1, seconds: undefined },
    { name: 'an invalid Last-Modified', fields: { 'last-modified': '0' }, fraction: 0.1, seconds: undefined },
    { name: 'the heuristic is disabled', fields: changed(1_000), fraction: 0, seconds: undefined },
    {
      name: 'an error that is heuristically cacheable',
      fields: changed(1_000),
      fraction: 0.1,
      status: 404,
      seconds: 100,
    },
    {
      name: 'a status that is not heuristically cacheable',
      fields: changed(1_000),
      fraction: 0.1,
      status: 302,
      seconds: undefined,
    },
    {
      name: 'such a status with public',
      fields: { ...changed(1_000), 'cache-control': 'public' },
      fraction: 0.1,
      status: 302,
      seconds: 100,
    },
  ]
  for (const { name, fields, fraction, status, seconds } of cases) {
    const expected = seconds === undefined ? undefined : { seconds, isExplicit: false }
    t.strictSame(lifetime(fields, { heuristicFraction: fraction }, status), expected, name)
  }
  const both = { heuristicFraction: 0.1, ttlSeconds: 30 }
  t.strictSame(
    lifetime(changed(1_000), both),
    { seconds: 30, isExplicit: false },
    'the lifetime of the route takes precedence',
  )
  const stated = { ...changed(1_000), 'cache-control': 'max-age=0' }
  t.strictSame(lifetime(stated, both), { seconds: 0, isExplicit: true }, 'a stated lifetime takes precedence')
})

t.test('the heuristically cacheable statuses are those of RFC 9110 §15.1', async (t) => {
  const fields = { 'last-modified': dated(-1_000) }
  const cacheable = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]
  for (const status of [...cacheable, 201, 202, 302, 303, 307, 400, 401, 403, 409, 429, 500, 502, 503, 504]) {
    const isGuessed = lifetime(fields, { heuristicFraction: 0.1 }, status) !== undefined
    t.equal(isGuessed, cacheable.includes(status), `${status}`)
  }
})

t.test('a date field has one line (RFC 9110 §5.3)', async (t) => {
  t.equal(dateField(responseOf({ date: dated(-5) }), 'date'), receivedAt - 5_000)
  t.equal(dateField(responseOf({ date: [dated(-5), dated(-5)] }), 'date'), undefined)
  t.equal(dateField(responseOf({}), 'date'), undefined)
  t.equal(originDate(responseOf({ date: dated(-5) })), receivedAt - 5_000, 'the origin date is Date')
  t.equal(originDate(responseOf({ date: 'x' })), receivedAt, 'or the time of receipt (RFC 9110 §6.6.1)')
})

t.test('the initial age is the maximum by Age and by Date (RFC 9111 §4.2.3)', async (t) => {
  const cases: { name: string; fields: Fields; delayMs?: number; ms: number }[] = [
    { name: 'neither', fields: {}, ms: 0 },
    { name: 'Age', fields: { age: '10' }, ms: 10_000 },
    { name: 'Date', fields: { date: dated(-20) }, ms: 20_000 },
    { name: 'the older of both: Date', fields: { age: '10', date: dated(-20) }, ms: 20_000 },
    { name: 'the older of both: Age', fields: { age: '30', date: dated(-20) }, ms: 30_000 },
    { name: 'a Date in the future does not reduce the age', fields: { age: '10', date: dated(500) }, ms: 10_000 },
    { name: 'the response delay', fields: {}, delayMs: 1_500, ms: 1_500 },
    { name: 'the response delay is added to Age', fields: { age: '10' }, delayMs: 1_500, ms: 11_500 },
    { name: 'the response delay is not added to Date', fields: { date: dated(-20) }, delayMs: 1_500, ms: 20_000 },
    { name: 'a clock that was set back does not reduce the age', fields: { age: '10' }, delayMs: -5_000, ms: 10_000 },
  ]
  for (const { name, fields, delayMs, ms } of cases) {
    t.equal(correctedInitialAgeMs(responseOf(fields, { delayMs })), ms, name)
  }
})

t.test('the first member of an Age list applies, and an invalid Age is ignored (RFC 9111 §5.1)', async (t) => {
  const cases: { name: string; age: string | string[]; seconds: number }[] = [
    { name: 'a list', age: '10, 20', seconds: 10 },
    { name: 'a list with 0 first', age: '0, 20', seconds: 0 },
    { name: 'two lines', age: ['10', '20'], seconds: 10 },
    { name: 'surrounding white space', age: ' 10 ', seconds: 10 },
    { name: 'leading zeros', age: '0010', seconds: 10 },
    { name: 'a list with an invalid first member', age: 'x, 20', seconds: 0 },
    { name: 'two lines with an invalid first one', age: ['x', '20'], seconds: 0 },
    { name: 'two lines with an empty first one', age: ['', '20'], seconds: 0 },
    { name: 'an empty field', age: '', seconds: 0 },
    { name: 'a negative number', age: '-10', seconds: 0 },
    { name: 'a fraction', age: '10.5', seconds: 0 },
    { name: 'quotes', age: '"10"', seconds: 0 },
    { name: 'a unit', age: '10s', seconds: 0 },
    { name: 'a parameter', age: '10;x', seconds: 0 },
    { name: '2^31 and more', age: '99999999999999999999', seconds: 2 ** 31 },
  ]
  for (const { name, age, seconds } of cases) t.equal(correctedInitialAgeMs(responseOf({ age })), seconds * 1_000, name)
})

t.test('some directives forbid a shared cache to serve stale responses (RFC 9111 §4.2.4)', async (t) => {
  const cases: { name: string; fields: Fields; may: boolean }[] = [
    { name: 'none of them', fields: { 'cache-control': 'public, max-age=1' }, may: true },
    { name: 'must-revalidate (§5.2.2.2)', fields: { 'cache-control': 'must-revalidate' }, may: false },
    { name: 'proxy-revalidate (§5.2.2.8)', fields: { 'cache-control': 'proxy-revalidate' }, may: false },
    { name: 's-maxage, which implies it (§5.2.2.10)', fields: { 'cache-control': 's-maxage=9' }, may: false },
    { name: 'no-cache (§5.2.2.4)', fields: { 'cache-control': 'no-cache' }, may: false },
    {
      name: 'in Cache-Control, which CDN-Cache-Control replaces',
      fields: { 'cache-control': 'no-cache', 'cdn-cache-control': 'a' },
      may: true,
    },
    { name: 'in a targeted field', fields: { 'cdn-cache-control': 'must-revalidate' }, may: false },
    { name: 'false in a targeted field', fields: { 'cdn-cache-control': 'must-revalidate=?0' }, may: true },
  ]
  for (const { name, fields, may } of cases) t.equal(allowsStale(cacheControlOf(fields)), may, name)
})

/** The instants of a response in seconds after its receipt. */
function instants(fields: Fields, policy: Partial<FreshnessPolicy> = {}, seconds = 60): number[] {
  const response = responseOf(fields)
  const bornAt = response.receivedAt - correctedInitialAgeMs(response)
  const lifetime = { seconds, isExplicit: true }
  const { freshUntil, revalidateUntil, staleUntil } = instantsOf(bornAt, cacheControlOf(fields), lifetime, {
    ...nothing,
    ...policy,
  })
  return [freshUntil, revalidateUntil, staleUntil].map((instant) => (instant - receivedAt) / 1_000)
}

const windows = { staleWhileRevalidateSeconds: 10, staleIfErrorSeconds: 100 }

t.test('a response is fresh for its lifetime minus its age (RFC 9111 §4.2)', async (t) => {
  t.strictSame(instants({}), [60, 60, 60])
  t.strictSame(instants({ age: '20' }), [40, 40, 40], 'minus its initial age')
  t.strictSame(instants({ age: '100' }), [-40, -40, -40], 'it may be stale on receipt')
  t.strictSame(instants({ date: dated(-20) }), [40, 40, 40], 'by its Date')
  t.strictSame(instants({ 'cache-control': 'no-cache', age: '20' }), [-20, -20, -20], 'no-cache: never fresh')
  const qualified = { 'cache-control': 'no-cache="x-a"' }
  t.strictSame(instants(qualified), [60, 60, 60], 'no-cache of some fields: fresh without them')
})

t.test('the stale windows of the response start at the end of freshness (RFC 5861 §3, §4)', async (t) => {
  const cases: { name: string; directives: string; expected: number[] }[] = [
    {
      name: 'the windows of the route, if the response states none',
      directives: 'max-age=60',
      expected: [60, 70, 160],
    },
    { name: 'stale-while-revalidate', directives: 'stale-while-revalidate=5', expected: [60, 65, 160] },
    { name: 'stale-if-error', directives: 'stale-if-error=5', expected: [60, 70, 65] },
    { name: 'both', directives: 'stale-while-revalidate=1, stale-if-error=2', expected: [60, 61, 62] },
    { name: '0 disables a window', directives: 'stale-while-revalidate=0, stale-if-error=0', expected: [60, 60, 60] },
    { name: 'longer than the window of the route', directives: 'stale-while-revalidate=900', expected: [60, 960, 160] },
    { name: 'an invalid window is 0', directives: 'stale-while-revalidate, stale-if-error=x', expected: [60, 60, 60] },
    { name: 'a negative window is 0', directives: 'stale-if-error=-5', expected: [60, 70, 60] },
    { name: 'in quotes', directives: 'stale-while-revalidate="5"', expected: [60, 65, 160] },
  ]
  for (const { name, directives, expected } of cases) {
    t.strictSame(instants({ 'cache-control': directives }, windows), expected, name)
  }
  t.strictSame(instants({ age: '100' }, windows), [-40, -30, 60], 'the age applies to them, too')
})

t.test('a response that must not be served stale has no stale windows (RFC 9111 §4.2.4)', async (t) => {
  const own = 'stale-while-revalidate=5, stale-if-error=5'
  for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=60', 'no-cache="x-a"']) {
    t.strictSame(instants({ 'cache-control': directive }, windows), [60, 60, 60], `${directive}, and the route`)
    t.strictSame(instants({ 'cache-control': `${directive}, ${own}` }), [60, 60, 60], `${directive}, and the response`)
  }
  t.strictSame(instants({ 'cache-control': 'no-cache' }, windows), [0, 0, 0], 'no-cache, with windows of the route')
})
