import { STATUS_CODES } from 'node:http'
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyError, FastifyRequest } from 'fastify'
import { everyAnswer, laterAnswer } from '../schemas/headers.js'
import { isUpstreamError } from '../upstream/errors.js'

/** What went wrong, for a program to read. RFC 9457. */
export const Problem = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String({ description: "The status code's own phrase." }),
    status: Type.Integer({ description: 'The status of the answer.' }),
    detail: Type.String({ description: 'What went wrong with this request, for developers: the words may change.' }),
    code: Type.Optional(Type.String({ description: 'The cause, for programs: these do not change.' })),
    request_id: Type.String({ description: 'What to look for in the log; also in `x-request-id`.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          field: Type.String({ description: 'The parameter that is wrong.' }),
          detail: Type.String({ description: 'What is wrong with it.' }),
        }),
        { description: 'Of a 400: each parameter that is wrong.' },
      ),
    ),
  },
  { title: 'Problem', description: 'What went wrong. RFC 9457.' },
)

export type Problem = Static<typeof Problem>

const problemContent = { content: { 'application/problem+json': { schema: Problem } } }

/** The error answers of a route, for its schema and so for the API description. */
export const problemResponses = {
  400: {
    description: 'A parameter is wrong, and `errors` says which: the same request will fail again.',
    headers: everyAnswer,
    ...problemContent,
  },
  429: {
    description: 'Too many requests from this address. Nothing was asked; try again after `Retry-After`.',
    headers: laterAnswer,
    ...problemContent,
  },
  502: {
    description: 'The marketplace answered with something unusable, and there is no older answer.',
    headers: everyAnswer,
    ...problemContent,
  },
  503: {
    description: 'The marketplace cannot be reached, and there is no older answer. Try again after `Retry-After`.',
    headers: laterAnswer,
    ...problemContent,
  },
  504: {
    description: 'The marketplace did not answer in time, and there is no older answer. Try again after `Retry-After`.',
    headers: laterAnswer,
    ...problemContent,
  },
}

/** The problem that an error is to the client. Says nothing of the inside when the mistake is ours. */
export function toProblem(error: FastifyError, request: FastifyRequest): Problem {
  if (error.validation !== undefined) return validationProblem(error, request)
  const status = statusOf(error)
  return {
    ...problem(status, request),
    ...(status < 500 || isUpstreamError(error) ? { detail: error.message, code: error.code } : {}),
  }
}

/** A problem that no error brought about, such as a route that does not exist. */
export function problem(status: number, request: FastifyRequest, detail?: string): Problem {
  const title = STATUS_CODES[status] ?? 'Error'
  return { type: 'about:blank', title, status, detail: detail ?? title, request_id: request.id }
}

/** What a request that the validation refuses is called, to the client and in the log. */
const invalidRequestCode = 'VITRINE_INVALID_REQUEST'

/** Writes the error to the log with the weight that it has for whoever is on call. */
export function logError(error: FastifyError, request: FastifyRequest): void {
  const status = statusOf(error)
  const code = error.validation === undefined ? error.code : invalidRequestCode
  const where = { method: request.method, route: request.routeOptions.url, status, code }
  if (isUpstreamError(error)) request.log.warn({ ...where, reason: error.message }, 'the upstream let a request down')
  else if (status >= 500) request.log.error({ ...where, err: error }, 'a request failed')
  else {
    const from = status === 429 || status === 401 ? { address: request.ip } : {} // here it matters who asked
    request.log.info({ ...where, ...from, reason: error.message }, 'a request was refused')
  }
}

function statusOf(error: FastifyError): number {
  const { statusCode = 500 } = error
  return statusCode >= 400 && statusCode < 600 ? statusCode : 500
}

function validationProblem(error: FastifyError, request: FastifyRequest): Problem {
  const errors = (error.validation ?? []).map(({ instancePath, params, message }) => {
    const field =
      instancePath.slice(1).replaceAll('/', '.') ||
      String(params.missingProperty ?? params.additionalProperty ?? error.validationContext)
    const detail = params.additionalProperty === undefined ? message : 'is not known here'
    return { field, detail: detail ?? 'is not valid' }
  })
  const detail = errors.map(({ field, detail }) => `${field} ${detail}`).join('; ')
  return { ...problem(400, request, detail), code: invalidRequestCode, errors }
}
