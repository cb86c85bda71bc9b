import type { FastifyReply, FastifyRequest } from 'fastify'
import { type OperatorToken, unauthorizedError } from '../operator-token.js'
import type { OperatorPages } from './operator-pages.js'
import type { Sessions } from './sessions.js'

export const pagePath = '/ops/cache'

/** Who may use the operator page: browsers with a session, scripts with the bearer token. */
export interface Access {
  isOperator(request: FastifyRequest): boolean
  /** An `onRequest` hook. Browsers are sent to the sign-in form; scripts get a 401. */
  onlyOperators(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined>
}

export interface AccessDeps {
  readonly token: OperatorToken
  readonly sessions: Sessions
  readonly pages: OperatorPages
}

export function createAccess({ token, sessions, pages }: AccessDeps): Access {
  const isOperator = (request: FastifyRequest) => sessions.isOpen(request) || token.isBearer(request)
  return {
    isOperator,
    async onlyOperators(request, reply) {
      if (isOperator(request)) return undefined
      if (request.headers.authorization !== undefined) throw unauthorizedError(reply)
      if (request.method === 'GET') return reply.redirect(pagePath, 303)
      return pages.renderSignIn(request, reply.code(401), { message: 'sessionEnded' }) // the form was not processed
    },
  }
}
