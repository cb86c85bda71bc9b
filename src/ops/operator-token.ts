import { createHash, createHmac, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { createError } from '@fastify/error'
import type { FastifyReply } from 'fastify'

export interface OperatorToken {
  /** Compares in constant time. */
  matches(given: string): boolean
  /** A secret for one purpose, derived from the token. It does not reveal the token. */
  secretFor(purpose: string): Buffer
}

const deriveKey = promisify<string, string, number, object, Buffer>(scrypt)

/** About 0.1 s and 32 MiB, once at start. */
const scryptCost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 }

const Unauthorized = createError('VITRINE_UNAUTHORIZED', 'The bearer token of the operator is required.', 401)

export async function createOperatorToken(token: string): Promise<OperatorToken> {
  const expected = digest(token)
  // Slow on purpose: a cookie signed with the key would otherwise allow fast guesses of a short token, without asking us.
  const key = await deriveKey(token, 'vitrine operator token', 32, scryptCost) // the same in every process
  return {
    matches: (given) => timingSafeEqual(digest(given), expected),
    secretFor: (purpose) => createHmac('sha256', key).update(purpose).digest(),
  }
}

/** A 401 with the challenge. RFC 6750 §3. */
export function unauthorizedError(reply: FastifyReply): Error {
  reply.header('www-authenticate', 'Bearer')
  return new Unauthorized()
}

export function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
