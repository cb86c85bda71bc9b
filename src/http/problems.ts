import { STATUS_CODES } from 'node:http'
import { type Static, Type } from '@sinclair/typebox'
import type { FastifyError, FastifyRequest } from 'fastify'
import { commonHeaders, retryHeaders } from '../schemas/headers.js'
import { isUpstreamError } from '../upstream/errors.js'

/** Problem details. RFC 9457. */
export const Problem = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String({ description: 'The reason phrase of the status code.' }),
    status: Type.Integer({ description: 'HTTP status code of the response.' }),
    detail: Type.String({ description: 'Description for developers. The wording may change.' }),
    code: Type.Optional(Type.String({ description: 'Error code for programs. Codes do not change.' })),
    request_id: Type.String({ description: 'Id of the request in our logs, the same as in `x-request-id`.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          field: Type.String({ description: 'Name of the invalid parameter.' }),
          detail: Type.String({ description: 'Why it is invalid.' }),
        }),
        { description: 'Invalid parameters of a 400.' },
      ),
    ),
  },
  { title: 'Problem', description: 'Problem details. RFC 9457.' },
)

export type Problem = Static<typeof Problem>

const problemContent = { content: { 'application/problem+json': { schema: Problem } } }

/** Error responses for the schema of a route. */
export const problemResponses = {
  400: {
    description: 'A parameter is invalid; `errors` names it. Do not retry the same request.',
    headers: commonHeaders,
    ...problemContent,
  },
  429: {
    description: 'Too many requests from this client address. Retry after `Retry-After`.',
    headers: retryHeaders,
    ...problemContent,
  },
  502: {
    description: 'The marketplace sent an invalid response, and there is no stale list.',
    headers: commonHeaders,
    ...problemContent,
  },
  503: {
    description: 'The marketplace is unreachable, and there is no stale list. Retry after `Retry-After`.',
    headers: retryHeaders,
    ...problemContent,
  },
  504: {
    description: 'The marketplace timed out, and there is no stale list. Retry after `Retry-After`.',
    headers: retryHeaders,
    ...problemContent,
  },
}

/** What the client receives for an error. An internal error reveals no detail. */
export function toProblem(error: FastifyError, request: FastifyRequest): Problem {
  if (error.validation !== undefined) return validationProblem(error, request)
  const status = statusOf(error)
  return {
    ...problem(status, request),
    ...(status < 500 || isUpstreamError(error) ? { detail: error.message, code: error.code } : {}),
  }
}

/** A problem without an error behind it, such as an unknown path. */
export function problem(status: number, request: FastifyRequest, detail?: string): Problem {
  const title = STATUS_CODES[status] ?? 'Error'
  return { type: 'about:blank', title, status, detail: detail ?? title, request_id: request.id }
}

const invalidRequestCode = 'VITRINE_INVALID_REQUEST'

/** Logs the error: upstream failures as warnings, our own as errors, client errors as info. */
export function logError(error: FastifyError, request: FastifyRequest): void {
  const status = statusOf(error)
  const code = error.validation === undefined ? error.code : invalidRequestCode
  const where = { method: request.method, route: request.routeOptions.url, status, code }
  if (isUpstreamError(error)) request.log.warn({ ...where, err: error }, 'upstream request failed')
  else if (status >= 500) request.log.error({ ...where, err: error }, 'request failed')
  else if (request.server.rejections.record(status)) {
    const from = status === 429 || status === 401 ? { address: request.clientAddress } : {} // to find a client that misbehaves
    request.log.info({ ...where, ...from, reason: error.message }, 'request rejected')
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
    const detail = params.additionalProperty === undefined ? message : 'is not a known parameter'
    return { field, detail: detail ?? 'is not valid' }
  })
  const detail = errors.map(({ field, detail }) => `${field} ${detail}`).join('; ')
  return { ...problem(400, request, detail), code: invalidRequestCode, errors }
}
