import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createError } from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'

export interface OperatorToken {
  /** Compares in constant time. */
  matches(given: string): boolean
  /** Whether the request has the token in `Authorization: Bearer`. */
  isBearer(request: FastifyRequest): boolean
  /** A secret for one purpose, derived from the token. It does not reveal the token. */
  secretFor(purpose: string): Buffer
}

const Unauthorized = createError('VITRINE_UNAUTHORIZED', 'The bearer token of the operator is required.', 401)

export function createOperatorToken(token: string): OperatorToken {
  const expected = digest(token)
  const matches = (given: string) => timingSafeEqual(digest(given), expected)
  return {
    matches,
    isBearer({ headers }) {
      const [, given = ''] = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
      return matches(given)
    },
    secretFor: (purpose) => createHmac('sha256', token).update(purpose).digest(),
  }
}

/** A 401 with the challenge. RFC 6750 §3. */
export function unauthorizedError(reply: FastifyReply): Error {
  reply.header('www-authenticate', 'Bearer')
  return new Unauthorized()
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
