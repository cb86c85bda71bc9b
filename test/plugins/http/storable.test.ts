import t from 'tap'
import type { Fields } from '../../../plugins/http/fields.js'
import { cacheControlOf, type FreshnessLifetime } from '../../../plugins/http/freshness.js'
import { hasNoStore } from '../../../plugins/http/request-fields.js'
import { isRequestSpecific, type NotStorableReason, notStorableReason } from '../../../plugins/http/storable.js'

interface Case {
  readonly name: string
  readonly method?: string
  readonly request?: Fields
  readonly honorsCacheControl?: boolean
  /** Whether the origin receives the credentials of the request. */
  readonly forwardsCredentials?: boolean
  readonly status?: number
  readonly fields?: Fields
  readonly lifetime?: FreshnessLifetime | 'none'
  readonly expected: NotStorableReason | undefined
}

const minute: FreshnessLifetime = { seconds: 60, isExplicit: true }

/** The reason why a response is not storable. By default it is a response to a GET with a lifetime of a minute. */
function reasonOf({ method = 'GET', request = {}, ...others }: Omit<Case, 'name' | 'expected'>) {
  const { honorsCacheControl = true, forwardsCredentials = true } = others
  const { status = 200, fields = {}, lifetime = minute } = others
  return notStorableReason(
    {
      method,
      hasNoStore: honorsCacheControl && hasNoStore(request),
      hasAuthorization: forwardsCredentials && request.authorization !== undefined,
      hasCookie: forwardsCredentials && request.cookie !== undefined,
    },
    { status, fields, requestedAt: 0, receivedAt: 0 },
    cacheControlOf(fields),
    lifetime === 'none' ? undefined : lifetime,
  )
}

/** Response fields with this `Cache-Control`. */
const says = (directives: string): Fields => ({ 'cache-control': directives })

t.test('a response to a GET with a lifetime is storable (RFC 9111 §3)', async (t) => {
  const cases: Case[] = [
    { name: 'GET', expected: undefined },
    { name: 'HEAD, whose response has no body', method: 'HEAD', expected: 'method' },
    { name: 'POST, even if cacheable', method: 'POST', expected: 'method' },
    { name: 'QUERY', method: 'QUERY', expected: 'method' },
    { name: 'methods are case-sensitive (RFC 9110 §9.1)', method: 'get', expected: 'method' },
    { name: 'no lifetime', lifetime: 'none', expected: 'no-lifetime' },
    { name: 'no lifetime, with public', fields: says('public'), lifetime: 'none', expected: 'no-lifetime' },
  ]
  for (const one of cases) t.equal(reasonOf(one), one.expected, one.name)
})

t.test('statuses that no cache may store are not storable, whatever the response states (RFC 6585)', async (t) => {
  for (const status of [428, 429, 431, 511]) {
    t.equal(reasonOf({ status, fields: says('public, max-age=60') }), 'status', `${status}`)
  }
})

t.test('a refusal for a request with a cookie is storable only if it is public', async (t) => {
  for (const status of [401, 403]) {
    t.equal(reasonOf({ status, request: { cookie: 'a=b' } }), 'cookie', `${status}`)
    t.equal(reasonOf({ status, fields: says('public'), request: { cookie: 'a=b' } }), undefined)
    t.equal(reasonOf({ status }), undefined)
  }
})

t.test('a status that is interim or specific to the request is not storable (RFC 9111 §3)', async (t) => {
  const cases: Case[] = [
    { name: '103 is not final', status: 103, expected: 'status' },
    { name: '206 is partial (§3.3)', status: 206, expected: 'status' },
    { name: '304 is about a condition', status: 304, expected: 'status' },
    { name: '412 is about a condition', status: 412, expected: 'status' },
    { name: '416 is about a range', status: 416, expected: 'status' },
    { name: '204 is storable', status: 204, expected: undefined },
    { name: '301 is storable', status: 301, expected: undefined },
    { name: '302 with a lifetime is storable', status: 302, expected: undefined },
    { name: '404 is storable', status: 404, expected: undefined },
    { name: '503 with a lifetime is storable', status: 503, expected: undefined },
    { name: 'an unknown status is storable, like the x00 of its class', status: 299, expected: undefined },
  ]
  for (const one of cases) {
    t.equal(reasonOf(one), one.expected, one.name)
    if (one.status !== 103) t.equal(isRequestSpecific(one.status ?? 200), one.expected === 'status', one.name)
  }
})

