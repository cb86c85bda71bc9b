import type { FastifyReply, FastifyRequest } from 'fastify'
import { parseDirectives } from '../http/cache-control.js'
import { hasNonce } from '../http/csp-nonce.js'
import { asLines, type ReplyFields } from './reply-fields.js'

/** What hooks have set on the reply before the cache is asked. */
export interface PriorReply {
  readonly fields: ReplyFields
  readonly status: number
  readonly hasSerializer: boolean
  readonly hasTrailers: boolean
  /** Whether an `onSend` hook may add cookies: those that `@fastify/cookie` was given, or that of a session. */
  readonly hasPendingCookies: boolean
}

/** What of it makes the response one of this client alone. */
export type PersonalBy = 'hook-cache-control' | 'hook-status' | 'hook-serializer' | 'hook-trailers' | 'nonce'

/** Fields by which a hook forbids storing the response. */
const controls = ['cache-control', 'cdn-cache-control', 'surrogate-control'] as const

/** Why hooks have made the response one of this client alone, so that the request bypasses the cache; `undefined`: they have not. */
export function personalBy({ fields, status, hasSerializer, hasTrailers }: PriorReply): PersonalBy | undefined {
  if (status !== 200) return 'hook-status'
  if (hasSerializer) return 'hook-serializer'
  if (hasTrailers) return 'hook-trailers'
  if (controls.some((name) => forbidsStoring(fields[name]))) return 'hook-cache-control'
  return hasNonce(fields) ? 'nonce' : undefined
}

function forbidsStoring(field: ReplyFields[string]): boolean {
  if (field === undefined) return false
  const directives = parseDirectives(asLines(field))
  return directives.has('no-store') || (directives.has('private') && directives.get('private') === undefined)
}

const none: readonly string[] = []

/** Where Fastify and `@fastify/cookie` have the rest: they do not export their symbols. */
const descriptions = {
  serializer: 'fastify.reply.serializer',
  trailers: 'fastify.reply.trailers',
  cookies: 'fastify.reply.setCookies',
} as const

/** Reads what hooks have set on the replies of one route. */
export class PriorReplyReader {
  /** Of the first reply: all replies of a route have the same. */
  #symbols: Readonly<Record<keyof typeof descriptions, symbol | undefined>> | undefined

  read(reply: FastifyReply): PriorReply {
    this.#symbols ??= symbolsOf(reply)
    const { serializer, trailers, cookies } = this.#symbols
    return {
      fields: reply.getHeaders(),
      status: reply.statusCode,
      hasSerializer: serializer !== undefined && typeof Reflect.get(reply, serializer) === 'function',
      hasTrailers: trailersOf(reply, trailers).length > 0,
      hasPendingCookies:
        (cookies !== undefined && hasEntries(Reflect.get(reply, cookies))) || hasSession(reply.request),
    }
  }
}

/** Removes the trailers of a reply that is replaced: they describe what is not sent. */
export function dropTrailers(reply: FastifyReply): void {
  for (const name of trailersOf(reply, symbolsOf(reply).trailers)) reply.removeTrailer(name)
}

export function hasSerializer(reply: FastifyReply): boolean {
  const { serializer } = symbolsOf(reply)
  return serializer !== undefined && typeof Reflect.get(reply, serializer) === 'function'
}

export function hasTrailers(reply: FastifyReply): boolean {
  return trailersOf(reply, symbolsOf(reply).trailers).length > 0
}

function symbolsOf(reply: FastifyReply) {
  const symbols = Object.getOwnPropertySymbols(reply)
  const find = (description: string) => symbols.find((symbol) => symbol.description === description)
  return {
    serializer: find(descriptions.serializer),
    trailers: find(descriptions.trailers),
    cookies: find(descriptions.cookies),
  }
}

/** Names of the trailers; Fastify leaves those that were removed without a function. */
function trailersOf(reply: FastifyReply, symbol: symbol | undefined): readonly string[] {
  const trailers: unknown = symbol && Reflect.get(reply, symbol)
  if (typeof trailers !== 'object' || trailers === null) return none
  return Object.entries(trailers).flatMap(([name, generate]) => (typeof generate === 'function' ? [name] : []))
}

/** Session plugins save the session, and renew its cookie, in `onSend`. */
function hasSession(request: FastifyRequest): boolean {
  const session: unknown = Reflect.get(request, 'session')
  return typeof session === 'object' && session !== null
}

function hasEntries(cookies: unknown): boolean {
  return cookies instanceof Map && cookies.size > 0
}
