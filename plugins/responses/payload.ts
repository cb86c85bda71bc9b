import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { exactBytes } from '../http/exact-bytes.js'

/** Applies a web `Response` to the reply, which Fastify does only after all hooks; gives its body. */
export function unwrapResponse(reply: FastifyReply, payload: unknown): unknown {
  if (!isResponse(payload) || payload.bodyUsed) return payload // Fastify reports an error for a used body
  reply.code(payload.status)
  for (const [name, value] of payload.headers) reply.header(name, value) // which appends lines of Set-Cookie
  return payload.body
}

/** Of any realm or package. */
function isResponse(payload: unknown): payload is Response {
  return Object.prototype.toString.call(payload) === '[object Response]'
}

/** The bytes of a payload that is no stream: a copy, because the handler may still write to it. */
export function bytesOf(payload: unknown): Buffer | undefined {
  if (payload === undefined || payload === null) return Buffer.alloc(0)
  return typeof payload === 'string' || payload instanceof Uint8Array ? exactBytes(payload) : undefined
}

export function streamOf(payload: unknown): Readable | undefined {
  if (payload instanceof Readable) return payload
  return payload instanceof ReadableStream ? Readable.fromWeb(payload) : undefined
}

/** Reads an empty stream to its end, such as that of a 204. */
export function drain(payload: unknown): unknown {
  const stream = streamOf(payload)
  if (stream === undefined) return payload
  stream.on('error', () => undefined).resume()
  return ''
}

export function discard(payload: unknown): null {
  streamOf(payload)
    ?.on('error', () => undefined)
    .destroy()
  return null
}