t.test('must-understand overrides no-store if the status is understood (RFC 9111 §5.2.2.3)', async (t) => {
  const cases: Case[] = [
    { name: 'no-store alone', fields: says('no-store'), expected: 'no-store' },
    { name: 'both', fields: says('must-understand, no-store'), expected: undefined },
    { name: 'both, in the other order', fields: says('no-store, must-understand'), expected: undefined },
    { name: 'must-understand alone', fields: says('must-understand'), expected: undefined },
    {
      name: 'both, with another understood status',
      status: 404,
      fields: says('must-understand, no-store'),
      expected: undefined,
    },
    {
      name: 'both, with an unknown status',
      status: 299,
      fields: says('must-understand, no-store'),
      expected: 'status',
    },
    {
      name: 'must-understand, with an unknown status',
      status: 599,
      fields: says('must-understand'),
      expected: 'status',
    },
    {
      name: 'a partial response is never understood',
      status: 206,
      fields: says('must-understand, no-store'),
      expected: 'status',
    },
    { name: 'private applies with both', fields: says('must-understand, no-store, private'), expected: 'private' },
  ]
  for (const one of cases) t.equal(reasonOf(one), one.expected, one.name)
})

t.test('a response with no-store is not storable, even with other directives (RFC 9111 §5.2.2.5)', async (t) => {
  const cases: Case[] = [
    { name: 'with max-age', fields: says('max-age=60, no-store'), expected: 'no-store' },
    { name: 'with public', fields: says('public, no-store'), expected: 'no-store' },
    { name: 'in upper case', fields: says('NO-STORE'), expected: 'no-store' },
    { name: 'on a second line', fields: { 'cache-control': ['public', 'no-store'] }, expected: 'no-store' },
    { name: 'with an invalid argument', fields: says('no-store="x-a"'), expected: 'no-store' },
    { name: 'inside the quotes of another directive', fields: says('x="no-store"'), expected: undefined },
    {
      name: 'in Cache-Control, which CDN-Cache-Control replaces',
      fields: { ...says('no-store'), 'cdn-cache-control': 'max-age=1' },
      expected: undefined,
    },
    {
      name: 'in CDN-Cache-Control',
      fields: { ...says('public'), 'cdn-cache-control': 'no-store' },
      expected: 'no-store',
    },
  ]
  for (const one of cases) t.equal(reasonOf(one), one.expected, one.name)
})

t.test('no-store of the request applies if the route honors request directives (RFC 9111 §5.2.1.5)', async (t) => {
  const cases: Case[] = [
    { name: 'honored', request: says('no-store'), expected: 'no-store' },
    { name: 'not honored', request: says('no-store'), honorsCacheControl: false, expected: undefined },
    {
      name: 'must-understand of the response does not override it',
      request: says('no-store'),
      fields: says('must-understand'),
      expected: 'no-store',
    },
    { name: 'no-cache does not forbid storing', request: says('no-cache'), expected: undefined },
    {
      name: 'CDN-Cache-Control is a field of responses',
      request: { 'cdn-cache-control': 'no-store' },
      expected: undefined,
    },
  ]
  for (const one of cases) t.equal(reasonOf(one), one.expected, one.name)
})

t.test('a private response is not storable, one with private fields is (RFC 9111 §5.2.2.7)', async (t) => {
  const cases: Case[] = [
    { name: 'private', fields: says('private, max-age=60'), expected: 'private' },
    { name: 'with public', fields: says('public, private'), expected: 'private' },
    { name: 'with s-maxage', fields: says('s-maxage=60, private'), expected: 'private' },
    { name: 'some fields', fields: says('private="x-user"'), expected: undefined },
    { name: 'some fields, and all', fields: says('private="x-user", private'), expected: 'private' },
    { name: 'a list of no fields', fields: says('private=""'), expected: 'private' },
    { name: 'a malformed list', fields: says('private="'), expected: 'private' },
    { name: 'in CDN-Cache-Control', fields: { 'cdn-cache-control': 'max-age=60, private' }, expected: 'private' },
  ]
  for (const one of cases) t.equal(reasonOf(one), one.expected, one.name)
})

t.test('a response to a request with Authorization is storable if it allows it (RFC 9111 §3.5)', async (t) => {
  const request = { authorization: 'Bearer x' }
  const cases: Case[] = [
    { name: 'nothing allows it', request, fields: says('max-age=60'), expected: 'authorization' },
    { name: 'public', request, fields: says('public'), expected: undefined },
    { name: 's-maxage', request, fields: says('s-maxage=60'), expected: undefined },
    { name: 'must-revalidate', request, fields: says('must-revalidate'), expected: undefined },
    { name: 'proxy-revalidate does not', request, fields: says('proxy-revalidate'), expected: 'authorization' },
    { name: 'no-cache does not', request, fields: says('no-cache'), expected: 'authorization' },
    { name: 'Expires does not', request, fields: { expires: 'x' }, expected: 'authorization' },
    { name: 'an empty Authorization', request: { authorization: '' }, expected: 'authorization' },
    {
      name: 'public in Cache-Control, which CDN-Cache-Control replaces',
      request,
      fields: { ...says('public'), 'cdn-cache-control': 'max-age=1' },
      expected: 'authorization',
    },
    { name: 'public=?0', request, fields: { 'cdn-cache-control': 'public=?0' }, expected: 'authorization' },
    { name: 'public does not outweigh private', request, fields: says('public, private'), expected: 'private' },
  ]
  for (const one of cases) {
    t.equal(reasonOf(one), one.expected, one.name)
  }
})

