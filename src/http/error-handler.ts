import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { readsHtml, show, varyByPage, wantsFragment } from '../pages.js'
import { createProblemView } from '../problem-view.js'
import { logError, type Problem, problem, toProblem } from './problems.js'

/** Answers what went wrong: a panel with the same status where a browser asks, problem+json everywhere else. */
export default fp(errorAnswers, { name: 'error-answers', fastify: '5.x', dependencies: ['pages'] })

async function errorAnswers(app: FastifyInstance): Promise<void> {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    logError(error, request)
    return answer(toProblem(error, request), request, reply)
  })
  const limit = app.hasDecorator('rateLimit') ? { preHandler: app.rateLimit() } : {}
  app.setNotFoundHandler(limit, (request, reply) =>
    answer(problem(404, request, `There is nothing at ${pathOf(request)}.`), request, reply),
  )
}

/** Sets the status of an error, and when to come back where that is soon. */
export function failWith(reply: FastifyReply, status: number): void {
  reply.code(status)
  if (status === 503 || status === 504) reply.header('retry-after', '5')
}

function answer(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  failWith(reply, problem.status)
  if (!isForPeople(request)) return reply.type('application/problem+json').send(problem)
  varyByPage(reply)
  const view = createProblemView(problem, request)
  const [, sellerId] = /^\/panels\/sellers\/([A-Za-z0-9_-]{1,64})\/events$/.exec(pathOf(request)) ?? []
  if (!wantsFragment(request)) return show(reply, 'pages/problem', { ...view, title: view.heading })
  const panel = pathOf(request).endsWith('/events') ? 'events' : 'sellers' // the one that htmx will replace with this
  // Whoever was chosen stays chosen when the list beside it moves on.
  return show(reply, 'partials/problem-panel', { ...view, panel, sellerId, title: view.text[panel].title })
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? url
}

/** Panels are for people whatever their browser accepts; elsewhere it is what the client says it reads. */
function isForPeople(request: FastifyRequest): boolean {
  const path = pathOf(request)
  if (/^\/(api|docs|healthz|readyz|metrics)\b/.test(path)) return false
  return /^\/(panels\b|$)/.test(path) || readsHtml(request)
}
