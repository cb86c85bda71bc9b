import type { FastifyReply, FastifyRequest } from 'fastify'

const cookieName = 'vitrine_operator'
const lifetimeSeconds = 8 * 3_600

/** Sessions are signed cookies with an expiry: valid in every process, also after a restart. */
export interface Sessions {
  open(request: FastifyRequest, reply: FastifyReply): void
  close(reply: FastifyReply): void
  isOpen(request: FastifyRequest): boolean
}

export function createSessions(now: () => number): Sessions {
  return {
    open(request, reply) {
      reply.setCookie(cookieName, String(now() + lifetimeSeconds * 1_000), {
        ...cookieOptions(request),
        signed: true,
        maxAge: lifetimeSeconds,
      })
    },
    close(reply) {
      reply.clearCookie(cookieName, { path: cookiePath })
    },
    isOpen(request) {
      const { [cookieName]: cookie } = request.cookies
      if (cookie === undefined) return false
      const { valid, value } = request.unsignCookie(cookie)
      return valid && value !== null && Number(value) > now()
    },
  }
}

const cookiePath = '/ops'

/** Options of every cookie of the operator page: not readable by scripts, not sent by other sites. */
export function cookieOptions({ protocol }: FastifyRequest) {
  return { path: cookiePath, httpOnly: true, sameSite: 'strict', secure: protocol === 'https' } as const
}
