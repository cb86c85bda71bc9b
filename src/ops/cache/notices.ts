import type { FastifyReply, FastifyRequest } from 'fastify'
import { cookieOptions } from './sessions.js'

const cookieName = 'vitrine_notice'

/** The result of a purge, shown on the page after the redirect. */
export interface Notice {
  readonly kind: 'tag' | 'key'
  readonly name: string
  readonly isQueued: boolean
}

/** Stores the notice in a signed cookie: any process can show it, and a link cannot forge it. */
export function setNotice(notice: Notice, request: FastifyRequest, reply: FastifyReply): void {
  reply.setCookie(cookieName, JSON.stringify(notice), { ...cookieOptions(request), signed: true, maxAge: 60 })
}

/** Reads the notice and deletes its cookie. */
export function takeNotice(request: FastifyRequest, reply: FastifyReply): Notice | undefined {
  const { [cookieName]: cookie } = request.cookies
  if (cookie === undefined) return undefined
  reply.clearCookie(cookieName, { path: cookieOptions(request).path })
  const { valid, value } = request.unsignCookie(cookie)
  return valid && value !== null ? (JSON.parse(value) as Notice) : undefined // signed by us
}
