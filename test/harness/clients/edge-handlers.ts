import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { commonHeaders } from './requests.js'

export const handlerKinds = ['returns', 'sends later', 'streams', 'web response', 'buffer'] as const

export interface EdgeHandler {
  readonly kind: (typeof handlerKinds)[number]
  /** Whether it reads `Accept` and `Accept-Language`, which makes the response vary by them. */
  readonly negotiates: boolean
  readonly fields: Readonly<Record<string, string>>
  /** Whether it reads what hooks derived from credentials. */
  readonly readsIdentity: boolean
  /** Whether the body is long enough to be compressed. */
  readonly isLong: boolean
}

export interface EdgeHandlerContext {
  readonly label: string
  readonly handler: EdgeHandler
  /** Fields that make no difference to the response. */
  readonly unread: readonly string[]
  readonly isDown: () => boolean
}

const negotiated = ['accept', 'accept-language']
/** Of all fields that requests have. */
const knownNames = ['cookie', ...Object.keys(commonHeaders)].sort()
const clientIds = ['client-id-a', 'client-id-b']

/** Whether the cache asks if what it has stored is current: such an entity-tag is no client's. */
function isValidation(name: string, value: unknown): boolean {
  return name === 'if-none-match' && !commonHeaders['if-none-match'].some((known) => String(value) === known)
}

/** Everything that the handler can read of a request, except what differs without a difference between clients. */
function viewOf(request: FastifyRequest, { handler, unread }: EdgeHandlerContext): object {
  const { raw } = request
  const isRead = (name: string) => !unread.includes(name) && (handler.negotiates || !negotiated.includes(name))
  const read = (fields: object) => {
    // A handler that lists all fields negotiates: it sees which there are.
    const names = handler.negotiates ? Object.keys(fields) : knownNames
    const values = names.filter(isRead).map((name) => [name, Reflect.get(fields, name)] as const)
    return Object.fromEntries(values.filter(([name, value]) => value !== undefined && !isValidation(name, value)))
  }
  const { url, originalUrl, query, params, host, hostname, port, protocol } = request
  return {
    urls: [url, originalUrl, raw.url, Reflect.get(raw, 'originalUrl')],
    query,
    params,
    headers: read(request.headers),
    raw: read(raw.headers),
    distinct: read(raw.headersDistinct ?? {}), // `inject` has none
    lines: raw.rawHeaders.filter((_text, at, all) => isRead((all[at - (at % 2)] ?? '').toLowerCase())),
    authority: [host, hostname, port, protocol],
    id: clientIds.includes(request.id) ? request.id : 'of the server',
    nonce: Reflect.get(request, 'nonce'),
    ...(handler.readsIdentity ? identityOf(request) : {}),
  }
}

function identityOf(request: FastifyRequest): object {
  const attempt = (name: string, read: (value: object) => unknown) => {
    try {
      const value: unknown = Reflect.get(request, name)
      return typeof value === 'object' && value !== null ? read(value) : value
    } catch (error) {
      return `cannot be read: ${Reflect.get(Object(error), 'code')}`
    }
  }
  const userOf = (value: object) => Reflect.get(value, 'user') ?? null
  return {
    cookies: attempt('cookies', (value) => ({ ...value })),
    session: attempt('session', userOf),
    user: attempt('user', userOf),
  }
}

/** A handler that answers with everything that it can read. */
export function createHandler(context: EdgeHandlerContext): RouteHandlerMethod {
  const { label, handler, isDown } = context
  const text = (request: FastifyRequest) => {
    const padding = handler.isLong ? 'sellers and their catalogs '.repeat(60) : ''
    return JSON.stringify({ label, padding, ...viewOf(request, context) })
  }
  return async (request, reply) => {
    if (handler.kind === 'returns') await nextTurn()
    const { query } = request
    const asked = typeof query === 'object' && query !== null ? query : {}
    reply.headers(handler.fields).type('application/json')
    if (isDown() || Reflect.get(asked, 'fail') === '1') throw new Error(`${label} failed`)
    if (Reflect.get(asked, 'gone') === '1') reply.code(404)
    return sendAs[handler.kind](request, reply, text)
  }
}

type Send = (request: FastifyRequest, reply: FastifyReply, text: (request: FastifyRequest) => string) => unknown

const sendAs: Readonly<Record<EdgeHandler['kind'], Send>> = {
  returns: (request, _reply, text) => text(request),
  'sends later': (request, reply, text) => {
    setImmediate(() => reply.send(text(request)))
    return reply
  },
  streams: (request, reply, text) => {
    const parts = async function* () {
      yield 'a stream: '
      await nextTurn()
      yield text(request)
    }
    return reply.send(Readable.from(parts()))
  },
  'web response': (request, reply, text) => {
    const { statusCode: status } = reply
    return new Response(text(request), { status, headers: { 'content-type': 'application/json' } })
  },
  buffer: (request, _reply, text) => Buffer.from(text(request)),
}
