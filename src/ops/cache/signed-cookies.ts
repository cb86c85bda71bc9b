import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Cookies that clients can neither change nor use under another name. Any process with the same key accepts them. */
export interface SignedCookies {
  set(name: string, value: string, maxAgeSeconds: number, request: FastifyRequest, reply: FastifyReply): void
  /** `undefined`: missing, or not signed by us under this name. */
  read(name: string, request: FastifyRequest): string | undefined
  clear(name: string, reply: FastifyReply): void
}

const path = '/ops'

export function createSignedCookies(key: Buffer): SignedCookies {
  const signatureOf = (name: string, value: string) => createHmac('sha256', key).update(`${name}=${value}`).digest()
  return {
    set(name, value, maxAge, request, reply) {
      const signed = `${value}.${signatureOf(name, value).toString('base64url')}`
      reply.setCookie(name, signed, { ...cookieOptions(request), maxAge })
    },
    read(name, { cookies: { [name]: cookie = '' } }) {
      const dot = cookie.lastIndexOf('.')
      const value = cookie.slice(0, Math.max(dot, 0))
      const [given, expected] = [Buffer.from(cookie.slice(dot + 1), 'base64url'), signatureOf(name, value)]
      return given.length === expected.length && timingSafeEqual(given, expected) ? value : undefined
    },
    clear: (name, reply) => void reply.clearCookie(name, { path }),
  }
}

/** Options of every cookie of the operator page: not readable by scripts, not sent by other sites. */
export function cookieOptions({ protocol }: Pick<FastifyRequest, 'protocol'>) {
  return { path, httpOnly: true, sameSite: 'strict', secure: protocol === 'https' } as const
}
