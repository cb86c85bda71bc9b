import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'

/** What a web `Response` says is said of the reply, as Fastify does only after all hooks; gives its body. */
export function unwrapResponse(reply: FastifyReply, payload: unknown): unknown {
  if (!isResponse(payload) || payload.bodyUsed) return payload // Fastify has an error for one that has been read
  reply.code(payload.status)
  for (const [name, value] of payload.headers) reply.header(name, value) // which adds up lines of Set-Cookie
  return payload.body
}

/** Of whichever realm or package. */
function isResponse(payload: unknown): payload is Response {
  return Object.prototype.toString.call(payload) === '[object Response]'
}

/** The bytes of a payload that is here as a whole; a copy, for its owner may go on writing to it. */
export function bytesOf(payload: unknown): Buffer | undefined {
  if (payload === undefined || payload === null) return Buffer.alloc(0)
  return typeof payload === 'string' || payload instanceof Uint8Array ? Buffer.from(payload) : undefined
}

export function streamOf(payload: unknown): Readable | undefined {
  if (payload instanceof Readable) return payload
  return payload instanceof ReadableStream ? Readable.fromWeb(payload) : undefined
}

/** Reads to its end what has nothing in it, such as the content of a 204. */
export function drain(payload: unknown): unknown {
  const stream = streamOf(payload)
  if (stream === undefined) return payload
  stream.on('error', () => undefined).resume()
  return ''
}

export function discard(payload: unknown): null {
  streamOf(payload)
    ?.on('error', () => undefined)
    .destroy() // nobody is going to read it, nor to hear of it
  return null
}
