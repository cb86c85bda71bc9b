import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { findClientAddress, type IsTrusted } from './client-address.js'

export interface ProxiesOptions {
  readonly isTrusted: IsTrusted
}

declare module 'fastify' {
  interface FastifyRequest {
    /** See `findClientAddress`. Unlike `request.ip` it is an address whatever a proxy writes. */
    readonly clientAddress: string | undefined
  }
}

/** The client's address behind trusted proxies, and one warning for headers of a proxy that is not trusted. */
export default fp(proxies, { name: 'proxies', fastify: '5.x' })

const proxyHeaders = ['x-forwarded-for', 'x-forwarded-proto', 'forwarded'] as const

async function proxies(app: FastifyInstance, { isTrusted }: ProxiesOptions): Promise<void> {
  app.decorateRequest('clientAddress', {
    getter(this: FastifyRequest) {
      const { 'x-forwarded-for': forwardedFor } = this.raw.headers
      const text = Array.isArray(forwardedFor) ? forwardedFor.join() : forwardedFor // Node.js joins it
      return findClientAddress(this.raw.socket.remoteAddress, text, isTrusted)
    },
  })
  let hasWarned = false
  app.addHook('onRequest', (request, _reply, next) => {
    if (hasWarned) return next()
    const header = proxyHeaders.find((name) => request.headers[name] !== undefined)
    const { remoteAddress } = request.raw.socket
    if (header !== undefined && !isTrusted(remoteAddress)) {
      hasWarned = true
      request.log.warn(
        { header, address: remoteAddress },
        'proxy header ignored: if this address is your proxy, add it to TRUST_PROXY',
      )
    }
    next()
  })
}
