import t from 'tap'
import { createNetworkMatcher, parseNetworks } from '../../../src/config/networks.js'
import { createTrust, findClientAddress, networkOf } from '../../../src/http/client-address.js'

const trusting = (networks: string) => createTrust(createNetworkMatcher(parseNetworks(networks) ?? []))

t.test('the client is the last address that no trusted proxy has', async (t) => {
  const cases: [why: string, peer: string, forwardedFor: string | undefined, address: string][] = [
    ['no header', '10.0.0.1', undefined, '10.0.0.1'],
    ['one proxy', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['two proxies', '10.0.0.1', '203.0.113.7, 10.0.0.2', '203.0.113.7'],
    ['entries that the client wrote', '10.0.0.1', '1.1.1.1, 10.0.0.9, 203.0.113.7', '203.0.113.7'],
    ['a peer that is no proxy', '203.0.113.7', '1.1.1.1', '203.0.113.7'],
    ['only proxies', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['a mapped peer', '::ffff:10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['a mapped client', '10.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
    ['IPv6', '10.0.0.1', '2001:db8::7', '2001:db8::7'],
    ['a port', '10.0.0.1', '203.0.113.7:4711', '203.0.113.7'],
    ['a proxy with a port', '10.0.0.1', '203.0.113.7:1, 10.0.0.2:8080', '203.0.113.7'],
    ['brackets', '10.0.0.1', '[2001:db8::7]', '2001:db8::7'],
    ['brackets and a port', '10.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['a zone', '10.0.0.1', 'fe80::1%eth0', 'fe80::1'],
    ['no spaces', '10.0.0.1', '203.0.113.7,10.0.0.2', '203.0.113.7'],
    ['unknown', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['an address before unknown, which a client can write', '10.0.0.1', '1.1.1.1, unknown, 10.0.0.2', '10.0.0.2'],
    ['an empty header', '10.0.0.1', '', '10.0.0.1'],
    ['commas', '10.0.0.1', ',,,', '10.0.0.1'],
    ['junk', '10.0.0.1', '"><script>', '10.0.0.1'],
    ['quotes', '10.0.0.1', '"203.0.113.7"', '10.0.0.1'],
    ['octal numbers', '10.0.0.1', '0313.0.113.7', '10.0.0.1'],
    ['a long entry', '10.0.0.1', '1'.repeat(15_000), '10.0.0.1'],
    ['a long header before the client', '10.0.0.1', `${'1.1.1.1, '.repeat(1_600)}203.0.113.7`, '203.0.113.7'],
    ['more proxies than are read', '10.0.0.1', `203.0.113.7${', 10.0.0.2'.repeat(1_500)}`, '10.0.0.2'],
  ]
  const isTrusted = trusting('10.0.0.0/8')
  for (const [why, peer, forwardedFor, address] of cases) {
    t.equal(findClientAddress(peer, forwardedFor, isTrusted), address, why)
  }
})

t.test('without trusted proxies the client is the peer', async (t) => {
  const isTrusted = createTrust(undefined)
  t.equal(findClientAddress('10.0.0.1', '203.0.113.7', isTrusted), '10.0.0.1')
  t.equal(findClientAddress('::ffff:10.0.0.1', undefined, isTrusted), '10.0.0.1')
  t.equal(findClientAddress('fe80::1%eth0', undefined, isTrusted), 'fe80::1')
  t.equal(findClientAddress(undefined, '203.0.113.7', isTrusted), undefined, 'a closed connection')
})

t.test('limits count an IPv4 address, and the /64 of an IPv6 address', async (t) => {
  for (const [address, network] of [
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
    ['2001:DB8:1:2::', '2001:db8:1:2::'],
    ['2001:db8:1:3::', '2001:db8:1:3::'],
    [undefined, ''],
  ] as const) {
    t.equal(networkOf(address), network, address ?? 'none')
  }
})
