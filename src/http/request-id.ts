import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { CallContext } from '../upstream/marketplace.js'

const requestId = /^[\w.:-]{1,128}$/
/** W3C Trace Context §3.2. */
const traceparent = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/

/** The request id that the client or a proxy gave, when it is harmless in a log and a header; a new one otherwise. */
export function identifyRequest(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && requestId.test(given) ? given : randomUUID()
}

/**
 * The URL with percent signs that encode nothing taken for characters, so that a path such as `/%zz` is bad input like any
 * other: the framework would answer it by itself, before every hook, and so without our headers and our form of errors.
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

/** What a call to the upstream takes along, so that its log and ours can be read side by side. */
export function callContext(request: FastifyRequest): CallContext {
  const trace = request.headers.traceparent
  return {
    requestId: request.id,
    ...(typeof trace === 'string' && traceparent.test(trace) ? { traceparent: trace } : {}),
  }
}
