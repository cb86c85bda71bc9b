import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SignedCookies } from './signed-cookies.js'

const cookieName = 'vitrine_notice'

/** The result of a purge, shown on the page after the redirect. */
export interface Notice {
  readonly kind: 'tag' | 'key'
  readonly name: string
  readonly isQueued: boolean
}

/** Stores the notice in a signed cookie: any process can show it, and a link cannot forge it. */
export interface Notices {
  set(notice: Notice, request: FastifyRequest, reply: FastifyReply): void
  /** Reads the notice and deletes its cookie. */
  take(request: FastifyRequest, reply: FastifyReply): Notice | undefined
}

export function createNotices(cookies: SignedCookies): Notices {
  return {
    set: (notice, request, reply) => cookies.set(cookieName, JSON.stringify(notice), 60, request, reply),
    take(request, reply) {
      if (request.cookies[cookieName] === undefined) return undefined
      cookies.clear(cookieName, reply)
      const text = cookies.read(cookieName, request)
      return text === undefined ? undefined : (JSON.parse(text) as Notice) // signed by us
    },
  }
}
