import type { FastifyReply, FastifyRequest } from 'fastify'
import { cookieOptions } from './sessions.js'

const cookieName = 'vitrine_notice'

/** What was ordered, told on the page that comes after it. */
export interface Notice {
  readonly kind: 'tag' | 'key'
  readonly name: string
  readonly isQueued: boolean
}

/** Leaves the notice for the next page, in a signed cookie: whichever process answers can tell it, and no link can. */
export function leaveNotice(notice: Notice, request: FastifyRequest, reply: FastifyReply): void {
  reply.setCookie(cookieName, JSON.stringify(notice), { ...cookieOptions(request), signed: true, maxAge: 60 })
}

export function takeNotice(request: FastifyRequest, reply: FastifyReply): Notice | undefined {
  const { [cookieName]: cookie } = request.cookies
  if (cookie === undefined) return undefined
  reply.clearCookie(cookieName, { path: cookieOptions(request).path })
  const { valid, value } = request.unsignCookie(cookie)
  return valid && value !== null ? (JSON.parse(value) as Notice) : undefined // signed: we wrote it
}
