import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** An address range, as `node:net` takes it. */
export interface Network {
  readonly address: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

/** Wider ranges contain a large part of the internet. The widest private ranges are 10.0.0.0/8 and fc00::/7. */
const minPrefix = { ipv4: 8, ipv6: 7 } as const
const bits = { ipv4: 32, ipv6: 128 } as const

/** Comma-separated addresses and CIDR ranges; `undefined` if one is invalid or too wide. */
export function parseNetworks(text: string): readonly Network[] | undefined {
  const networks = text.split(',').map((entry) => parseNetwork(entry.trim()))
  return networks.every((network) => network !== undefined) ? networks : undefined
}

function parseNetwork(text: string): Network | undefined {
  const [, address = '', digits] = /^([\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? []
  const mapped = ipv4Of(address)
  if (mapped !== undefined) {
    // A prefix of an IPv4-mapped IPv6 address counts the 96 bits before it.
    const prefix = digits === undefined ? bits.ipv4 : Number(digits) - (mapped === address ? 0 : 96)
    return checked({ address: mapped, prefix, family: 'ipv4' })
  }
  if (!isIPv6(address)) return undefined
  return checked({ address, prefix: digits === undefined ? bits.ipv6 : Number(digits), family: 'ipv6' })
}

function checked(network: Network): Network | undefined {
  const { prefix, family } = network
  return prefix >= minPrefix[family] && prefix <= bits[family] ? network : undefined
}

/** The address itself, or the one that an IPv4-mapped IPv6 address such as `::ffff:10.0.0.1` contains. */
export function ipv4Of(address: string): string | undefined {
  const text = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return isIPv4(text) ? text : undefined
}

/** Whether an address is in one of the networks. An IPv4-mapped IPv6 address is the IPv4 address. */
export function createNetworkMatcher(networks: readonly Network[]): (address: string) => boolean {
  // One list for each family: an IPv6 range such as ::/8 would otherwise contain every IPv4 address.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const { address, prefix, family } of networks) lists[family].addSubnet(address, prefix, family)
  return (address) => {
    const ipv4 = ipv4Of(address)
    if (ipv4 !== undefined) return lists.ipv4.check(ipv4, 'ipv4')
    return isIPv6(address) && lists.ipv6.check(address, 'ipv6')
  }
}
