import t from 'tap'
import { formatTierStatus } from '../../../plugins/edge/cache-status.js'

t.test('a member of Cache-Status has its parameters in the order of RFC 9211', async (t) => {
  t.equal(formatTierStatus('Vitrine', { hit: true, ttl: 5 }), 'Vitrine; hit; ttl=5')
  t.equal(formatTierStatus('V', { hit: true, ttl: -5, detail: 'max-stale' }), 'V; hit; ttl=-5; detail=max-stale')
  t.equal(
    formatTierStatus('V', { forward: 'uri-miss', forwardStatus: 200, ttl: 5, stored: true, collapsed: true }),
    'V; fwd=uri-miss; fwd-status=200; ttl=5; stored; collapsed',
  )
  t.equal(formatTierStatus('V', {}), 'V')
})
