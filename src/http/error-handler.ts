import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { acceptsHtml, render, setPageVary } from './html-pages.js'
import { createProblemView } from './problem-view.js'
import { logError, type Problem, problem, toProblem } from './problems.js'

/** Sends a problem in the format of a scope. */
export type SendProblem = (problem: Problem, request: FastifyRequest, reply: FastifyReply) => FastifyReply

/** The default of all routes: an HTML page for clients that accept HTML, problem+json for others. */
export default fp(errorHandler, { name: 'error-handler', fastify: '5.x', dependencies: ['pages', 'rejection-log'] })

async function errorHandler(app: FastifyInstance): Promise<void> {
  handleErrors(app, sendProblem)
  handleNotFound(app, sendProblem)
}

/** Errors of the routes in this scope. */
export function handleErrors(app: Pick<FastifyInstance, 'setErrorHandler'>, send: SendProblem): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    logError(error, request)
    return send(toProblem(error, request), request, reply)
  })
}

/** Requests for paths below the prefix of this scope that have no route. */
export function handleNotFound(app: Pick<FastifyInstance, 'setNotFoundHandler'>, send: SendProblem): void {
  app.setNotFoundHandler((request, reply) => {
    const [path] = request.url.split('?', 1)
    return send(problem(404, request, `There is no resource at ${path}.`), request, reply)
  })
}

export const sendProblemJson: SendProblem = (problem, _request, reply) => {
  setErrorStatus(reply, problem.status)
  return reply.type('application/problem+json').send(problem)
}

export const sendProblemPage: SendProblem = (problem, request, reply) => {
  setErrorStatus(reply, problem.status)
  setPageVary(reply)
  const view = createProblemView(problem, request)
  return render(reply, 'pages/problem', { ...view, title: view.heading })
}

const sendProblem: SendProblem = (problem, request, reply) =>
  acceptsHtml(request) ? sendProblemPage(problem, request, reply) : sendProblemJson(problem, request, reply)

/** Sets the status, and `Retry-After` for errors that are likely to be short. */
export function setErrorStatus(reply: FastifyReply, status: number): void {
  reply.code(status)
  if (status === 503 || status === 504) reply.header('retry-after', '5')
}
