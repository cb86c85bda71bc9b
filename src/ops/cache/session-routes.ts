import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'
import type { CheckToken } from '../token-check.js'
import { type Access, pagePath } from './access.js'
import { InspectedKey } from './cache-page.js'
import type { OperatorPages } from './operator-pages.js'
import type { Sessions } from './sessions.js'

const SignInForm = Type.Object({ token: Type.String({ maxLength: 4_096 }), key: InspectedKey })

export interface SessionRoutesOptions {
  readonly checkToken: CheckToken
  readonly access: Access
  readonly pages: OperatorPages
  readonly sessions: Sessions
}

/** Sign in and out. */
const sessionRoutes: FastifyPluginAsyncTypebox<SessionRoutesOptions> = async (
  app,
  { checkToken, access, pages, sessions },
) => {
  app.post(`${pagePath}/session`, { schema: { hide: true, body: SignInForm } }, async (request, reply) => {
    const { token: given, key } = request.body
    if (!checkToken(given, request, reply)) {
      if (app.rejections.record(401)) {
        request.log.info({ address: request.clientAddress }, 'operator sign-in failed: wrong token')
      }
      return pages.renderSignIn(request, reply.code(401), { message: 'wrongToken', key })
    }
    sessions.open(request, reply)
    return reply.redirect(key === undefined ? pagePath : `${pagePath}?${new URLSearchParams({ key })}`, 303)
  })

  app.post(
    `${pagePath}/session/end`,
    { schema: { hide: true }, preParsing: access.onlyOperators, preValidation: app.csrfProtection },
    async (request, reply) => {
      sessions.close(request, reply)
      return reply.redirect(pagePath, 303)
    },
  )
}

export default sessionRoutes
