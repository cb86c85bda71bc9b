import t from 'tap'
import { cdnLifetimeFields, notForCdn, unstoredFields } from '../../../plugins/http/cdn-fields.js'

t.test('a response that is not stored keeps shared caches away', async (t) => {
  const isPersonal = true
  const forBrowsers = { 'cache-control': 'private, no-cache' }
  const forNobody = { 'cache-control': 'private, no-store' }
  const cases = [
    { name: 'silent', stated: {}, expected: forBrowsers },
    { name: 'silent and personal', stated: {}, isPersonal, expected: forNobody },
    { name: 'a lifetime for CDNs alone', stated: { 'cdn-cache-control': 'max-age=1' }, expected: forBrowsers },
    {
      name: 'a lifetime for CDNs alone, personal',
      stated: { 'surrogate-control': 'max-age=1' },
      isPersonal,
      expected: { ...forNobody, ...notForCdn },
    },
    { name: 'a lifetime', stated: { 'cache-control': 'public, max-age=1' }, expected: {} },
    { name: 'a lifetime, personal', stated: { 'cache-control': 'public, max-age=1' }, isPersonal, expected: notForCdn },
    { name: 'no-store', stated: { 'cache-control': 'no-store' }, expected: notForCdn },
    { name: 'no-cache', stated: { 'cache-control': 'no-cache' }, expected: notForCdn },
    { name: 'no-cache of one field', stated: { 'cache-control': 'max-age=1, no-cache="x-a"' }, expected: {} },
    {
      name: 'no-store, with a lifetime for CDNs',
      stated: { 'cache-control': 'no-store', 'cdn-cache-control': 'max-age=1' },
      expected: {},
    },
  ]
  for (const { name, stated, isPersonal = false, expected } of cases) {
    t.strictSame(unstoredFields(stated, { isPersonal }), expected, name)
  }
})

t.test('the lifetime is stated in each field for CDNs that the handler did not set', async (t) => {
  const instants = { freshUntil: 60_000, revalidateUntil: 90_000, staleUntil: 60_000 }
  const value = 'max-age=60, stale-while-revalidate=30'
  const cases = [
    { stated: {}, expected: { 'cdn-cache-control': value, 'surrogate-control': value } },
    { stated: { 'cdn-cache-control': 'x' }, expected: { 'surrogate-control': value } },
    { stated: { 'surrogate-control': 'x' }, expected: { 'cdn-cache-control': value } },
  ]
  for (const { stated, expected } of cases) t.strictSame(cdnLifetimeFields(stated, instants, 0), expected)
})
