import { createError } from '@fastify/error'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { networkOf } from '../http/client-address.js'
import { GuessLimit } from './guess-limit.js'
import { digest, type OperatorToken } from './operator-token.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether `Authorization` has the operator's token. */
    hasOperatorToken: boolean
  }
}

/** Whether a token that a client sends is the operator's. Throws a 429 while the client's address has to wait. */
export type CheckToken = (given: string, request: FastifyRequest, reply: FastifyReply) => boolean

const TooManyGuesses = createError<'VITRINE_TOO_MANY_TOKENS', 429, [seconds: number]>(
  'VITRINE_TOO_MANY_TOKENS',
  'Too many wrong tokens from this client address; retry in %d s',
  429,
)

const minuteMs = 60_000
/** Wrong tokens in a minute, of all clients, that are reported. */
const manyWrong = 100

/** The check for bearer tokens and the sign-in form, with one limit for both. It does not depend on `RATE_LIMIT_MAX`. */
export function createTokenCheck(token: OperatorToken, monotonicNow: () => number): CheckToken {
  const limit = new GuessLimit(monotonicNow)
  let minute = { since: monotonicNow(), wrong: 0 }
  return (given, request, reply) => {
    const network = networkOf(request.clientAddress)
    const waitSeconds = Math.ceil(limit.waitMs(network) / 1_000)
    if (waitSeconds > 0) {
      reply.header('retry-after', waitSeconds)
      throw new TooManyGuesses(waitSeconds)
    }
    if (token.matches(given)) {
      limit.recordRight(network)
      return true
    }
    limit.recordWrong(network, digest(given).toString('latin1'))
    if (monotonicNow() - minute.since >= minuteMs) minute = { since: monotonicNow(), wrong: 0 }
    minute.wrong += 1
    if (minute.wrong === manyWrong) {
      request.log.warn(
        { wrong: manyWrong },
        'many wrong operator tokens within a minute: is PURGE_TOKEN hard to guess?',
      )
    }
    return false
  }
}

/** Checks the bearer token of each request in this scope once, before its body is read. */
export function checkBearerTokens(app: FastifyInstance, check: CheckToken): void {
  app.decorateRequest('hasOperatorToken', false)
  app.addHook('onRequest', async (request, reply) => {
    const [, given] = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? []
    if (given !== undefined) request.hasOperatorToken = check(given, request, reply)
  })
}