t.test('a response that matches no other request is not storable (RFC 9111 §4.1)', async (t) => {
  const cases: Case[] = [
    { name: 'Vary: *', fields: { vary: '*' }, expected: 'vary' },
    { name: '* in a list', fields: { vary: 'accept, *' }, expected: 'vary' },
    { name: '* on a second line', fields: { vary: ['accept', '*'] }, expected: 'vary' },
    { name: 'names', fields: { vary: 'accept, cookie' }, expected: undefined },
  ]
  for (const one of cases) t.equal(reasonOf(one), one.expected, one.name)
})

t.test('a response that sets a cookie is not storable, whatever its directives', async (t) => {
  const cookie = { 'set-cookie': 'a=b' }
  const cases: Case[] = [
    { name: 'max-age', fields: { ...cookie, ...says('max-age=60') }, expected: 'set-cookie' },
    { name: 'public', fields: { ...cookie, ...says('public, max-age=60') }, expected: 'set-cookie' },
    { name: 's-maxage', fields: { ...cookie, ...says('s-maxage=60') }, expected: 'set-cookie' },
    { name: 'several cookies', fields: { 'set-cookie': ['a=b', 'c=d'] }, expected: 'set-cookie' },
    { name: 'an empty one', fields: { 'set-cookie': '' }, expected: 'set-cookie' },
    { name: 'withheld by private', fields: { ...cookie, ...says('private="Set-Cookie"') }, expected: undefined },
    { name: 'withheld by no-cache', fields: { ...cookie, ...says('no-cache="a, set-cookie"') }, expected: undefined },
    { name: 'another field is withheld', fields: { ...cookie, ...says('private="a"') }, expected: 'set-cookie' },
    { name: 'no cookie', fields: says('max-age=60'), expected: undefined },
  ]
  for (const forwardsCredentials of [true, false]) {
    for (const one of cases) t.equal(reasonOf({ ...one, forwardsCredentials }), one.expected, one.name)
  }
})

t.test('the lifetime of the route does not apply to a forwarded response that may depend on cookies', async (t) => {
  const [request, lifetime] = [{ cookie: 'a=b' }, { seconds: 60, isExplicit: false }]
  const cases: Case[] = [
    { name: 'nothing marks it as shared', request, lifetime, expected: 'cookie' },
    { name: 'public', request, lifetime, fields: says('public'), expected: undefined },
    { name: 'it varies by cookies', request, lifetime, fields: { vary: 'accept, Cookie' }, expected: undefined },
    { name: 'the response states its lifetime', request, fields: says('max-age=60'), expected: undefined },
    { name: 'no cookie', lifetime, expected: undefined },
    {
      name: 'a local handler, which does not see cookies',
      request,
      lifetime,
      forwardsCredentials: false,
      expected: undefined,
    },
  ]
  for (const one of cases) t.equal(reasonOf(one), one.expected, one.name)
})

t.test(
  'a response without freshness is storable only if it can be validated or served stale (RFC 9111 §3)',
  async (t) => {
    const lifetime = { seconds: 0, isExplicit: true }
    const never = says('must-revalidate')
    const cases: Case[] = [
      { name: 'neither', lifetime, fields: never, expected: 'unusable' },
      { name: 'an entity-tag', lifetime, fields: { ...never, etag: '"a"' }, expected: undefined },
      { name: 'a weak entity-tag', lifetime, fields: { ...never, etag: 'W/"a"' }, expected: undefined },
      { name: 'Last-Modified', lifetime, fields: { ...never, 'last-modified': 'x' }, expected: undefined },
      { name: 'it may be served stale', lifetime, fields: says('max-age=0'), expected: undefined },
      { name: 'no-cache without a validator', lifetime, fields: says('no-cache'), expected: 'unusable' },
      { name: 'no-cache with one', lifetime, fields: { ...says('no-cache'), etag: '"a"' }, expected: undefined },
      { name: 'a lifetime of a second', lifetime: { ...lifetime, seconds: 1 }, fields: never, expected: undefined },
    ]
    for (const one of cases) t.equal(reasonOf(one), one.expected, one.name)
  },
)
