import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { SignedCookies } from './signed-cookies.js'

const cookieName = 'vitrine_operator'
const lifetimeSeconds = 8 * 3_600
const maxEnded = 1_000

/** Sessions are signed cookies with an expiry and an id: valid in every process, also after a restart. */
export interface Sessions {
  open(request: FastifyRequest, reply: FastifyReply): void
  /** Removes the cookie. This process also refuses copies of it. */
  close(request: FastifyRequest, reply: FastifyReply): void
  /** The id of the session; `undefined` without one. */
  idOf(request: FastifyRequest): string | undefined
}

export function createSessions(cookies: SignedCookies, now: () => number): Sessions {
  const ended = new LRUCache<string, true>({ max: maxEnded })
  const idOf = (request: FastifyRequest) => {
    const [expires, id] = cookies.read(cookieName, request)?.split(':') ?? []
    return id !== undefined && Number(expires) > now() && !ended.has(id) ? id : undefined
  }
  return {
    open(request, reply) {
      const value = `${now() + lifetimeSeconds * 1_000}:${randomBytes(12).toString('base64url')}`
      cookies.set(cookieName, value, lifetimeSeconds, request, reply)
    },
    close(request, reply) {
      const id = idOf(request)
      if (id !== undefined) ended.set(id, true)
      cookies.clear(cookieName, reply)
    },
    idOf,
  }
}
