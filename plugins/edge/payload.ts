import { Readable } from 'node:stream'

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
