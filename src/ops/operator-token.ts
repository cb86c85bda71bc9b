import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createError } from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** What operators prove themselves with. */
export interface OperatorToken {
  /** Compares in constant time. */
  isToken(given: string): boolean
  /** Whether the request carries it as a bearer token. */
  isBearer(request: FastifyRequest): boolean
  /** A secret for one purpose that changes when the token does, and does not tell it. */
  secretFor(purpose: string): Buffer
}

const Unauthorised = createError('VITRINE_UNAUTHORIZED', 'This wants the bearer token of the operator.', 401)

export function createOperatorToken(token: string): OperatorToken {
  const expected = digest(token)
  const isToken = (given: string) => timingSafeEqual(digest(given), expected)
  return {
    isToken,
    isBearer({ headers }) {
      const [, given = ''] = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
      return isToken(given)
    },
    secretFor: (purpose) => createHmac('sha256', token).update(purpose).digest(),
  }
}

/** What somebody gets who should have come with the token. RFC 6750 §3. */
export function unauthorised(reply: FastifyReply): Error {
  reply.header('www-authenticate', 'Bearer')
  return new Unauthorised()
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
