import t from 'tap'
import { createNetworkMatcher, parseNetworks } from '../../../src/config/networks.js'

t.test('a list of networks is addresses and CIDR ranges', async (t) => {
  const cases: [text: string, networks: string[] | undefined][] = [
    ['127.0.0.1', ['127.0.0.1/32']],
    ['10.0.0.0/8, 192.168.1.0/24', ['10.0.0.0/8', '192.168.1.0/24']],
    ['::1', ['::1/128']],
    ['fd00::/8,2001:DB8::/32', ['fd00::/8', '2001:DB8::/32']],
    ['::ffff:10.0.0.1', ['10.0.0.1/32']],
    ['::ffff:10.0.0.0/104', ['10.0.0.0/8']],
    ['', undefined],
    [',', undefined],
    ['10.0.0.1,', undefined],
    ['10.0.0.1 10.0.0.2', undefined],
    ['10.0.0', undefined],
    ['010.0.0.1', undefined],
    ['10.0.0.1/', undefined],
    ['10.0.0.1/33', undefined],
    ['10.0.0.1/-1', undefined],
    ['10.0.0.1/8/8', undefined],
    ['10.0.0.0/255.0.0.0', undefined],
    ['10.0.0.1:80', undefined],
    ['[::1]', undefined],
    ['::1/129', undefined],
    ['fe80::1%eth0', undefined],
    ['proxy.example', undefined],
    ['true', undefined],
    ['0.0.0.0/0', undefined],
    ['::/0', undefined],
    ['0.0.0.0/1,128.0.0.0/1', undefined],
    ['::ffff:0.0.0.0/96', undefined],
    ['::ffff:10.0.0.0/8', undefined],
  ]
  for (const [text, networks] of cases) {
    t.strictSame(
      parseNetworks(text)?.map(({ address, prefix }) => `${address}/${prefix}`),
      networks,
      text,
    )
  }
})

t.test('an address matches the networks of its family, and an IPv4-mapped one those of IPv4', async (t) => {
  const cases: [networks: string, address: string, isMatched: boolean][] = [
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['10.0.0.5/8', '10.255.255.255', true],
    ['10.0.0.5', '10.0.0.5', true],
    ['10.0.0.5', '10.0.0.50', false],
    ['127.0.0.1,10.0.0.0/8', '10.0.0.1', true],
    ['2001:db8::/32', '2001:DB8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::/7', '10.0.0.1', false],
    ['::/7', '::ffff:10.0.0.1', false],
    ['::1', '::1', true],
    ['::1', '127.0.0.1', false],
    ['::ffff:10.0.0.1', '10.0.0.1', true],
    ['10.0.0.0/8', 'unknown', false],
    ['10.0.0.0/8', '', false],
  ]
  for (const [networks, address, isMatched] of cases) {
    const matches = createNetworkMatcher(parseNetworks(networks) ?? [])
    t.equal(matches(address), isMatched, `${address} in ${networks}`)
  }
})
