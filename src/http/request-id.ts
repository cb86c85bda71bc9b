import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { CallContext } from '../upstream/marketplace-client.js'

const requestId = /^[\w.:-]{1,128}$/
/** W3C Trace Context §3.2: version `ff` and ids of zeros are invalid. */
const traceparent = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/

/** The request id that the client or a proxy sent, if it is safe in a log and a header; otherwise a new one. */
export function resolveRequestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && requestId.test(given) ? given : randomUUID()
}

/**
 * The URL with percent signs escaped that encode nothing. Fastify answers a path such as `/%zz` before any hook runs, without
 * our headers and error format.
 */
export function decodableUrl({ url = '/' }: Pick<IncomingMessage, 'url'>): string {
  if (!url.includes('%')) return url
  const [path = '', ...query] = url.split('?')
  try {
    decodeURIComponent(path)
    return url
  } catch {
    return [path.replaceAll('%', '%25'), ...query].join('?')
  }
}

/** The ids that upstream calls carry, to correlate their logs with ours. */
export function callContext(request: FastifyRequest): CallContext {
  const trace = request.headers.traceparent
  return {
    requestId: request.id,
    ...(typeof trace === 'string' && traceparent.test(trace) ? { traceparent: trace } : {}),
  }
}
