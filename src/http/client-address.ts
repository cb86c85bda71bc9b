import { isIP, isIPv6 } from 'node:net'
import { normalizeIP } from '@fastify/rate-limit'
import { ipv4Of } from '../config/networks.js'

/** Whether the headers that an address adds count. Also accepts what proxies write: `[::1]:4711`, `10.0.0.1:4711`. */
export type IsTrusted = (address: string | undefined) => boolean

/** Proxies in a row. What is before them in `X-Forwarded-For` is not read. */
const maxProxies = 16

/** Accepts no proxy if `isProxy` is missing. */
export function createTrust(isProxy: ((address: string) => boolean) | undefined): IsTrusted {
  return (address) => isProxy !== undefined && address !== undefined && isProxy(addressIn(address) ?? '')
}

/**
 * The address of the client: the last entry of `X-Forwarded-For` that no trusted proxy has, else the peer. A client can write
 * entries before the one that the first proxy adds; they are never read. An entry that is no address, such as `unknown`, ends
 * the search. `undefined`: the connection is closed.
 */
export function findClientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  isTrusted: IsTrusted,
): string | undefined {
  let address = addressIn(peer ?? '')
  let end = forwardedFor?.length ?? 0
  for (let hops = 0; hops < maxProxies && end > 0 && isTrusted(address); hops += 1) {
    const comma = forwardedFor?.lastIndexOf(',', end - 1) ?? -1
    const entry = addressIn(forwardedFor?.slice(comma + 1, end).trim() ?? '')
    if (entry === undefined) break
    address = entry
    end = comma
  }
  return address
}

/** The client's address as rate limits count it: an IPv4 address, or the /64 of an IPv6 address, which one client has. */
export function networkOf(address: string | undefined): string {
  return normalizeIP(address ?? '', 64)
}

/** Without port, brackets and zone; IPv4 for an IPv4-mapped address. `undefined`: not an address. */
function addressIn(text: string): string | undefined {
  if (text.length > 64) return undefined
  const host = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? (isIPv6(text) ? text : text.replace(/:\d+$/, ''))
  const address = host.replace(/%.*$/, '')
  return ipv4Of(address) ?? (isIP(address) === 0 ? undefined : address)
}
