import { parseList } from 'structured-headers'
import t from 'tap'
import { type ForwardReason, formatTierStatus, type TierStatus } from '../../../plugins/http/cache-status.js'

interface Case {
  readonly name: string
  readonly status: TierStatus
  readonly expected: string
}

t.test('a member of Cache-Status is the name of the cache with parameters (RFC 9211 §2)', async (t) => {
  const cases: Case[] = [
    { name: 'no parameters', status: {}, expected: 'Vitrine' },
    { name: 'a hit (§2.1)', status: { hit: true }, expected: 'Vitrine; hit' },
    {
      name: 'false parameters are omitted',
      status: { hit: false, stored: false, collapsed: false },
      expected: 'Vitrine',
    },
    { name: 'a hit that stays fresh (§2.4)', status: { hit: true, ttl: 60 }, expected: 'Vitrine; hit; ttl=60' },
    { name: 'a ttl of 0 is included', status: { hit: true, ttl: 0 }, expected: 'Vitrine; hit; ttl=0' },
    { name: 'a stale hit has a negative ttl', status: { hit: true, ttl: -412 }, expected: 'Vitrine; hit; ttl=-412' },
    { name: 'forwarded, with the reason (§2.2)', status: { forward: 'uri-miss' }, expected: 'Vitrine; fwd=uri-miss' },
    {
      name: 'with the status of the response (§2.3)',
      status: { forward: 'stale', forwardStatus: 304 },
      expected: 'Vitrine; fwd=stale; fwd-status=304',
    },
    {
      name: 'and stored (§2.5)',
      status: { forward: 'uri-miss', forwardStatus: 200, ttl: 60, stored: true },
      expected: 'Vitrine; fwd=uri-miss; fwd-status=200; ttl=60; stored',
    },
    {
      name: 'collapsed with another request (§2.6)',
      status: { forward: 'uri-miss', collapsed: true },
      expected: 'Vitrine; fwd=uri-miss; collapsed',
    },
    {
      name: 'with a detail (§2.8)',
      status: { forward: 'uri-miss', detail: 'no-lifetime' },
      expected: 'Vitrine; fwd=uri-miss; detail=no-lifetime',
    },
    {
      name: 'the order of parameters stays the same',
      status: { detail: 'd', collapsed: true, stored: true, ttl: 1, forwardStatus: 200, forward: 'stale', hit: true },
      expected: 'Vitrine; hit; fwd=stale; fwd-status=200; ttl=1; stored; collapsed; detail=d',
    },
  ]
  for (const { name, status, expected } of cases) t.equal(formatTierStatus('Vitrine', status), expected, name)
})

t.test('forward reasons are those of RFC 9211 §2.2', async (t) => {
  const reasons: ForwardReason[] = ['bypass', 'method', 'uri-miss', 'vary-miss', 'request', 'stale']
  for (const forward of reasons) t.equal(formatTierStatus('a', { forward }), `a; fwd=${forward}`, forward)
})

t.test('members are a structured list, the cache nearest to the origin first (RFC 9211 §2)', async (t) => {
  const field = [
    formatTierStatus('Vitrine-Store', { hit: true, ttl: -3, detail: 'stale-if-error' }),
    formatTierStatus('Vitrine', { forward: 'uri-miss', forwardStatus: 200, stored: true }),
  ].join(', ')
  const members = parseList(field).map(([name, parameters]) => [String(name), ...[...parameters].flat().map(String)])
  t.strictSame(members, [
    ['Vitrine-Store', 'hit', 'true', 'ttl', '-3', 'detail', 'stale-if-error'],
    ['Vitrine', 'fwd', 'uri-miss', 'fwd-status', '200', 'stored', 'true'],
  ])
})
