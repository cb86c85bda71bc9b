import type { FastifyReply, FastifyRequest } from 'fastify'
import { networkOf } from '../../http/client-address.js'
import { unauthorizedError } from '../operator-token.js'
import type { OperatorPages } from './operator-pages.js'
import type { Sessions } from './sessions.js'

export const pagePath = '/ops/cache'

/** Who may use the operator page: browsers with a session, scripts with the bearer token. */
export interface Access {
  /** The session, or the network that sent the token; `undefined` for others. */
  operatorOf(request: FastifyRequest): string | undefined
  /**
   * A `preParsing` hook: after the rate limit, and before the body is read. Browsers are sent to the sign-in form; scripts get
   * a 401.
   */
  onlyOperators(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined>
}

export interface AccessDeps {
  readonly sessions: Sessions
  readonly pages: OperatorPages
}

export function createAccess({ sessions, pages }: AccessDeps): Access {
  const operatorOf = (request: FastifyRequest) =>
    sessions.idOf(request) ?? (request.hasOperatorToken ? networkOf(request.clientAddress) : undefined)
  return {
    operatorOf,
    async onlyOperators(request, reply) {
      if (operatorOf(request) !== undefined) return undefined
      if (request.headers.authorization !== undefined) throw unauthorizedError(reply)
      if (request.method === 'GET') return reply.redirect(pagePath, 303)
      return pages.renderSignIn(request, reply.code(401), { message: 'sessionEnded' }) // the form was not processed
    },
  }
}
