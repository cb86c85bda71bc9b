import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'

const addresses = ['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort', 'localFamily'] as const
/** Of TLS. */
const session = ['encrypted', 'authorized', 'authorizationError', 'alpnProtocol', 'servername'] as const
const calls = ['getCertificate', 'getCipher', 'getPeerX509Certificate', 'getProtocol', 'getX509Certificate'] as const

/** The scheme and the authority of HTTP/2. */
const pseudoFields = ['scheme', 'authority'] as const

/**
 * Gives a function that makes another request look as if it had arrived on the connection of this one: addresses, protocol and
 * certificates. It has a copy, because the connection may end before. `undefined`: the connection has ended, so that nothing is known.
 */
export function connectionOf({ raw }: FastifyRequest): ((other: IncomingMessage) => void) | undefined {
  const { socket } = raw
  if (socket.destroyed) return undefined
  const seen: Record<string, unknown> = {}
  for (const name of [...addresses, ...session]) seen[name] = Reflect.get(socket, name)
  for (const name of calls) {
    const result: unknown = call(socket, name)
    seen[name] = () => result
  }
  const [certificate, withIssuers] = [call(socket, 'getPeerCertificate'), call(socket, 'getPeerCertificate', true)]
  seen.getPeerCertificate = (isDetailed?: boolean) => (isDetailed === true ? withIssuers : certificate)
  const inRequest = Object.fromEntries(pseudoFields.map((name) => [name, Reflect.get(raw, name)]))
  return (other) => {
    Object.assign(other, { socket: Object.assign(new RepeatedConnection(), seen) })
    if (inRequest.scheme !== undefined) Object.assign(other, inRequest)
  }
}

/** Only TLS connections have the methods. */
function call(socket: object, name: string, ...parameters: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(socket, name)
  return typeof method === 'function' ? Reflect.apply(method, socket, parameters) : undefined
}

/** What Fastify needs of a socket. */
class RepeatedConnection extends EventEmitter {
  destroyed = false

  destroy(): this {
    this.destroyed = true
    this.emit('close')
    return this
  }
}
